package event

import (
	"reflect"
	"strings"
)

// types lists every message that has bytes; later ones have a name only.
var types = []Type{
	TypeChange, TypeAttempt, TypeObservation, TypeSignal, TypeTick, TypeLink,
	TypeDelivery, TypeFailure, TypeDivergence, TypePartial, TypeDeadLetter, TypeCheck, TypeClick,
	TypeActivity, TypeAgentState, TypeAccess,
	TypeReconciliation,
	TypeVerdict, TypeBreadth,
	TypePulse, TypeKPIMinute, TypeKPIHour, TypeIncident, TypeAlert, TypePosition,
}

var later []Type

// full is a message with every field set to something that names it, so that
// two fields swapped, lost or renamed change the golden bytes.
func full(t Type) Event {
	e := New(t)
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
		if v.Type() == reflect.TypeFor[Time]() {
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
func valid(t Type) Event {
	const at = Time(1_767_225_600_000)
	switch t {
	case TypeChange:
		return &Change{
			ID: "c1", System: "hubspot", Object: "contact", RecordID: "101", Operation: OpUpdate,
			ChangedAt: at, ReceivedAt: at + 40,
		}
	case TypeAttempt:
		return &Attempt{
			ID: "a1", Integration: "hs-sf", Object: "contact", Operation: OpUpdate, OccurredAt: at,
			Outcome: OutcomeOK,
		}
	case TypeObservation:
		return &Observation{
			ID: "o1", Integration: "hs-sf", System: "salesforce", Object: "Contact", RecordID: "003A", ObservedAt: at,
		}
	case TypeSignal:
		return &Signal{ID: "s1", Kind: SignalDeploy, StartedAt: at}
	case TypeTick:
		return &Tick{At: at}
	case TypeLink:
		return &Link{Integration: "hs-sf", Object: "contact", SourceID: "101", TargetID: "003A"}
	case TypeDelivery:
		return &Delivery{
			ID: "d1", Integration: "hs-sf", Object: "contact", RecordKey: "hs-sf/contact/101", State: StateObserved,
		}
	case TypeFailure:
		return &Failure{
			ID: "f1", Integration: "hs-sf", Origin: OriginError, OccurredAt: at,
			Verdict: Verdict{Class: ClassAuth},
		}
	case TypeDivergence:
		return &Divergence{
			ID: "v1", Integration: "hs-sf", RecordKey: "hs-sf/contact/101", Kind: ValueMismatch,
			State: DivergencePending,
		}
	case TypePartial:
		return &Partial{Integration: "hs-sf", Second: at}
	case TypeCheck:
		return &Check{ID: "k1", Integration: "hs-sf", Object: "contact", RecordKey: "101", Reason: CheckReadback, AskedAt: at}
	case TypeClick:
		return &Click{ID: "k1", Kind: ClickAcknowledge, Subject: "a1", By: "ana@example.com", At: at}
	case TypeReconciliation:
		return &Reconciliation{
			ID: "r1", Integration: "hs-sf", Object: "contact", Run: "run1", State: RunComplete, StartedAt: at, UpdatedAt: at + 1,
		}
	case TypeActivity:
		return &Activity{Integration: "hs-sf", Second: at}
	case TypeAccess:
		return &Access{ID: "x1", System: "salesforce", Token: "tok-1", Operation: AccessQuery, At: at}
	case TypeAgentState:
		return &AgentState{ID: "g1", Agent: "enricher", State: AgentOK, Since: at}
	case TypeBreadth:
		return &Breadth{Provider: "salesforce", At: at}
	case TypeVerdict:
		return &CauseVerdict{ID: "v1", Provider: "salesforce", Class: ClassAuth, Recoverability: Temporary, Start: at}
	case TypePulse:
		return &Pulse{Tenant: "default", At: at}
	case TypeKPIMinute:
		return &KPIMinute{ID: "k1", Integration: "hs-sf", Minute: at}
	case TypeKPIHour:
		return &KPIHour{ID: "k1", Integration: "hs-sf", Minute: at}
	case TypeIncident:
		return &Incident{
			ID: "i1", Integration: "hs-sf", Fingerprint: "f1", Kind: IncidentOfFailures, State: IncidentOpen, DetectedAt: at,
		}
	case TypeAlert:
		return &Alert{ID: "a1", Tenant: "default", Rule: RuleIncident, Status: AlertFiring, ObservedAt: JSONTime(at)}
	case TypeExplanation:
		return &Explanation{ID: "x1", Integration: "hs-sf", Kind: SignalPicklistChange, From: at}
	case TypePosition:
		return &Position{Stream: "sf/data/ChangeEvents", SeenAt: at}
	case TypeDeadLetter:
		return &DeadLetter{ID: "l1", Origin: "hook:hs", Reason: "not JSON"}
	}
	return nil
}
