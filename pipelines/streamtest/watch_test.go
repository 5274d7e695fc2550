package streamtest_test

import (
	"encoding/json"
	"fmt"
	"time"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// watch is a small operator to try scenarios on: a change opens a delivery,
// an attempt acknowledges it, a deadline stalls it.
type watch struct {
	deadline event.Time
	fault    string // one of the mistakes operators make
	calls    *int
}

type open struct {
	Delivery event.Delivery
	Wake     event.Time
	lost     int // a field that is forgotten in Save
}

func (w watch) Step(ctx stream.Ctx, key string, s *open, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Change:
		if e.Operation == event.OpDelete {
			*s = open{}
			return
		}
		s.Delivery = event.Delivery{
			ID:     event.DeliveryID(e.Integration, e.Object, e.RecordKey, e.ID),
			Tenant: e.Tenant, Integration: e.Integration, Object: e.Object, RecordKey: e.RecordKey, ChangeID: e.ID,
			State: event.StateObserved, ChangedAt: e.ChangedAt, ReceivedAt: e.ReceivedAt, DueAt: e.ChangedAt + w.deadline,
			Actor: e.Actor,
		}
		s.Wake = s.Delivery.DueAt
	case *event.Attempt:
		s.Delivery.Attempts++
		if !e.Failed() {
			s.Delivery.State, s.Wake = event.StateAcknowledged, 0
			s.Delivery.LatencyMS = int64(e.OccurredAt - s.Delivery.ChangedAt)
			s.Delivery.LatencyBasis = event.BasisAcknowledged
		}
	default:
		return
	}
	w.emit(ctx, s, out)
}

func (w watch) Timer(ctx stream.Ctx, _ string, s *open, out *stream.Out) {
	s.Delivery.State, s.Wake = event.StateStalled, 0
	w.emit(ctx, s, out)
}

func (w watch) emit(ctx stream.Ctx, s *open, out *stream.Out) {
	s.lost++
	*w.calls++
	switch w.fault {
	case "forgets":
		s.Delivery.Attempts = s.lost
	case "remembers other runs":
		s.Delivery.Attempts = *w.calls
	}
	d := s.Delivery
	d.Version = ctx.Version
	if w.fault == "emits its own state" {
		out.Emit(topic.Deliveries, d.RecordKey, &s.Delivery)
		return
	}
	out.Emit(topic.Deliveries, d.RecordKey, &d)
}

func (s *open) Due() event.Time { return s.Wake }
func (s *open) Empty() bool     { return s.Delivery.ID == "" }

func (s *open) MarshalMsg(b []byte) ([]byte, error) {
	text, err := json.Marshal(s)
	return append(b, text...), err
}

func (s *open) UnmarshalMsg(b []byte) ([]byte, error) { return nil, json.Unmarshal(b, s) }

// options make the watch operator with a fault, "" for none.
func options(fault string) streamtest.Options {
	calls := 0
	return streamtest.Options{
		Settings: []string{"deadline"},
		Operator: func(s *streamtest.Scenario) (stream.Operator, error) {
			d, err := time.ParseDuration(s.Settings["deadline"])
			if err != nil {
				return nil, fmt.Errorf("set deadline: %w", err)
			}
			fold := watch{event.Time(d.Milliseconds()), fault, &calls}
			return stream.NewKeyed[open, *open](fold), nil
		},
	}
}
