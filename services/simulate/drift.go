package simulate

import (
	"slices"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
)

// gap is a divergence that has begun and not ended.
type gap struct {
	field int // -1: the whole record
	kind  string
	id    string
}

// check compares a record with its copy and notes what begins and what ends to
// differ. Fields with a write still to come are under way, not different.
func (w *world) check(r *pair, cause string, silent bool) {
	row := w.copyOf(r)
	w.gap(r, -1, event.MissingInTarget, row == nil && !r.deleted && r.refused != 0, cause, silent, "", "")
	for j := range r.o.Fields {
		f := &r.o.Fields[j]
		bit := uint32(1) << j
		if row == nil || (r.dirty|r.sending)&bit != 0 && r.refused&bit == 0 {
			continue
		}
		source, target := r.row.Values[f.Source], row.Values[f.Target]
		equal, _ := same(f, source, target)
		kind := event.ValueMismatch
		if cause == causeDrop || r.refused&bit != 0 {
			kind = event.Stale
		}
		w.gap(r, j, kind, !equal && !r.deleted, cause, silent, source, target)
	}
}

// gap begins or ends one divergence.
func (w *world) gap(r *pair, field int, kind string, differs bool, cause string, silent bool, source, target string) {
	i := slices.IndexFunc(r.open, func(g gap) bool { return g.field == field })
	l := truth.Line{
		Object: r.o.Name, SourceID: r.row.ID, Cause: cause, Silent: silent, Source: source, Target: target,
	}
	if row := w.copyOf(r); row != nil {
		l.TargetID = row.ID
	}
	if field >= 0 {
		l.Field = r.o.Fields[field].Source
	}
	switch {
	case differs && i < 0:
		l.Kind, l.Type, l.ID = truth.Divergence, kind, event.DivergenceID(w.o.Integration.ID, r.o.Name, r.row.ID, l.Field, kind)
		r.open = append(r.open, gap{field, kind, l.ID})
	case !differs && i >= 0:
		l.Kind, l.Type, l.ID, l.Silent, l.Cause = truth.Resolved, r.open[i].kind, r.open[i].id, false, ""
		r.open = slices.Delete(r.open, i, i+1)
	default:
		return
	}
	w.note(l)
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
