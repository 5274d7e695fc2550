package ledger

import "plumbline.dev/schemas/event"

// evidence is what a system was seen to hold: the target's own event, a poll,
// a read-back.
type evidence struct {
	at         event.Time // the fields are true at this instant
	modified   event.Time // when the target's record last changed, 0 = not stated
	received   event.Time
	fields     []event.Field
	whole      bool
	basis      string
	resolution int64
	writer     event.Actor
	missing    bool
	side       string
	targetID   string
	object     [2]string
}

func basisOf(foundBy string) string {
	switch foundBy {
	case event.FoundByPoll, event.FoundByReconcile:
		return event.BasisAppliedPoll
	case event.FoundByReadback:
		return event.BasisAppliedReadback
	}
	return event.BasisAppliedEvent
}

// shown holds what the target shows against what it should.
func (f *folding) shown(e evidence) {
	m := f.l.objects[e.object]
	if m == nil || e.side != event.Target {
		return
	}
	if e.targetID != "" && !e.missing {
		f.r.TargetID = e.targetID
	}
	for i := range f.r.Open {
		f.judge(m, &f.r.Open[i], &e)
	}
	f.sweep()
}

// judge applies evidence to one delivery. Evidence older than the change, or
// than the acknowledgement that claims the write, says nothing about it.
func (f *folding) judge(m *mapping, o *Open, e *evidence) {
	if e.at+skewBound < o.D.ChangedAt {
		return
	}
	if e.missing {
		if o.D.Operation == event.OpDelete {
			f.applied(o, e)
		}
		return
	}
	if o.D.Operation == event.OpDelete {
		return
	}
	news := false
	for i := range o.Wants {
		w := &o.Wants[i]
		shown, ok := event.Find(e.fields, w.Target)
		if !ok || w.Past || w.Shown {
			continue
		}
		news = true
		if m.same(w, shown) {
			w.Shown = true
			continue
		}
		f.differs(m, o, e)
	}
	if (news || len(o.Wants) == 0) && o.covered() {
		f.applied(o, e)
	}
}

// differs notes a value that is not the wanted one: written by the sync user
// it was coerced, by another after the acknowledgement it was overwritten.
func (f *folding) differs(m *mapping, o *Open, e *evidence) {
	if o.D.AcknowledgedAt == 0 {
		return
	}
	written := e.modified
	if written == 0 || written+skewBound < o.D.AcknowledgedAt {
		return
	}
	if m.echoOfOurs(event.Target, e.writer) {
		o.Coerced, o.D.Coerced = true, true
		return
	}
	if e.writer.ID != "" && written > o.D.AcknowledgedAt && o.D.State == event.StateAcknowledged {
		f.finish(o, event.StateOverwritten, e.received)
	}
}

// applied settles a delivery: the target was seen to hold it.
func (f *folding) applied(o *Open, e *evidence) {
	if o.Forget == 0 {
		return // already settled by this evidence
	}
	seen := e.at
	if e.modified != 0 && e.modified <= e.at && e.basis != event.BasisAppliedEvent {
		seen = e.modified
	}
	o.D.AppliedAt, o.D.TargetID, o.D.Coerced = seen, f.r.TargetID, false
	o.D.LatencyMS = int64(seen - o.start())
	o.D.LatencyBasis, o.D.ResolutionMS = e.basis, e.resolution
	o.D.Late = seen > o.D.DueAt
	f.finish(o, event.StateApplied, e.received)
}
