package ledger

import (
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// attempt folds a try to write. A failed one covers the same deliveries as a
// successful one would (design §3, matching).
func (f *folding) attempt(a *event.Attempt) {
	if a.Failed() {
		f.l.enrich(a)
	}
	covered := f.cover(a)
	if a.Failed() {
		f.failure(a, covered)
	}
	if a.RecordKey == "" || !event.IsWrite(a.Operation) {
		return
	}
	if a.TargetID != "" && !a.Failed() {
		f.r.TargetID = a.TargetID
	}
	for _, i := range covered {
		f.tried(&f.r.Open[i], a)
	}
}

// cover finds the deliveries an attempt belongs to.
func (f *folding) cover(a *event.Attempt) []int {
	if a.RecordKey == "" || !event.IsWrite(a.Operation) || a.Granularity == event.GranularityRun {
		return nil
	}
	var out []int
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if a.ChangeID != "" {
			if o.D.ChangeID == a.ChangeID {
				out = append(out, i)
			}
			continue
		}
		if o.D.ChangedAt <= a.OccurredAt+skewBound && intersects(o.Wants, a.Fields) {
			out = append(out, i)
		}
	}
	return out
}

// intersects reports whether an attempt writes one of the wanted fields; an
// attempt that names none may have written all.
func intersects(wants []Want, fields []event.Field) bool {
	if len(fields) == 0 || len(wants) == 0 {
		return true
	}
	for i := range wants {
		if _, ok := event.Find(fields, wants[i].Target); ok && !wants[i].Past {
			return true
		}
	}
	return false
}

// tried moves one delivery. What was applied or judged missing is not undone
// by a later failure; a later success heals it.
func (f *folding) tried(o *Open, a *event.Attempt) {
	o.D.Attempts++
	if o.D.FirstAttemptAt == 0 || a.OccurredAt < o.D.FirstAttemptAt {
		o.D.FirstAttemptAt = a.OccurredAt
	}
	if a.TargetID != "" {
		o.D.TargetID = a.TargetID
	}
	o.Refused = a.Failed()
	switch {
	case !a.Failed():
		f.acknowledge(o, a)
	case o.D.State == event.StateAcknowledged:
		// a retry of what was already acknowledged: the acknowledgement stands
	case a.Verdict != nil && a.Verdict.Recoverability == event.Permanent:
		o.D.State = event.StateFailed
	case o.D.State == event.StateObserved:
		o.D.State = event.StateAttempted
	}
	f.emit(o, a.ReceivedAt)
}

func (f *folding) acknowledge(o *Open, a *event.Attempt) {
	if o.D.AcknowledgedAt == 0 {
		o.D.AcknowledgedAt = a.OccurredAt
	}
	switch o.D.State {
	case event.StateApplied, event.StateVerified, event.StateNotApplied, event.StateOverwritten:
		return
	}
	o.D.State = event.StateAcknowledged
	o.D.LatencyMS = int64(o.D.AcknowledgedAt - o.start())
	o.D.LatencyBasis = event.BasisAcknowledged
	o.D.Late = o.D.AcknowledgedAt > o.D.DueAt
}

// start is where latency counts from: the vendor's time of the change, or
// receipt where it states none.
func (o *Open) start() event.Time {
	if o.D.StartBasis == event.TimeReceived {
		return o.D.ReceivedAt
	}
	return o.D.ChangedAt
}

// failure tells of a failed attempt, linked to the first delivery it covers.
func (f *folding) failure(a *event.Attempt, covered []int) {
	v := event.Verdict{Class: event.ClassOther, Recoverability: event.Temporary, Attribution: event.ByUnknown}
	if a.Verdict != nil {
		v = *a.Verdict
	}
	fail := &event.Failure{
		ID: event.Hash("failure", a.Integration, a.ID), Tenant: a.Tenant, Integration: a.Integration,
		AttemptID: a.ID, DeliveryID: a.DeliveryID, RecordKey: a.RecordKey, SourceID: a.SourceID, TargetID: a.TargetID,
		Provider: a.System, Object: a.Object, Operation: a.Operation, OccurredAt: a.OccurredAt, ReceivedAt: a.ReceivedAt,
		Origin: event.OriginError, Status: a.Status, Code: a.Code, Message: a.Message, Actor: a.Actor, Token: a.Token,
		Verdict: v, Version: f.ctx.Version,
	}
	if fail.DeliveryID == "" && len(covered) > 0 {
		fail.DeliveryID = f.r.Open[covered[0]].D.ID
	}
	f.out.Emit(topic.Failures, event.RecordKey(a.Integration, a.Object, a.RecordKey), fail)
}
