package simulate

import (
	"slices"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
)

// Causes of divergences that no fault of a scenario stands for.
const (
	causeEdited  = "edited_in_target"
	causeCreated = "created_in_target"
	causeLate    = "not_delivered" // nobody's fault is known
)

// gap is a divergence that has begun and not ended.
type gap struct {
	field int // -1: the whole record
	kind  string
	id    string
	by    *episode // the fault that began it, if one did
}

// answers puts what a write was to make equal on the fault that struck it, or
// on none: whatever kept an older value back is over (kpis.md 3, superseded).
func (r *pair) answers(mask uint32, e *episode) {
	for i := range r.open {
		if g := &r.open[i]; g.field >= 0 && mask&(1<<g.field) != 0 {
			g.by = e
		}
	}
}

// reason is why a record differs: a fault, or a cause in a word.
type reason struct {
	fault *episode
	cause string
	due   bool // a deadline passed
}

// silent: the sync said that all is well. What somebody edited afterwards is
// drift, and nobody's failure.
func (r reason) silent() bool {
	if r.fault != nil {
		return r.fault.kind.Silent
	}
	return r.cause == scenario.AckAndDrop || r.cause == scenario.Coerced
}

func (r reason) text() string {
	if r.fault != nil {
		return r.fault.Fault.Fault
	}
	return r.cause
}

// check compares a record with its copy and notes what begins and what ends to
// differ. Fields with a write still to come are under way, not different,
// until the deadline of their newest save has passed.
func (w *world) check(r *pair, e *episode, cause string) {
	if r.forsaken {
		return
	}
	why := reason{fault: e, cause: cause}
	row := w.counterpart(r)
	w.checkRecord(r, row, why)
	for j := range r.o.Fields {
		f := &r.o.Fields[j]
		bit := uint32(1) << j
		under := (r.dirty|r.sending)&bit != 0 && (r.refused|r.late)&bit == 0
		switch {
		case row == nil, r.deleted && r.overdue: // what is not there has no fields
			w.gap(r, j, event.ValueMismatch, false, why, "", "")
			continue
		case under, r.deleted, r.o.target.Field(f.Target) == nil:
			continue
		}
		source, target := r.row.Values[f.Source], row.Values[f.Target]
		equal, _ := same(f, source, target)
		if equal {
			r.claimed &^= bit
		}
		kind := event.ValueMismatch
		why.due = r.late&bit != 0
		if why.text() == scenario.AckAndDrop || (r.refused|r.late)&bit != 0 {
			kind = event.Stale
		}
		w.gap(r, j, kind, !equal && (!stands(f, target) || r.claimed&bit != 0), why, source, target)
	}
	struck := len(r.open) > 0
	if struck {
		w.faults.harm(e, r)
	}
	if r.dirty == 0 && r.refused == 0 && r.sending == 0 && !r.doubled {
		w.faults.heal(r, e, struck)
	}
}

// held lists the fields of a save that the copy holds already, where no call
// under way takes them away.
func (w *world) held(r *pair, mask uint32) []string {
	row := w.counterpart(r)
	if row == nil {
		return nil
	}
	held := uint32(0)
	for j := range r.o.Fields {
		f := &r.o.Fields[j]
		equal, _ := same(f, r.row.Values[f.Source], row.Values[f.Target])
		if equal && r.o.target.Field(f.Target) != nil {
			held |= 1 << j
		}
	}
	return r.o.names(held&mask&^r.sending, false)
}

// checkRecord sees whether one system has the record and the other has not.
func (w *world) checkRecord(r *pair, row *crm.Row, why reason) {
	why.due = r.overdue
	kind, differs := event.MissingInTarget, row == nil && !r.deleted && (r.refused != 0 || r.overdue)
	if r.deleted {
		kind, differs = event.MissingInSource, row != nil && r.overdue
	}
	if slices.ContainsFunc(r.open, func(g gap) bool { return g.field < 0 && g.kind != kind }) {
		w.gap(r, -1, kind, false, why, "", "")
	}
	w.gap(r, -1, kind, differs, why, "", "")
}

// stands reports whether the field's rule lets the target keep what it has.
// Only a sync that says it wrote the field all the same makes that a
// difference.
func stands(f *config.FieldMap, target string) bool {
	return f.Rule == "target_wins" || f.Rule == "target_unless_blank" && target != ""
}

// divergence is a line about a record, but for what differs.
func (w *world) divergence(r *pair, e *episode) truth.Line {
	l := truth.Line{Object: r.o.Name, SourceID: r.row.ID}
	if row := w.counterpart(r); row != nil {
		l.TargetID = row.ID
	}
	if e != nil {
		l.Cause, l.Fault, l.Silent, l.Class = e.Fault.Fault, e.id, e.kind.Silent, e.kind.Class
	}
	return l
}

// gap begins or ends one divergence.
func (w *world) gap(r *pair, field int, kind string, differs bool, why reason, source, target string) {
	i := slices.IndexFunc(r.open, func(g gap) bool { return g.field == field })
	l := w.divergence(r, why.fault)
	l.Cause, l.Silent, l.Source, l.Target = why.text(), why.silent(), source, target
	if field >= 0 {
		f := &r.o.Fields[field]
		l.Field = f.Source
		_, l.Difference = same(f, source, target)
	}
	switch {
	case differs && i < 0:
		l.Due = why.due
		l.Kind, l.Type, l.ID = truth.Divergence, kind, event.DivergenceID(w.in.ID, r.o.Name, r.row.ID, l.Field, kind)
		r.open = append(r.open, gap{field, kind, l.ID, why.fault})
	case !differs && i >= 0:
		l.Kind, l.Type, l.ID = truth.Resolved, r.open[i].kind, r.open[i].id
		l.Silent, l.Cause, l.Fault, l.Class, l.Difference = false, "", "", "", ""
		r.open = slices.Delete(r.open, i, i+1)
	default:
		return
	}
	w.note(l)
}

// wait starts the deadline of a save: one that is not taken by then makes the
// record differ, whatever is still planned. A newer save of a field begins
// anew, as nobody waits for the older value any more.
func (w *world) wait(r *pair, mask uint32) {
	if r.saved == nil {
		r.saved = make([]int64, len(r.o.Fields))
	}
	for j := range r.saved {
		if mask&(1<<j) != 0 {
			r.saved[j] = w.Now()
		}
	}
	r.late &^= mask
	began := r.since == 0
	if began {
		r.since = w.Now()
	}
	at := w.Now()
	w.After(time.Duration(w.in.Deadline), func() { w.due(r, at, mask, began) })
}

// overdue marks the fields of a write that is planned after the deadline of their
// newest save, and reports whether there are any.
func (w *world) overdue(r *pair, mask uint32) bool {
	late := uint32(0)
	for j := range r.saved {
		if at := r.saved[j]; mask&(1<<j) != 0 && at != 0 && at+time.Duration(w.in.Deadline).Milliseconds() <= w.Now() {
			late |= 1 << j
		}
	}
	r.late |= late
	r.overdue = r.overdue || late != 0 && w.counterpart(r) == nil
	return late != 0
}

// due hears that the deadline of a save has passed.
func (w *world) due(r *pair, at int64, mask uint32, first bool) {
	late := uint32(0)
	for j := range r.saved {
		if mask&(1<<j) != 0 && r.saved[j] == at {
			late |= 1 << j & (r.dirty | r.sending)
		}
	}
	overdue := first && r.since == at
	if late == 0 && !overdue {
		return
	}
	r.late |= late
	r.overdue = r.overdue || overdue
	w.check(r, w.blocking(r), causeLate)
}

// blocking is the fault that holds a record's save back.
func (w *world) blocking(r *pair) *episode {
	for _, e := range []*episode{r.outside, w.faults.stopped(), r.hurtBy} {
		if e != nil {
			return e
		}
	}
	for _, kind := range []string{scenario.SlowWorker, scenario.BrownOut} {
		if e := w.faults.on(kind); e != nil {
			return e
		}
	}
	return nil
}

// arrived ends the wait of a record of which nothing is to be written.
func (r *pair) arrived() {
	if r.dirty == 0 && r.sending == 0 {
		r.since, r.overdue, r.late = 0, false, 0
	}
}

// coerce is another value that the org stores in place of v: cut short,
// rounded, or the picklist's default.
func coerce(f *config.FieldMap, v string) string {
	switch f.Compare {
	case value.Text:
		if n := []rune(v); len(n) > 6 {
			return string(n[:len(n)-3])
		}
	case value.Number:
		if len(v) > 3 {
			return v[:len(v)-3] + "000"
		}
	case value.Picklist:
		if d := f.Map[options(f)[0]]; v != "" {
			return d
		}
	}
	return v
}
