package ledger

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// held is what one system is known to hold: of a field, or the record itself.
type held struct {
	known  bool
	gone   bool // the record is not there
	value  event.Value
	at     event.Time // it was true then
	moved  event.Time // it is so since then, 0 = not known
	still  bool       // it has not moved since the record is followed
	guess  bool       // moved and writer are the record's, not known to be the field's
	writer event.Actor
}

// learn takes the newer word. A value that is the same as before has not moved.
func (h *held) learn(n held) {
	n.known = true
	if h.known && h.value == n.value && h.gone == n.gone {
		switch {
		case n.moved == 0 && h.moved != 0:
			n.moved, n.writer, n.still, n.guess = h.moved, h.writer, h.still, h.guess
		case n.writer == (event.Actor{}) && n.moved >= h.moved-toldWithin && n.moved <= h.moved+toldWithin: // of the same save
			n.writer = h.writer
		case h.moved == 0 && n.moved != 0 && n.at < h.at:
			h.moved, h.writer, h.still, h.guess = n.moved, n.writer, n.still, n.guess
		}
	}
	if !h.known || n.at >= h.at {
		*h = n
	}
}

// keep fills in what is known already of a value that has not changed.
func (h *held) keep(value event.Value, moved event.Time, writer event.Actor) {
	if h.moved == 0 && h.value == value {
		h.moved = moved
		if h.writer == (event.Actor{}) {
			h.writer = writer
		}
	}
}

// since is the best word for when the value came to be.
func (h *held) since() event.Time {
	if h.moved != 0 || h.still {
		return h.moved
	}
	return h.at
}

// field is what a system is known to hold in a field: the newest of its
// changes, of what it showed of late, and of what an open divergence says.
func (f *folding) field(name string, source bool) held {
	var h held
	for i := range f.r.Gaps {
		if g := &f.r.Gaps[i]; g.Target == name && source {
			h.learn(held{value: g.D.SourceValue, at: g.SourceSeen, moved: g.D.SourceModifiedAt, writer: g.D.SourceWriter})
		} else if g.Target == name {
			h.learn(held{value: g.D.TargetValue, at: g.TargetSeen, moved: g.D.TargetModifiedAt, writer: g.D.TargetWriter})
		}
	}
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if o.D.Reverse == source {
			continue
		}
		for j := range o.Wants {
			if w := &o.Wants[j]; w.Target == name {
				h.learn(held{value: w.Value, at: o.D.ChangedAt, moved: o.D.ChangedAt, writer: o.D.Actor})
			}
		}
	}
	for i := range f.r.Kept {
		e := f.r.Kept[i].Evidence
		if e == nil || e.Source != source {
			continue
		}
		if v, ok := event.Find(e.Fields, name); ok {
			last := f.r.Memory.wrote(e, name, v)
			if last.by == (event.Actor{}) && !last.still {
				last.by = e.Writer
			}
			h.learn(held{value: v, at: e.At, moved: last.at, writer: last.by, still: last.still, guess: last.guess})
		}
	}
	return h
}

// record is whether a system is known to hold the record.
func (f *folding) record(source bool) held {
	var h held
	for i := range f.r.Gaps {
		g := &f.r.Gaps[i]
		switch {
		case g.D.Kind == event.Duplicate:
		case source:
			h.learn(held{gone: g.D.Kind == event.MissingInSource, at: g.SourceSeen, moved: g.D.SourceModifiedAt})
		default:
			h.learn(held{gone: g.D.Kind == event.MissingInTarget, at: g.TargetSeen, moved: g.D.TargetModifiedAt})
		}
	}
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o.D.Reverse != source {
			h.learn(held{gone: o.isDelete(), at: o.D.ChangedAt, moved: o.D.ChangedAt, writer: o.D.Actor})
		} else if o.D.AppliedAt != 0 {
			h.learn(held{gone: o.isDelete(), at: o.D.AppliedAt, moved: o.D.AppliedAt})
		}
	}
	for i := range f.r.Kept {
		if e := f.r.Kept[i].Evidence; e != nil && e.Source == source {
			h.learn(held{gone: e.Missing, at: e.At, moved: e.Modified, writer: e.Writer})
		}
	}
	return h
}

// inFlight reports whether a delivery may still make the difference go away;
// of the record as a whole where name is empty.
func (f *folding) inFlight(name string) bool {
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if !o.waits() {
			continue
		}
		if name == "" {
			return true
		}
		for j := range o.Wants {
			if o.Wants[j].Target == name && o.Wants[j].pending() {
				return true
			}
		}
	}
	return false
}

// compare holds the two systems against each other, as far as the evidence
// brings news.
func (f *folding) compare(e *Evidence) {
	source, target := f.record(true), f.record(false)
	switch {
	case !source.known || !target.known:
		for i := range e.Fields {
			name := e.Fields[i].Name
			f.edited(name, f.field(name, true), f.field(name, false), e)
		}
	case source.gone && target.gone:
		f.close(func(g *Gap) bool { return g.D.Kind != event.Duplicate }, event.DivergenceResolved)
	case source.gone:
		f.differ(event.MissingInSource, "", "", source, target, e)
	case target.gone:
		f.differ(event.MissingInTarget, "", "", source, target, e)
	default:
		f.close(func(g *Gap) bool { return g.Target == "" && g.D.Kind != event.Duplicate }, event.DivergenceResolved)
		f.compareFields(e)
	}
	f.proven = f.proven[:0]
}

func (f *folding) compareFields(e *Evidence) {
	for i := range e.Fields {
		name := e.Fields[i].Name
		source, target := f.field(name, true), f.field(name, false)
		f.edited(name, source, target, e)
		if !source.known || !target.known || f.outdated(name, e) {
			continue
		}
		equal, difference := f.m.equal(name, source.value, target.value)
		o := f.proof(name)
		if equal || f.m.excused(name, source.value, target.value) && !f.owed(name, o, target) {
			f.close(func(g *Gap) bool { return g.Target == name }, event.DivergenceResolved)
			continue
		}
		f.differ(f.kind(name, o, source, target), name, difference, source, target, e)
	}
}

// kind is what a difference of values is called: stale where the target's is
// from before the source's. That the sync wrote the record since is no word of
// the field.
func (f *folding) kind(name string, o *Open, source, target held) string {
	older := target.still || target.moved != 0 && target.moved+f.p.skew < source.since() ||
		target.guess && f.m.silent() && f.m.ours(event.Target, target.writer)
	switch {
	case !older, o != nil && (o.D.Reverse || o.saw(name)):
		return event.ValueMismatch
	}
	return event.Stale
}

// saw reports whether the sync was seen to write another value in the field.
func (o *Open) saw(name string) bool {
	return slices.ContainsFunc(o.Wants, func(w Want) bool { return w.Target == name && w.Saw != nil })
}

// owed reports whether a difference that the field's rule would excuse stands
// all the same: an acknowledged attempt said that it wrote the field, and the
// target has been as it was ever since.
func (f *folding) owed(name string, o *Open, target held) bool {
	if o == nil {
		g := f.gap("", name)
		return g != nil && g.D.DeliveryID != "" && g.D.TargetValue == target.value
	}
	if f.m.others(event.Target, target.writer) && target.moved > o.D.AcknowledgedAt {
		return false // somebody else decided since
	}
	return slices.ContainsFunc(o.Wants, func(w Want) bool { return w.Target == name && w.Named && !w.Over })
}

// outdated reports whether a delivery was seen to arrive after what the
// evidence shows.
func (f *folding) outdated(name string, e *Evidence) bool {
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if o.D.Reverse != e.Source || o.SeenAt <= e.At {
			continue
		}
		for j := range o.Wants {
			if w := &o.Wants[j]; w.Target == name && w.Shown {
				return true
			}
		}
	}
	return false
}

// proof is a delivery of which the evidence proved that it never arrived.
type proof struct{ target, change string }

// prove takes evidence against a delivery: what was acknowledged and is not
// there, or what a look after the deadline did not find.
func (f *folding) prove(o *Open, e *Evidence, target string) {
	if o.waits() || o.settled() {
		return
	}
	if o.D.State == event.StateNotApplied || !e.Event && e.At >= o.D.DueAt {
		f.proven = append(f.proven, proof{target, o.D.ChangeID})
	}
}

func (f *folding) proof(target string) *Open {
	for _, p := range slices.Backward(f.proven) {
		if p.target == target {
			return f.byChange(p.change)
		}
	}
	return nil
}

func (f *folding) byChange(id string) *Open {
	for i := range f.r.Open {
		if f.r.Open[i].D.ChangeID == id {
			return &f.r.Open[i]
		}
	}
	return nil
}

// rival reports whether evidence is of another record that only claims to be
// this one. Its values are not this record's; once it is gone, so is the
// duplicate.
func (f *folding) rival(e *Evidence) bool {
	if e.Source || e.TargetID == "" {
		return false
	}
	for i, id := range f.r.Rivals {
		if id != e.TargetID {
			continue
		}
		if e.Missing || e.Merged {
			f.r.Rivals = append(f.r.Rivals[:i], f.r.Rivals[i+1:]...)
			f.close(func(g *Gap) bool { return g.D.Kind == event.Duplicate && g.D.TargetID == id }, event.DivergenceResolved)
		}
		return true
	}
	return false
}

// former reports whether a record that is gone is not this one's copy any more:
// a lead that was converted, a duplicate that was merged away.
func (f *folding) former(e *Evidence) bool {
	return e.Event && e.Missing && e.TargetID != "" && f.r.TargetID != "" && e.TargetID != f.r.TargetID
}

// duplicatePrefix starts the keys of duplicates.
const duplicatePrefix = "duplicate/"

// isOrphan reports whether the key is that of a record the source lacks.
func isOrphan(key string) bool { return strings.HasPrefix(key, event.OrphanID("")) }

// orphan takes evidence of a record of the target that nobody links to one of
// the source.
func (f *folding) orphan(e *Evidence, id string) {
	if e.Source || !isOrphan(f.key) {
		return
	}
	if e.Missing {
		f.close(func(*Gap) bool { return true }, event.DivergenceResolved)
		return
	}
	target := held{known: true, at: e.At, moved: e.Modified, writer: e.Writer}
	f.r.TargetID = id
	f.differ(event.MissingInSource, "", "", held{known: true, gone: true, at: e.At}, target, e)
}
