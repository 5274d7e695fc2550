package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// present are the deliveries that are still remembered.
func (s *story) present() (all []*chapter) {
	for _, c := range s.deliveries {
		if c.goneAt == 0 {
			all = append(all, c)
		}
	}
	return all
}

// never is the delivery that this moment proved not to have arrived.
func (s *story) never(target string) *chapter {
	for _, p := range slices.Backward(s.proven) {
		if p.target != target {
			continue
		}
		for _, c := range s.present() {
			if c.d.ChangeID == p.change {
				return c
			}
		}
		return nil
	}
	return nil
}

// prove takes what is not there against a delivery.
func (s *story) prove(c *chapter, e *Evidence, target string) {
	if waiting(c.d.State) || over(c.d.State) {
		return
	}
	if c.d.State == "not_applied" || !e.Event && e.At >= c.d.DueAt {
		s.proven = append(s.proven, proof{target, c.d.ChangeID})
	}
}

func (s *story) underWay(target string) bool {
	return slices.ContainsFunc(s.present(), func(c *chapter) bool {
		return waiting(c.d.State) && (target == "" || c.has(target) && c.pending(target))
	})
}

// side is what a system is known to hold in a field, from all that is remembered.
func (s *story) side(name string, source bool) (h held) {
	for _, g := range s.gaps {
		switch {
		case g.target != name:
		case source:
			h.learn(held{value: g.d.SourceValue, at: g.sourceSeen, moved: g.d.SourceModifiedAt, writer: g.d.SourceWriter})
		default:
			h.learn(held{value: g.d.TargetValue, at: g.targetSeen, moved: g.d.TargetModifiedAt, writer: g.d.TargetWriter})
		}
	}
	for _, c := range s.present() {
		for _, f := range c.fields {
			if c.d.Reverse != source && f.Target == name {
				h.learn(held{value: f.Value, at: c.d.ChangedAt, moved: c.d.ChangedAt, writer: c.d.Actor})
			}
		}
	}
	for _, k := range s.recent {
		if k.e == nil || k.e.Source != source {
			continue
		}
		if v, ok := event.Find(k.e.Fields, name); ok {
			w := s.fields.wrote(k.e, name, v)
			if w.by == (event.Actor{}) && !w.still {
				w.by = k.e.Writer
			}
			h.learn(held{value: v, at: k.e.At, moved: w.at, writer: w.by, still: w.still, guess: w.guess})
		}
	}
	return h
}

// whole is whether a system is known to hold the record.
func (s *story) whole(source bool) (h held) {
	for _, g := range s.gaps {
		switch {
		case g.d.Kind == "duplicate":
		case source:
			h.learn(held{gone: g.d.Kind == "missing_in_source", at: g.sourceSeen, moved: g.d.SourceModifiedAt})
		default:
			h.learn(held{gone: g.d.Kind == "missing_in_target", at: g.targetSeen, moved: g.d.TargetModifiedAt})
		}
	}
	for _, c := range s.present() {
		switch {
		case c.d.Reverse != source:
			h.learn(held{gone: c.d.Operation == "delete", at: c.d.ChangedAt, moved: c.d.ChangedAt, writer: c.d.Actor})
		case c.d.AppliedAt != 0:
			h.learn(held{gone: c.d.Operation == "delete", at: c.d.AppliedAt, moved: c.d.AppliedAt})
		}
	}
	for _, k := range s.recent {
		if k.e != nil && k.e.Source == source {
			h.learn(held{gone: k.e.Missing, at: k.e.At, moved: k.e.Modified, writer: k.e.Writer})
		}
	}
	return h
}

// hold holds the two systems against each other.
func (s *story) hold(e *Evidence) {
	source, target := s.whole(true), s.whole(false)
	switch {
	case !source.known || !target.known:
		for _, f := range e.Fields {
			s.edited(f.Name, s.side(f.Name, true), s.side(f.Name, false), e)
		}
	case source.gone && target.gone:
		s.over(func(g *difference) bool { return g.d.Kind != "duplicate" }, "resolved")
	case source.gone:
		s.differ("missing_in_source", "", "", source, target, e)
	case target.gone:
		s.differ("missing_in_target", "", "", source, target, e)
	default:
		s.over(func(g *difference) bool { return g.target == "" && g.d.Kind != "duplicate" }, "resolved")
		for _, f := range e.Fields {
			s.holdField(f.Name, e)
		}
	}
	s.proven = nil
}

func (s *story) holdField(name string, e *Evidence) {
	source, target := s.side(name, true), s.side(name, false)
	s.edited(name, source, target, e)
	if !source.known || !target.known {
		return
	}
	for _, c := range s.present() { // arrived after what this shows
		if c.d.Reverse == e.Source && c.seenAt > e.At && c.has(name) && c.fate[name] == "shown" {
			return
		}
	}
	never := s.never(name)
	equal, how := s.m.equal(name, source.value, target.value)
	if equal || s.m.excused(name, source.value, target.value) && !s.owed(name, never, target) {
		s.over(func(g *difference) bool { return g.target == name }, "resolved")
		return
	}
	kind := "value_mismatch"
	older := target.still || target.moved != 0 && target.moved+s.skew() < source.since() ||
		target.guess && s.m.integration.Attempts == "none" && s.m.ours("target", target.writer)
	if older && (never == nil || !never.d.Reverse && never.saw[name] == nil) {
		kind = "stale"
	}
	s.differ(kind, name, how, source, target, e)
}

// owed is a difference that the rule would excuse, had nobody said that it was
// written.
func (s *story) owed(name string, never *chapter, target held) bool {
	if never == nil {
		g := s.gap("", name)
		return g != nil && g.d.DeliveryID != "" && g.d.TargetValue == target.value
	}
	if s.m.others("target", target.writer) && target.moved > never.d.AcknowledgedAt {
		return false
	}
	return never.has(name) && never.named[name] && never.fate[name] != "over"
}

// another is another record of the target that only claims to be this one.
func (s *story) another(e *Evidence) bool {
	at := slices.Index(s.rivals, e.TargetID)
	if e.Source || e.TargetID == "" || at < 0 {
		return false
	}
	if e.Missing || e.Merged {
		s.rivals = slices.Delete(slices.Clone(s.rivals), at, at+1)
		s.over(func(g *difference) bool { return g.twin("target") == e.TargetID }, "resolved")
	}
	return true
}

// orphan is a record of the target that nobody links.
func (s *story) orphan(e *Evidence, id string) {
	switch {
	case e.Source || !isOrphan(s.key):
	case e.Missing:
		s.over(everyGap, "resolved")
	default:
		s.targetID = id
		s.differ("missing_in_source", "", "", held{known: true, gone: true, at: e.At},
			held{known: true, at: e.At, moved: e.Modified, writer: e.Writer}, e)
	}
}

// moved tells divergences of the source's newest change.
func (s *story) movedOn(c *chapter) {
	s.proven = nil
	if c.d.Reverse {
		return
	}
	for _, f := range c.fields {
		g := s.gap("", f.Target)
		if f.Target == "" || g == nil || c.d.ChangedAt < g.sourceSeen {
			continue
		}
		equal, how := s.m.equal(f.Target, f.Value, g.d.TargetValue)
		if equal || g.d.DeliveryID == "" && s.m.excused(f.Target, f.Value, g.d.TargetValue) {
			s.over(func(g *difference) bool { return g.target == f.Target }, "resolved")
			continue
		}
		s.say(g, func() {
			g.d.SourceValue, g.d.SourceModifiedAt, g.d.SourceWriter, g.d.Difference = f.Value, c.d.ChangedAt, c.d.Actor, how
			g.sourceSeen, g.moved = c.d.ChangedAt, max(g.moved, c.d.ChangedAt)
		})
	}
}

// edited is what people wrote in the target while nobody knows the source's.
func (s *story) edited(name string, source, target held, e *Evidence) {
	at := slices.Index(s.edits, name)
	if at >= 0 {
		if source.known && target.known {
			if s.edits = slices.Delete(slices.Clone(s.edits), at, at+1); len(s.edits) == 0 {
				s.editsAt, s.editsAsked = 0, false
			}
		}
		return
	}
	if e.Source || source.known || s.m.integration.Bidirectional || s.older(target) || isOrphan(s.key) ||
		!s.m.others("target", target.writer) || s.m.stands(name, target.value) {
		return
	}
	s.edits, s.editsAsked = append(slices.Clone(s.edits), name), false
	s.editsAt = max(s.editsAt, target.moved+s.deadline(), s.clock+3*event.Second)
}
