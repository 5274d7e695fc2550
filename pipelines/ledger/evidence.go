package ledger

import "plumbline.dev/schemas/event"

// echoed is the target's own event as evidence.
func echoed(m *mapping, c *event.Change) *Evidence {
	return &Evidence{
		At: c.ChangedAt, Modified: c.ChangedAt, Fields: m.mapped(c.Fields), Basis: event.BasisAppliedEvent,
		Writer: c.Actor, TargetID: c.RecordID, Event: true, Missing: c.Operation == event.OpDelete,
		Merged: c.Operation == event.OpMerge,
	}
}

// observed is the answer of a system that was asked.
func observed(m *mapping, b *event.Observation) *Evidence {
	return &Evidence{
		At: b.ObservedAt, Modified: b.ModifiedAt, Fields: m.mapped(b.Fields), Basis: basisOf(b.FoundBy),
		Resolution: b.ResolutionMS, Writer: b.Writer, TargetID: b.RecordID, Event: b.FoundBy == event.FoundByEcho,
		Whole: b.Whole, Missing: b.Missing,
	}
}

func basisOf(foundBy string) string {
	switch foundBy {
	case event.FoundByReadback:
		return event.BasisAppliedReadback
	case event.FoundByEcho:
		return event.BasisAppliedEvent
	}
	return event.BasisAppliedPoll
}

// shown holds what the target shows against what it should.
func (f *folding) shown(e *Evidence) {
	if e.TargetID != "" && !e.Missing {
		f.r.TargetID = e.TargetID
	}
	f.each(func(o *Open) { f.judge(o, e) })
	f.keep(Kept{Evidence: e})
}

// judge applies evidence to one delivery. Evidence older than the change, or
// than the attempt that claims the write, says nothing about it.
func (f *folding) judge(o *Open, e *Evidence) {
	switch {
	case o.settled():
		f.verify(o, e)
	case e.At+skewBound < max(o.D.ChangedAt, o.D.FirstAttemptAt):
	case o.isDelete():
		f.judgeDelete(o, e)
	case e.Missing:
		f.gone(o, e)
	case len(o.Wants) == 0:
		f.judgeSign(o, e)
	default:
		f.judgeFields(o, e)
	}
}

func (f *folding) judgeDelete(o *Open, e *Evidence) {
	if e.Missing {
		o.see(e)
		f.applied(o)
		return
	}
	f.never(o, e)
}

// judgeSign judges a change that names no field. That the record is there is
// enough for one that made it; an update has to show a write, a merge a merge.
func (f *folding) judgeSign(o *Open, e *Evidence) {
	switch o.D.Operation {
	case event.OpCreate, event.OpRestore:
	case event.OpMerge:
		if !e.Merged {
			return
		}
	default:
		if e.Modified == 0 || e.Modified+skewBound < o.D.ChangedAt {
			return
		}
	}
	o.see(e)
	f.applied(o)
}

func (f *folding) judgeFields(o *Open, e *Evidence) {
	news := false
	for i := range o.Wants {
		w := &o.Wants[i]
		shown, ok := event.Find(e.Fields, w.Target)
		if !ok || !w.pending() {
			continue
		}
		news = true
		if f.m.same(w, shown) {
			w.Shown = true
			o.see(e)
			continue
		}
		f.differs(o, w, shown, e)
	}
	if !news {
		return
	}
	switch o.outcome() {
	case event.StateApplied:
		f.applied(o)
	case event.StateOverwritten:
		f.settle(o, event.StateOverwritten)
	}
}

// differs judges a value that is not the wanted one. Only an acknowledgement
// claims that the target took it, so without one this proves nothing; nor
// does a write that nobody is known to have made.
func (f *folding) differs(o *Open, w *Want, shown event.Value, e *Evidence) {
	switch {
	case o.D.AcknowledgedAt == 0 || e.Modified == 0 || o.D.State == event.StateNotApplied:
	case e.Modified+skewBound < o.D.AcknowledgedAt:
		f.never(o, e)
	case f.m.ours(event.Target, e.Writer):
		if f.earlierWrite(o, w, shown) {
			return
		}
		o.Coerced = true
		if o.D.State == event.StateUnobserved {
			o.missed()
		}
	case f.m.others(event.Target, e.Writer) && e.Modified > o.D.AcknowledgedAt && !o.Coerced:
		w.Over = true
	}
}

// earlierWrite reports whether an older change wanted the value that is
// shown: then it is that one's echo, and no coercion.
func (f *folding) earlierWrite(o *Open, w *Want, shown event.Value) bool {
	for i := range f.r.Open {
		older := &f.r.Open[i]
		if older.D.ID == o.D.ID || older.D.ChangedAt > o.D.ChangedAt {
			continue
		}
		for j := range older.Wants {
			if older.Wants[j].Target == w.Target && f.m.same(&older.Wants[j], shown) {
				return true
			}
		}
	}
	return false
}

// never takes an answer from after the deadline as proof that the target did
// not take what it acknowledged.
func (f *folding) never(o *Open, e *Evidence) {
	if e.Event || e.At < o.D.DueAt || o.D.AcknowledgedAt == 0 {
		return
	}
	o.D.State = event.StateNotApplied
}

// gone judges a record that the target does not hold, for a change that
// should be in it.
func (f *folding) gone(o *Open, e *Evidence) {
	f.never(o, e)
	if e.Event && o.D.AcknowledgedAt != 0 && e.At > o.D.AcknowledgedAt && f.m.others(event.Target, e.Writer) &&
		o.D.State != event.StateNotApplied {
		f.settle(o, event.StateOverwritten)
	}
}

// verify takes a later comparison of the whole record.
func (f *folding) verify(o *Open, e *Evidence) {
	if o.D.State != event.StateApplied || e.At <= o.D.AppliedAt || e.Event {
		return
	}
	equal := o.isDelete() && e.Missing
	if e.Whole && !e.Missing {
		equal = f.holds(o, e)
	}
	if equal {
		o.D.VerifiedAt = e.At
		f.settle(o, event.StateVerified)
	}
}

// holds reports whether the record shows every field nobody replaced since.
func (f *folding) holds(o *Open, e *Evidence) bool {
	compared := 0
	for i := range o.Wants {
		w := &o.Wants[i]
		if w.Past || w.Over {
			continue
		}
		shown, ok := event.Find(e.Fields, w.Target)
		if !ok || !f.m.same(w, shown) {
			return false
		}
		compared++
	}
	return compared > 0
}

// see remembers when the target was first known to hold what it shows. A
// record untouched since before the change held it all along.
func (o *Open) see(e *Evidence) {
	at := e.At
	switch {
	case e.Event || e.Modified == 0 || e.Modified > e.At || e.Missing:
	case e.Modified+skewBound < o.D.ChangedAt:
		at = o.start()
	default:
		at = e.Modified
	}
	if o.SeenBasis == "" || at >= o.SeenAt {
		o.SeenAt, o.SeenBasis, o.Resolution = at, e.Basis, e.Resolution
	}
}

// applied settles a delivery: the target was seen to hold it.
func (f *folding) applied(o *Open) {
	if f.r.TargetID != "" {
		o.D.TargetID = f.r.TargetID
	}
	o.D.AppliedAt, o.D.Coerced = o.SeenAt, false // it took the value in the end
	o.D.LatencyMS = int64(o.SeenAt - o.start())
	o.D.LatencyBasis, o.D.ResolutionMS = o.SeenBasis, o.Resolution
	o.D.Late = o.SeenAt > o.D.DueAt
	f.settle(o, event.StateApplied)
}
