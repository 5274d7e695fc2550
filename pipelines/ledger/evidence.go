package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// echoed is a system's own event as evidence.
func echoed(m *mapping, c *event.Change) *Evidence {
	e := &Evidence{
		At: c.ChangedAt, Modified: c.ChangedAt, Basis: event.BasisAppliedEvent, FoundBy: event.FoundByEcho, Writer: c.Actor,
		Source: c.Side == event.Source, Event: true, Missing: c.Operation == event.OpDelete, Merged: c.Operation == event.OpMerge,
	}
	e.hold(m, c.RecordID, c.Fields)
	return e
}

// observed is the answer of a system that was asked.
func observed(m *mapping, b *event.Observation) *Evidence {
	e := &Evidence{
		At: b.ObservedAt, Modified: b.ModifiedAt, Basis: basisOf(b.FoundBy), FoundBy: b.FoundBy, Resolution: b.ResolutionMS,
		Writer: b.Writer, Source: b.Side == event.Source, Event: b.FoundBy == event.FoundByEcho, Whole: b.Whole, Missing: b.Missing,
	}
	e.hold(m, b.RecordID, b.Fields)
	return e
}

func (e *Evidence) hold(m *mapping, recordID string, fields []event.Field) {
	if e.Source {
		e.Fields = m.renamed(fields)
		return
	}
	e.Fields, e.TargetID = m.mapped(fields), recordID
}

func (e *Evidence) side() string {
	if e.Source {
		return event.Source
	}
	return event.Target
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

// shown holds what a system shows against what it should.
func (f *folding) shown(e *Evidence) {
	if f.weigh(e) {
		f.compare(e)
	}
}

// weigh judges every delivery by the evidence. It reports false for evidence
// of another record.
func (f *folding) weigh(e *Evidence) bool {
	if f.rival(e) || f.former(e) {
		return false
	}
	if e.TargetID != "" && !e.Missing {
		f.r.TargetID = e.TargetID
	}
	f.r.Memory.learn(e, f.matters)
	f.each(func(o *Open) { f.judge(o, e) })
	f.keep(Kept{Evidence: e})
	return true
}

// matters reports whether some delivery is about the field.
func (f *folding) matters(name string) bool {
	return slices.ContainsFunc(f.r.Open, func(o Open) bool { return o.wants(name) })
}

// judge applies evidence to one delivery. Evidence older than the change, or
// than the attempt that claims the write, says nothing about it.
func (f *folding) judge(o *Open, e *Evidence) {
	switch {
	case o.D.Reverse != e.Source:
		f.undone(o, e)
	case o.D.State == event.StateSuperseded && e.Event && e.At+f.p.skew >= max(o.D.ChangedAt, o.D.FirstAttemptAt):
		f.arrived(o, e)
	case o.D.State == event.StateOverwritten:
		f.taken(o, e)
	case o.settled():
		f.verify(o, e)
	case e.At+f.p.skew < max(o.D.ChangedAt, o.D.FirstAttemptAt):
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
		o.see(e, f.p.skew)
		f.applied(o)
		return
	}
	f.never(o, e)
	f.prove(o, e, "")
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
		if e.Modified == 0 || e.Modified+f.p.skew < o.D.ChangedAt {
			return
		}
	}
	o.see(e, f.p.skew)
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
		if f.m.same(o, w, shown) {
			w.Shown = true
			o.see(e, f.p.skew)
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
		f.overwritten(o)
	}
}

// overwritten settles a delivery of which somebody else's value stands. What
// only a rule lets stand the sync may write all the same.
func (f *folding) overwritten(o *Open) {
	f.settle(o, event.StateOverwritten)
	if slices.ContainsFunc(o.Wants, func(w Want) bool { return w.Over && f.m.lets(w.Target) }) {
		o.Forget = f.clock + f.p.keep
	}
}

// differs judges a value that is not the wanted one. Only an acknowledgement
// claims that the target took it, so without one this proves nothing; nor
// does a write that nobody is known to have made, or one of another field.
// Where nobody reports attempts, the sync's own write of the field after the
// change is as good as one; a write of the record is not.
func (f *folding) differs(o *Open, w *Want, shown event.Value, e *Evidence) {
	claimed := o.D.AcknowledgedAt
	if claimed == 0 && f.m.silent() {
		claimed = o.D.ChangedAt
	}
	last := f.r.Memory.wrote(e, w.Target, shown)
	others, known := f.m.others(e.side(), last.by), last.still || last.at != 0
	switch {
	case o.D.State == event.StateNotApplied:
	case !o.D.Reverse && known && !w.Named && f.m.stands(w.Target, shown) && (others || last.still):
		w.Over = true // by the field's own rule
	case !known || claimed == 0:
	case last.still || last.at+f.p.skew < claimed:
		f.never(o, e)
	case o.D.AcknowledgedAt == 0 && last.guess:
	case f.m.ours(e.side(), last.by):
		if f.earlierWrite(o, w, shown) {
			return
		}
		o.Coerced = true
		w.Saw = &Saw{shown, e.At, last.at, last.by}
		if o.D.State == event.StateUnobserved || o.D.State == event.StateStalled {
			o.missed()
		}
	case others && o.D.AcknowledgedAt != 0 && last.at > o.D.AcknowledgedAt && !o.Coerced:
		w.Over = true
	}
	f.prove(o, e, w.Target)
}

// taken sees whether the target took after all what the field's rule had let it
// keep: then it was delivered, however late.
func (f *folding) taken(o *Open, e *Evidence) {
	if e.Missing || e.At+f.p.skew < max(o.D.ChangedAt, o.D.FirstAttemptAt) {
		return
	}
	for i := range o.Wants {
		w := &o.Wants[i]
		shown, ok := event.Find(e.Fields, w.Target)
		if ok && w.Over && !w.Past && f.m.lets(w.Target) && f.m.same(o, w, shown) {
			w.Shown, w.Over = true, false
			o.see(e, f.p.skew)
		}
	}
	if o.outcome() == event.StateApplied {
		f.applied(o)
	}
}

// written opens a delivery again that the field's rule had ended: an
// acknowledged attempt says that it wrote the field all the same.
func (f *folding) written(o *Open, t *Try) {
	if o.D.State != event.StateOverwritten || t.Failed || t.Reverse != o.D.Reverse || o.D.ChangedAt > t.At+f.p.skew {
		return
	}
	for i := range o.Wants {
		w := &o.Wants[i]
		if w.Over && !w.Past && f.m.lets(w.Target) && slices.Contains(t.Fields, w.Target) {
			w.Over, o.D.State = false, event.StateObserved
			o.Judge = f.notYet(o.D.DueAt)
			o.Forget = o.Judge + healFor
		}
	}
}

// earlierWrite reports whether an older change wanted the value that is
// shown: then it is that one's echo, and no coercion.
func (f *folding) earlierWrite(o *Open, w *Want, shown event.Value) bool {
	for i := range f.r.Open {
		older := &f.r.Open[i]
		if older.D.ChangeID == o.D.ChangeID || older.D.Reverse != o.D.Reverse || older.D.ChangedAt > o.D.ChangedAt {
			continue
		}
		for j := range older.Wants {
			if older.Wants[j].Target == w.Target && f.m.same(older, &older.Wants[j], shown) {
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

// gone judges a record that the other system does not hold, for a change that
// should be in it.
func (f *folding) gone(o *Open, e *Evidence) {
	f.never(o, e)
	if e.Event && o.D.AcknowledgedAt != 0 && e.At > o.D.AcknowledgedAt && f.m.others(e.side(), e.Writer) &&
		o.D.State != event.StateNotApplied {
		f.settle(o, event.StateOverwritten)
		return
	}
	f.prove(o, e, "")
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
		o.D.VerifiedAt, o.D.State = e.At, event.StateVerified
		o.Forget = max(o.Forget, f.clock+f.m.recent)
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
		if !ok || !f.m.same(o, w, shown) {
			return false
		}
		compared++
	}
	return compared > 0
}

// see remembers when the target was first known to hold what it shows. A
// record untouched since before the change held it all along.
func (o *Open) see(e *Evidence, skew event.Time) {
	at := e.At
	switch {
	case e.Event || e.Modified == 0 || e.Modified > e.At || e.Missing:
	case e.Modified+skew < o.D.ChangedAt:
		at = o.start()
	default:
		at = e.Modified
	}
	if o.SeenBasis == "" || at >= o.SeenAt {
		o.SeenAt, o.SeenBasis, o.Resolution = at, e.Basis, e.Resolution
	}
}

// applied settles a delivery: the other system was seen to hold it.
func (f *folding) applied(o *Open) {
	if f.r.TargetID != "" && !o.D.Reverse {
		o.D.TargetID = f.r.TargetID
	}
	o.D.AppliedAt, o.D.Coerced = o.SeenAt, false // it took the value in the end
	o.D.LatencyMS = int64(o.SeenAt - o.start())
	o.D.LatencyBasis, o.D.ResolutionMS = o.SeenBasis, o.Resolution
	o.D.Late, o.D.SkewMS = o.SeenAt > o.D.DueAt, f.p.shown
	f.settle(o, event.StateApplied)
	o.Forget = f.clock + f.p.keep
	if o.D.Series == "" && o.D.LatencyMS >= 0 && !o.D.Reverse {
		f.sample = append(f.sample, sample{ofLatency, o.D.LatencyMS})
	}
}
