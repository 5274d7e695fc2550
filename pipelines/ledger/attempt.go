package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// otherTries is after how many failures nobody can name one is taken to be
// permanent (runbooks, first step of the class other).
const otherTries = 3

// attempt folds a try to write. A failed one covers the same deliveries as a
// successful one would (design §3, matching).
func (f *folding) attempt(a *event.Attempt) {
	var t *Try
	if f.m != nil && a.RecordKey != "" && event.IsWrite(a.Operation) && a.Granularity != event.GranularityRun {
		t = f.m.tryOf(a)
	}
	var failed *event.Failure
	if a.Failed() {
		failed = f.failure(a, f.firstCovered(t))
	}
	if t == nil {
		return
	}
	if t.TargetID != "" && !t.Failed {
		f.r.TargetID = t.TargetID
	}
	found := false
	f.each(func(o *Open) {
		found = f.tried(o, t) || found
	})
	if found {
		failed = nil // it has its delivery
	}
	if t.ChangeID == "" || !found {
		f.keep(Kept{Try: t, Failure: failed})
	}
}

func (m *mapping) tryOf(a *event.Attempt) *Try {
	t := &Try{
		At: a.OccurredAt, ChangeID: a.ChangeID, TargetID: a.TargetID, Delete: a.Operation == event.OpDelete,
		Failed: a.Failed(), Other: a.Verdict == nil || a.Verdict.Class == event.ClassOther,
		Permanent: a.Verdict != nil && a.Verdict.Recoverability == event.Permanent,
		Reverse:   m.integration.Bidirectional && a.System != "" && a.System == m.integration.Source.System,
	}
	if t.Failed {
		t.Answer = m.answer(a)
	}
	if t.Reverse {
		for i := range m.renamed(a.Fields) {
			t.Fields = append(t.Fields, m.renamed(a.Fields)[i].Name)
		}
		return t
	}
	for i := range a.Fields {
		t.Fields = append(t.Fields, a.Fields[i].Name)
	}
	return t
}

// covers reports whether an attempt belongs to a delivery. One that names its
// change belongs to that alone. To what has arrived, only an attempt from
// before it arrived belongs: its report came after the echo.
func (t *Try) covers(o *Open, skew event.Time) bool {
	switch {
	case t.ChangeID != "":
		return t.ChangeID == o.D.ChangeID
	case t.Reverse != o.D.Reverse:
		return false
	}
	switch o.D.State {
	case event.StateOverwritten:
		return false
	case event.StateApplied, event.StateVerified:
		if t.At > o.D.AppliedAt+skew {
			return false
		}
	}
	return t.Delete == o.isDelete() && o.D.ChangedAt <= t.At+skew && t.writes(o)
}

// writes reports whether an attempt may write one of the wanted fields.
func (t *Try) writes(o *Open) bool {
	if len(o.Wants) == 0 {
		return o.D.State != event.StateSuperseded
	}
	for i := range o.Wants {
		w := &o.Wants[i]
		if !w.current(t.At) {
			continue
		}
		if len(t.Fields) == 0 {
			return true
		}
		if slices.Contains(t.Fields, w.Target) {
			return true
		}
	}
	return false
}

// tried moves one delivery if the attempt belongs to it. What was applied,
// acknowledged or judged missing is not undone by a later failure.
func (f *folding) tried(o *Open, t *Try) bool {
	f.written(o, t)
	if !t.covers(o, f.p.skew) {
		return false
	}
	o.D.Attempts++
	if o.D.FirstAttemptAt == 0 || t.At < o.D.FirstAttemptAt {
		o.D.FirstAttemptAt = t.At
	}
	if t.TargetID != "" && !o.settled() {
		o.D.TargetID = t.TargetID
	}
	if !t.Failed {
		f.acknowledge(o, t)
		return true
	}
	o.Refused++
	o.Answer = t.Answer
	switch o.D.State {
	case event.StateObserved, event.StateAttempted:
		o.D.State = event.StateAttempted
		if t.Permanent || t.Other && o.Refused >= otherTries {
			o.D.State = event.StateFailed
		}
	case event.StateStalled:
		o.D.State = event.StateFailed // something is tried after all, and fails
	}
	return true
}

func (f *folding) acknowledge(o *Open, t *Try) {
	o.Refused, o.Answer = 0, nil
	for i := range o.Wants {
		w := &o.Wants[i]
		w.Named = w.Named || slices.Contains(t.Fields, w.Target)
	}
	if o.D.AcknowledgedAt == 0 || t.At < o.D.AcknowledgedAt {
		o.D.AcknowledgedAt = t.At
	}
	switch o.D.State {
	case event.StateObserved, event.StateAttempted, event.StateFailed, event.StateStalled:
		o.Judge = f.notYet(o.Judge)
	case event.StateAcknowledged:
	default:
		return
	}
	o.D.State = event.StateAcknowledged
	o.D.LatencyMS = int64(o.D.AcknowledgedAt - o.start())
	o.D.LatencyBasis = event.BasisAcknowledged
	o.D.Late = o.D.AcknowledgedAt > o.D.DueAt
}
