package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// differ notes that the two systems differ. What may still be under way is no
// divergence; what is seen for the first time, and may be, is pending until a
// look at both sides, later than the last change could have taken, confirms it.
// A delivery that was proven not to have arrived needs no second look.
func (f *folding) differ(kind, target, difference string, source, shown held, e *Evidence) {
	o := f.proof(target)
	if o == nil && f.inFlight(target) {
		return
	}
	g := f.gap(kind, target)
	if g == nil {
		if g = f.opened(kind, target, source, shown, o); g == nil {
			return
		}
	} else if source.at < g.SourceSeen || shown.at < g.TargetSeen {
		return // older evidence says nothing
	}
	source.keep(g.D.SourceValue, g.D.SourceModifiedAt, g.D.SourceWriter)
	shown.keep(g.D.TargetValue, g.D.TargetModifiedAt, g.D.TargetWriter)
	f.update(g, func() {
		if g.D.SourceValue != source.value || g.D.TargetValue != shown.value {
			g.Moved = max(source.since(), shown.since())
		}
		g.D.SourceValue, g.D.TargetValue, g.D.Difference = source.value, shown.value, difference
		g.D.SourceModifiedAt, g.D.TargetModifiedAt = source.moved, shown.moved
		g.D.SourceWriter, g.D.TargetWriter = source.writer, shown.writer
		if made := f.made(); made != nil && kind == event.MissingInTarget {
			g.D.SourceModifiedAt, g.D.SourceWriter = made.D.ChangedAt, made.D.Actor
		}
		g.SourceSeen, g.TargetSeen = source.at, shown.at
		f.confirm(g, o, e)
	})
	if o != nil && g.D.State == event.DivergenceConfirmed {
		f.infer(g, o)
	}
}

// gap finds the open divergence of a field, whatever its kind, or of a kind of
// the whole record.
func (f *folding) gap(kind, target string) *Gap {
	for i := range f.r.Gaps {
		if g := &f.r.Gaps[i]; g.Target == target && (target != "" || g.D.Kind == kind) {
			return g
		}
	}
	return nil
}

// opened makes a divergence; it is not told before it has its values.
func (f *folding) opened(kind, target string, source, shown held, o *Open) *Gap {
	if len(f.r.Gaps) >= maxGaps {
		return nil
	}
	if target == "" { // what is not there has no fields that differ
		f.close(func(g *Gap) bool { return g.D.Kind != event.Duplicate }, event.DivergenceResolved)
	}
	in, field := f.m.integration, ""
	if target != "" {
		field = f.m.fieldName(target)
	}
	g := Gap{Target: target, Moved: max(source.since(), shown.since()), D: event.Divergence{
		ID: event.DivergenceID(in.ID, f.m.object.Name, f.key, field, kind), Tenant: in.Tenant, Integration: in.ID,
		Object: f.m.object.Name, RecordKey: f.key, SourceID: f.key, TargetID: f.r.TargetID, Field: field, Kind: kind,
		State: event.DivergencePending, FirstSeenAt: f.clock, PreExisting: o == nil && f.before(source) && f.before(shown),
	}}
	if kind == event.MissingInSource {
		g.D.SourceID = ""
	}
	f.r.Gaps = append(f.r.Gaps, g)
	return &f.r.Gaps[len(f.r.Gaps)-1]
}

// before reports whether a value is from before anything was watched: then
// the difference was there already.
func (f *folding) before(h held) bool { return h.moved == 0 || f.p.since != 0 && h.moved < f.p.since }

// confirm moves a pending divergence on: confirmed, or to be looked at when
// nothing can be under way any more.
func (f *folding) confirm(g *Gap, o *Open, e *Evidence) {
	if g.D.State != event.DivergencePending {
		return
	}
	settled := g.Moved + f.p.deadline
	sure := g.SourceSeen >= settled && g.TargetSeen >= settled
	if isOrphan(f.key) { // that nobody links it is a guess, until both sides were looked through
		sure = e.FoundBy == event.FoundByReconcile || sure && !e.Event
	}
	switch {
	case o != nil || sure:
		g.D.State, g.D.ConfirmedAt, g.D.FoundBy, g.Due = event.DivergenceConfirmed, f.clock, e.FoundBy, 0
		if o != nil {
			g.D.DeliveryID = f.deliveryID(o)
		}
		g.D.Class, g.D.MadeAt = classOf(g, o), f.madeAt()
		if a := f.refusal(g.Target); a != nil {
			g.D.RefusedCode, g.D.RefusedClass, g.D.RefusedField = a.Code, a.Class, a.Field
		}
	case g.Due == 0:
		g.Due = max(settled, f.clock+lateGrace)
		if g.Tries > 0 { // nobody could tell: ask again, ever more seldom
			g.Due = f.clock + min(f.p.deadline<<g.Tries, event.Day)
		}
		if g.D.FoundBy == "" {
			g.D.FoundBy = e.FoundBy
		}
	}
}

// update changes a divergence and tells of it if anything is new.
func (f *folding) update(g *Gap, do func()) {
	before := g.D
	do()
	g.keepOrigin(&before)
	if g.D == before && g.D.UpdatedAt != 0 {
		return
	}
	was := before.State
	if before.UpdatedAt == 0 {
		was = ""
	}
	g.D.UpdatedAt, g.D.Version = f.clock, f.ctx.Version
	d := g.D
	d.Was = was
	f.out.Emit(topic.Divergences, f.whole, &d)
}

// keepOrigin holds on to since when and by whom a confirmed divergence is: who
// saves the record next did not make it differ. What is only learned late of
// the same values is news.
func (g *Gap) keepOrigin(before *event.Divergence) {
	saved := before.SourceValue != g.D.SourceValue || before.TargetValue != g.D.TargetValue || g.Target == "" && before.SourceModifiedAt != 0
	if before.ConfirmedAt != 0 && saved && (g.D.Began() != before.Began() || g.D.By() != before.By()) {
		g.D.BeganAt, g.D.ChangedBy = before.Began(), before.By()
	}
}

// close ends divergences for good.
func (f *folding) close(which func(*Gap) bool, state string) {
	f.r.Gaps = slices.DeleteFunc(f.r.Gaps, func(g Gap) bool {
		if !which(&g) {
			return false
		}
		f.update(&g, func() {
			if g.D.State = state; state == event.DivergenceResolved {
				g.D.ResolvedAt = f.clock
			}
		})
		return true
	})
}

// gapsDue asks about what may have settled, and ends acceptance.
func (f *folding) gapsDue() {
	for i := range f.r.Gaps {
		g := &f.r.Gaps[i]
		if g.Due == 0 || g.due(f.r.Asked) > f.ctx.Now {
			continue
		}
		g.Due = 0
		if g.D.State == event.DivergencePending {
			g.Tries = min(g.Tries+1, 8)
			f.wonder(event.CheckConfirm, "", g.D.ID, fieldsOf(g))
			continue
		}
		f.update(g, func() {
			g.D.State, g.D.AcceptedBy, g.D.AcceptedReason, g.D.AcceptedUntil = event.DivergenceConfirmed, "", "", 0
		})
	}
}

func fieldsOf(g *Gap) []string {
	if g.Target == "" {
		return nil
	}
	return []string{g.Target}
}

// sourceMoved tells divergences of a change that has just opened: the source
// holds another value now, perhaps the target's.
func (f *folding) sourceMoved(o *Open) {
	f.proven = f.proven[:0]
	if len(f.r.Gaps) == 0 || o.D.Reverse {
		return
	}
	for i := range o.Wants {
		w := &o.Wants[i]
		g := f.gap("", w.Target)
		if g == nil || w.Target == "" || o.D.ChangedAt < g.SourceSeen {
			continue
		}
		equal, difference := f.m.equal(w.Target, w.Value, g.D.TargetValue)
		if equal || f.m.excused(w.Target, w.Value, g.D.TargetValue) && g.D.DeliveryID == "" {
			f.close(func(g *Gap) bool { return g.Target == w.Target }, event.DivergenceResolved)
			continue
		}
		f.update(g, func() {
			g.D.SourceValue, g.D.SourceModifiedAt, g.D.SourceWriter, g.D.Difference = w.Value, o.D.ChangedAt, o.D.Actor, difference
			g.SourceSeen, g.Moved = o.D.ChangedAt, max(g.Moved, o.D.ChangedAt)
		})
	}
}
