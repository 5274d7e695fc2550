package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// difference is a divergence that is not over.
type difference struct {
	d          event.Divergence
	target     string
	moved      event.Time // the newer of the two values is from then
	sourceSeen event.Time // and they were true then
	targetSeen event.Time
	asks       int // how often both sides were asked about
	due        event.Time
	told       bool
}

// say changes a divergence and tells of it, if there is anything to tell.
func (s *story) say(g *difference, change func()) {
	before, was := g.d, ""
	if g.told {
		was = g.d.State
	}
	change()
	saved := before.SourceValue != g.d.SourceValue || before.TargetValue != g.d.TargetValue || g.target == "" && before.SourceModifiedAt != 0
	if before.ConfirmedAt != 0 && saved && (g.d.Began() != before.Began() || g.d.By() != before.By()) {
		g.d.BeganAt, g.d.ChangedBy = before.Began(), before.By()
	}
	if g.told && g.d == before {
		return
	}
	g.told, g.d.UpdatedAt, g.d.Version = true, s.clock, s.version
	copied := g.d
	copied.Was = was
	s.said = append(s.said, &copied)
}

func (s *story) over(which func(*difference) bool, state string) {
	var left []*difference
	for _, g := range s.gaps {
		if !which(g) {
			left = append(left, g)
			continue
		}
		s.say(g, func() {
			if g.d.State = state; state == "resolved" {
				g.d.ResolvedAt = s.clock
			}
		})
	}
	s.gaps = left
}

func everyGap(*difference) bool { return true }

// twin is the other record a duplicate is about.
func (g *difference) twin(side string) string {
	switch {
	case g.d.Kind != "duplicate":
		return ""
	case (g.d.TargetID != "") != (side == "target"):
		return ""
	case side == "target":
		return g.d.TargetID
	}
	return g.d.SourceID
}

func (s *story) gap(kind, target string) *difference {
	for _, g := range s.gaps {
		if target != "" && g.target == target || target == "" && g.target == "" && g.d.Kind == kind {
			return g
		}
	}
	return nil
}

// differ is what the two systems are seen to differ by.
func (s *story) differ(kind, target, how string, source, shown held, e *Evidence) {
	never := s.never(target)
	if never == nil && s.underWay(target) {
		return
	}
	g := s.gap(kind, target)
	switch {
	case g != nil && (source.at < g.sourceSeen || shown.at < g.targetSeen):
		return
	case g == nil && len(s.gaps) >= maxGaps:
		return
	case g == nil:
		g = s.begin(kind, target, source, shown, never)
	}
	source.keep(g.d.SourceValue, g.d.SourceModifiedAt, g.d.SourceWriter)
	shown.keep(g.d.TargetValue, g.d.TargetModifiedAt, g.d.TargetWriter)
	s.say(g, func() {
		if g.d.SourceValue != source.value || g.d.TargetValue != shown.value {
			g.moved = max(source.since(), shown.since())
		}
		g.d.SourceValue, g.d.SourceModifiedAt, g.d.SourceWriter, g.sourceSeen = source.value, source.moved, source.writer, source.at
		g.d.TargetValue, g.d.TargetModifiedAt, g.d.TargetWriter, g.targetSeen = shown.value, shown.moved, shown.writer, shown.at
		g.d.Difference = how
		if kind == "missing_in_target" {
			for _, c := range s.present() {
				if c.d.Operation == "create" && !over(c.d.State) && !c.d.Reverse {
					g.d.SourceModifiedAt, g.d.SourceWriter = c.d.ChangedAt, c.d.Actor
					break
				}
			}
		}
		if g.d.State == "pending" {
			s.confirm(g, never, e)
		}
	})
	if never != nil && g.d.State == "confirmed" {
		s.infer(g, never)
	}
}

func (s *story) begin(kind, target string, source, shown held, never *chapter) *difference {
	if target == "" {
		s.over(func(g *difference) bool { return g.d.Kind != "duplicate" }, "resolved")
	}
	g := &difference{target: target, moved: max(source.since(), shown.since())}
	g.d = event.Divergence{
		Tenant: s.m.integration.Tenant, Integration: s.m.integration.ID, Object: s.m.object.Name, RecordKey: s.key, SourceID: s.key,
		TargetID: s.targetID, Kind: kind, State: "pending", FirstSeenAt: s.clock,
		PreExisting: never == nil && s.older(source) && s.older(shown),
	}
	if target != "" {
		g.d.Field = s.m.fieldName(target)
	}
	if kind == "missing_in_source" {
		g.d.SourceID = ""
	}
	g.d.ID = event.DivergenceID(g.d.Integration, g.d.Object, s.key, g.d.Field, kind)
	s.gaps = append(s.gaps, g)
	return g
}

// older reports whether a value may be from before anybody watched.
func (s *story) older(h held) bool {
	return h.moved == 0 || s.pace[4] != 0 && h.moved < event.Time(s.pace[4])
}

// confirm: proven by a delivery, or seen on both sides when nothing could be
// under way any more. Else it is asked for then.
func (s *story) confirm(g *difference, never *chapter, e *Evidence) {
	settled := g.moved + s.deadline()
	seen := g.sourceSeen >= settled && g.targetSeen >= settled
	if isOrphan(s.key) {
		seen = e.FoundBy == "reconcile" || seen && !e.Event
	}
	if never == nil && !seen {
		if g.due == 0 {
			if g.due = max(settled, s.clock+3*event.Second); g.asks > 0 {
				g.due = s.clock + min(s.deadline()<<g.asks, event.Day)
			}
			if g.d.FoundBy == "" {
				g.d.FoundBy = e.FoundBy
			}
		}
		return
	}
	g.d.State, g.d.ConfirmedAt, g.d.FoundBy, g.due = "confirmed", s.clock, e.FoundBy, 0
	for _, c := range slices.Backward(s.present()) {
		if c.d.Operation == "create" && !c.d.Reverse {
			g.d.MadeAt = c.d.ChangedAt // of the first
		}
	}
	if never != nil {
		g.d.DeliveryID = never.d.ID
	}
	g.d.Class = s.classOf(g, never)
	for _, c := range slices.Backward(s.present()) {
		if c.answer != nil && !over(c.d.State) && (g.target == "" || c.has(g.target)) {
			g.d.RefusedCode, g.d.RefusedClass, g.d.RefusedField = c.answer.Code, c.answer.Class, c.answer.Field
			break
		}
	}
}

func (s *story) classOf(g *difference, never *chapter) string {
	if slices.Contains([]string{"coerced", "truncated", "picklist", "blank_in_target", "owner", "association"}, g.d.Difference) {
		return "schema"
	}
	if never == nil {
		return ""
	}
	part := slices.ContainsFunc(never.fields, func(f Want) bool { return never.fate[f.Target] == "shown" })
	if part || never.coerced {
		return "schema"
	}
	return "other"
}

// infer is a failure that nobody reported, told once for a delivery.
func (s *story) infer(g *difference, c *chapter) {
	if c.silent || c.d.State != "not_applied" && (c.d.State != "stalled" || s.m.integration.Attempts != "none") {
		return
	}
	c.silent = true
	system := s.m.integration.Target.System
	if c.d.Reverse {
		system = s.m.integration.Source.System
	}
	asGap := &Gap{D: g.d}
	asOpen := &Open{D: Passage{AcknowledgedAt: c.d.AcknowledgedAt}}
	v := event.Verdict{
		Class: g.d.Class, Recoverability: "temporary", Attribution: event.ByUnknown, Confidence: 0.5, Rule: "inferred/" + g.d.Kind,
		Evidence: evidenceOf(asGap, asOpen), Fingerprint: fingerprint(asGap, system, s.m.object.Name),
		LikelyCause: causes[g.d.Class], FirstStep: firstSteps[g.d.Class], Version: "inferred-1",
	}
	if g.d.Class == "schema" {
		v.Recoverability, v.Attribution, v.Confidence = "permanent", event.ByCustomer, 0.7
	}
	s.said = append(s.said, &event.Failure{
		ID: event.Hash("failure", "inferred", c.d.ID), Tenant: c.d.Tenant, Integration: c.d.Integration, DeliveryID: c.d.ID, RecordKey: s.key,
		SourceID: g.d.SourceID, TargetID: c.d.TargetID, Provider: system, Object: c.d.Object, Operation: c.d.Operation,
		OccurredAt: max(c.d.AcknowledgedAt, c.d.ChangedAt), ReceivedAt: s.clock, Origin: event.OriginInferred, Code: g.d.Difference,
		Actor: c.d.Actor, Verdict: v, Version: s.version,
	})
}

// clicked is what a person decided.
func (s *story) clicked(e *event.Click) {
	if e.Kind == event.ClickRecheck {
		s.wonder(event.CheckRunbook, "", e.Subject, nil)
		s.send()
		return
	}
	for _, g := range s.gaps {
		switch {
		case g.d.ID != e.Subject:
		case e.Kind == event.ClickAccept && (e.Until == 0 || e.Until > s.clock):
			s.say(g, func() {
				g.d.State, g.d.AcceptedBy, g.d.AcceptedReason, g.d.AcceptedUntil, g.due = "accepted", e.By, e.Reason, e.Until, e.Until
			})
		case e.Kind == event.ClickReopen && g.d.State == "accepted":
			g.due = 0
			s.acceptedNoMore(g)
		}
	}
}

func (s *story) acceptedNoMore(g *difference) {
	s.say(g, func() {
		g.d.State, g.d.AcceptedBy, g.d.AcceptedReason, g.d.AcceptedUntil = "confirmed", "", "", 0
	})
}

// linked is which record of the target this is, another that claims to be, or what
// the record was merged into.
func (s *story) linked(e *event.Link) {
	switch {
	case isOrphan(s.key):
		s.over(everyGap, "resolved")
	case e.MovedTo != "":
		s.mergedAway("merged_into/"+e.MovedTo, e.LearnedAt)
	case e.Rival == "":
		s.targetID = e.TargetID
	case !slices.Contains(s.rivals, e.Rival):
		s.rivals = append(s.rivals, e.Rival)
		s.duplicate("target", e.Rival, e.LearnedFrom)
	}
}

// twins is what a comparison of whole systems says: these copies, and no more.
func (s *story) twins(e *event.Observation) {
	if e.FoundBy != "reconcile" || e.Missing || isOrphan(s.key) {
		return
	}
	s.over(func(g *difference) bool {
		id := g.twin(e.Side)
		return id != "" && !slices.Contains(e.Duplicates, id)
	}, "resolved")
	if e.Side == "target" {
		s.rivals = slices.DeleteFunc(s.rivals, func(id string) bool { return !slices.Contains(e.Duplicates, id) })
	}
	for _, id := range e.Duplicates {
		if e.Side == "target" && !slices.Contains(s.rivals, id) {
			s.rivals = append(s.rivals, id)
		}
		s.duplicate(e.Side, id, e.FoundBy)
	}
}

func (s *story) duplicate(side, id, foundBy string) {
	if len(s.gaps) >= maxGaps || slices.ContainsFunc(s.gaps, func(g *difference) bool { return g.twin(side) == id }) {
		return
	}
	in, key := s.m.integration, "duplicate/"+id
	g := &difference{moved: s.clock, d: event.Divergence{
		ID: event.DivergenceID(in.ID, s.m.object.Name, key, "", "duplicate"), Tenant: in.Tenant, Integration: in.ID, Object: s.m.object.Name,
		RecordKey: key, SourceID: s.key, TargetID: id, Kind: "duplicate", Class: "duplicate", State: "pending", FirstSeenAt: s.clock, FoundBy: foundBy,
	}}
	if side == "source" {
		g.d.SourceID, g.d.TargetID = id, ""
	}
	s.gaps = append(s.gaps, g)
	s.say(g, func() { g.d.State, g.d.ConfirmedAt = "confirmed", s.clock })
}
