package simulate

import (
	"slices"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
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

// reason is why a record differs: a fault, or a cause in a word.
type reason struct {
	fault *episode
	cause string
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
// until their deadline has passed.
func (w *world) check(r *pair, e *episode, cause string) {
	if r.forsaken {
		return
	}
	why := reason{e, cause}
	row := w.copyOf(r)
	w.gap(r, -1, event.MissingInTarget, row == nil && !r.deleted && (r.refused != 0 || r.overdue), why, "", "")
	for j := range r.o.Fields {
		f := &r.o.Fields[j]
		bit := uint32(1) << j
		under := (r.dirty|r.sending)&bit != 0 && r.refused&bit == 0 && !r.overdue
		if row == nil || under || r.o.target.Field(f.Target) == nil {
			continue
		}
		source, target := r.row.Values[f.Source], row.Values[f.Target]
		equal, _ := same(f, source, target)
		kind := event.ValueMismatch
		if why.text() == scenario.AckAndDrop || r.refused&bit != 0 || r.overdue {
			kind = event.Stale
		}
		w.gap(r, j, kind, !equal && !r.deleted, why, source, target)
	}
	struck := len(r.open) > 0
	if struck {
		w.faults.harm(e, r)
	}
	if r.dirty == 0 && r.refused == 0 && r.sending == 0 && !r.doubled {
		w.faults.heal(r, e, struck)
	}
}

// divergence is a line about a record, but for what differs.
func (w *world) divergence(r *pair, e *episode) truth.Line {
	l := truth.Line{Object: r.o.Name, SourceID: r.row.ID}
	if row := w.copyOf(r); row != nil {
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
// record differ, whatever is still planned.
func (w *world) wait(r *pair) {
	if r.since != 0 {
		return
	}
	r.since = w.Now()
	since, deadline := r.since, time.Duration(w.in.Deadline)
	w.After(deadline, func() {
		if r.since != since || r.deleted || r.overdue {
			return
		}
		r.overdue = true
		e := w.blocking(r)
		w.check(r, e, causeLate)
	})
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
		r.since, r.overdue = 0, false
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
