package event_test

import (
	"reflect"
	"strings"

	"plumbline.dev/schemas/event"
)

// types lists every message that has bytes; later ones have a name only.
var types = []event.Type{
	event.TypeChange, event.TypeAttempt, event.TypeObservation, event.TypeSignal, event.TypeTick, event.TypeLink,
	event.TypeDelivery, event.TypeFailure, event.TypeDivergence, event.TypePartial, event.TypeDeadLetter,
}

var later = []event.Type{event.TypeIncident, event.TypeAlert}

// full is a message with every field set to something that names it, so that
// two fields swapped, lost or renamed change the golden bytes.
func full(t event.Type) event.Event {
	e := event.New(t)
	n := 0
	fill(reflect.ValueOf(e).Elem(), "", &n)
	return e
}

func fill(v reflect.Value, name string, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(strings.ToLower(name) + " é")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
		if v.Type() == reflect.TypeFor[event.Time]() {
			v.SetInt(1_767_225_600_000 + int64(*n)) // 2026-01-01
		}
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(*n))
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{0, 0xff})
			return
		}
		for i := range v.Len() {
			fill(v.Index(i), name, n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Field(i).Name, n)
		}
	default:
		panic("no sample for " + v.Type().String())
	}
}

// valid is a message that its Validate accepts.
func valid(t event.Type) event.Event {
	const at = event.Time(1_767_225_600_000)
	switch t {
	case event.TypeChange:
		return &event.Change{
			ID: "c1", System: "hubspot", Object: "contact", RecordID: "101", Operation: event.OpUpdate,
			ChangedAt: at, ReceivedAt: at + 40,
		}
	case event.TypeAttempt:
		return &event.Attempt{
			ID: "a1", Integration: "hs-sf", Object: "contact", Operation: event.OpUpdate, OccurredAt: at,
			Outcome: event.OutcomeOK,
		}
	case event.TypeObservation:
		return &event.Observation{
			ID: "o1", Integration: "hs-sf", System: "salesforce", Object: "Contact", RecordID: "003A", ObservedAt: at,
		}
	case event.TypeSignal:
		return &event.Signal{ID: "s1", Kind: event.SignalDeploy, StartedAt: at}
	case event.TypeTick:
		return &event.Tick{At: at}
	case event.TypeLink:
		return &event.Link{Integration: "hs-sf", Object: "contact", SourceID: "101", TargetID: "003A"}
	case event.TypeDelivery:
		return &event.Delivery{
			ID: "d1", Integration: "hs-sf", Object: "contact", RecordKey: "hs-sf/contact/101", State: event.StateObserved,
		}
	case event.TypeFailure:
		return &event.Failure{
			ID: "f1", Integration: "hs-sf", Origin: event.OriginError, OccurredAt: at,
			Verdict: event.Verdict{Class: event.ClassAuth},
		}
	case event.TypeDivergence:
		return &event.Divergence{
			ID: "v1", Integration: "hs-sf", RecordKey: "hs-sf/contact/101", Kind: event.ValueMismatch,
			State: event.DivergencePending,
		}
	case event.TypePartial:
		return &event.Partial{Integration: "hs-sf", Second: at}
	case event.TypeDeadLetter:
		return &event.DeadLetter{ID: "l1", Origin: "hook:hs", Reason: "not JSON"}
	}
	return nil
}
