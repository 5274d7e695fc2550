package ledger

import (
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// failure tells of a failed attempt, linked to a delivery it covers.
func (f *folding) failure(a *event.Attempt, deliveryID string) *event.Failure {
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
	if fail.DeliveryID == "" {
		fail.DeliveryID = deliveryID
	}
	f.out.Emit(topic.Failures, event.RecordKey(a.Integration, a.Object, a.RecordKey), fail)
	if fail.DeliveryID != "" {
		return nil
	}
	return fail
}

// claim names the delivery of a failure that was told before it opened.
func (f *folding) claim(k *Kept, o *Open) {
	fail := *k.Failure
	k.Failure = nil
	fail.DeliveryID, fail.Version = f.deliveryID(o), f.ctx.Version
	f.out.Emit(topic.Failures, f.whole, &fail)
}

// firstCovered is the oldest delivery that a failed attempt holds up.
func (f *folding) firstCovered(t *Try) string {
	if t == nil {
		return ""
	}
	for i := range f.r.Open {
		if t.covers(&f.r.Open[i], f.p.skew) {
			return f.deliveryID(&f.r.Open[i])
		}
	}
	return ""
}
