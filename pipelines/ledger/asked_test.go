package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// wonder adds to the question of this moment.
func (s *story) wonder(reason, side, subject string, fields []string) {
	if s.ask == nil {
		s.ask = &event.Check{
			ID:     event.Hash("check", s.m.integration.ID, s.m.object.Name, s.key, reason, s.clock.String()),
			Tenant: s.m.integration.Tenant, Integration: s.m.integration.ID, Object: s.m.object.Name, RecordKey: s.key, Side: side,
			SourceID: s.key, TargetID: s.targetID, Reason: reason, Subject: subject, AskedAt: s.clock, Fields: fields, Version: s.version,
		}
		if isOrphan(s.key) {
			s.ask.SourceID = ""
		}
		return
	}
	if s.ask.Side != side {
		s.ask.Side = ""
	}
	if len(fields) == 0 || len(s.ask.Fields) == 0 {
		s.ask.Fields = nil
		return
	}
	for _, name := range fields {
		if !slices.Contains(s.ask.Fields, name) {
			s.ask.Fields = append(s.ask.Fields, name)
		}
	}
}

func (s *story) send() {
	if s.ask != nil {
		s.asked = s.clock
		s.said = append(s.said, s.ask)
	}
	s.ask = nil
}

// questions are those of a tick: what nobody saw by its deadline, what may
// have settled, what people wrote. No record is asked about twice a minute.
func (s *story) questions() {
	again := s.asked + event.Minute
	for _, c := range s.present() {
		if c.asked || c.forgetAt <= s.now || max(c.judgeAt, again) > s.now || !slices.Contains([]string{"stalled", "unobserved", "failed"}, c.d.State) {
			continue
		}
		c.asked = true
		side := "target"
		if c.d.Reverse {
			side = "source"
		}
		var names []string
		for _, f := range c.fields {
			if c.pending(f.Target) {
				names = append(names, f.Target)
			}
		}
		s.wonder(event.CheckReadback, side, c.d.ID, names)
	}
	for _, g := range s.gaps {
		pending := g.d.State == "pending"
		switch {
		case g.due == 0 || g.due > s.now || pending && again > s.now:
		case pending:
			g.due, g.asks = 0, min(g.asks+1, 8)
			var names []string
			if g.target != "" {
				names = []string{g.target}
			}
			s.wonder(event.CheckConfirm, "", g.d.ID, names)
		default:
			g.due = 0
			s.acceptedNoMore(g)
		}
	}
	switch {
	case s.editsAt == 0 || max(s.editsAt, again) > s.now:
	case s.editsAsked:
		s.editsAt, s.edits, s.editsAsked = 0, nil, false
	default:
		s.wonder(event.CheckConfirm, "", "", slices.Clone(s.edits))
		s.editsAt, s.editsAsked = s.now+event.Hour, true
	}
}

// coercions are values that the sync itself wrote in place of others, now that
// their deadline has passed.
func (s *story) coercions() {
	for _, c := range s.present() {
		if c.d.State != "not_applied" || c.silent || c.judged || !c.coerced || c.judgeAt > s.now {
			continue
		}
		if c.judged = true; s.whole(true).gone || s.whole(false).gone {
			continue
		}
		for _, f := range c.fields {
			saw, source := c.saw[f.Target], s.side(f.Target, true)
			if saw == nil || !c.pending(f.Target) || !source.known {
				continue
			}
			if !c.named[f.Target] && s.m.excused(f.Target, source.value, saw.Value) {
				continue
			}
			if equal, how := s.m.equal(f.Target, source.value, saw.Value); !equal {
				s.proven = []proof{{f.Target, c.d.ChangeID}}
				s.differ("value_mismatch", f.Target, how, source,
					held{known: true, value: saw.Value, at: saw.At, moved: saw.Moved, writer: saw.Writer}, &Evidence{At: saw.At, FoundBy: "echo"})
			}
		}
	}
	s.proven = nil
}
