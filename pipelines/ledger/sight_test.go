package ledger

import "plumbline.dev/schemas/event"

// seen is false of evidence that is of another record.
func (s *story) seen(e *Evidence) bool {
	if s.another(e) {
		return false
	}
	if e.Event && e.Missing && e.TargetID != "" && s.targetID != "" && e.TargetID != s.targetID {
		return false // of a copy that this record has no more
	}
	if e.TargetID != "" && !e.Missing {
		s.targetID = e.TargetID
	}
	s.fields.learn(e, s.matters)
	for _, c := range s.deliveries {
		if !c.gone {
			s.judge(c, e)
		}
	}
	s.remember(seenOrTried{e: e})
	return true
}

func (s *story) judge(c *chapter, e *Evidence) {
	if c.d.Reverse != e.Source { // the side where the change was made
		s.undone(c, e)
		return
	}
	if c.d.State == "superseded" && e.Event && e.At+s.skew() >= c.d.ChangedAt && e.At+s.skew() >= c.d.FirstAttemptAt {
		s.hadIt(c, e)
		return
	}
	if c.d.State == "overwritten" && !e.Missing && e.At+s.skew() >= max(c.d.ChangedAt, c.d.FirstAttemptAt) {
		for _, f := range c.fields { // what the rule let stand was written all the same
			shown, ok := event.Find(e.Fields, f.Target)
			if ok && c.fate[f.Target] == "over" && !c.past(f.Target) && s.m.lets(f.Target) && s.same(c, f, shown) {
				c.fate[f.Target] = "shown"
				c.see(e, s.skew())
			}
		}
		if c.together() == "applied" {
			s.applied(c)
		}
		return
	}
	if over(c.d.State) {
		s.compare(c, e)
		return
	}
	if e.At+s.skew() < c.d.ChangedAt || e.At+s.skew() < c.d.FirstAttemptAt {
		return
	}
	acked := c.d.AcknowledgedAt != 0
	proof := acked && !e.Event && e.At >= c.d.DueAt // an answer from after the deadline
	if c.d.Operation == "delete" {
		if e.Missing {
			c.see(e, s.skew())
			s.applied(c)
			return
		}
		if proof {
			c.d.State = "not_applied"
		}
		s.prove(c, e, "")
		return
	}
	if e.Missing {
		if proof {
			c.d.State = "not_applied"
		}
		if e.Event && acked && e.At > c.d.AcknowledgedAt && s.m.others(e.side(), e.Writer) && c.d.State != "not_applied" {
			s.end(c, "overwritten")
			return
		}
		s.prove(c, e, "")
		return
	}
	if len(c.fields) == 0 {
		written := e.Modified != 0 && e.Modified+s.skew() >= c.d.ChangedAt
		if op := c.d.Operation; op == "create" || op == "restore" || op == "merge" && e.Merged || op != "merge" && written {
			c.see(e, s.skew())
			s.applied(c)
		}
		return
	}
	changed := false
	for _, f := range c.fields {
		shown, ok := event.Find(e.Fields, f.Target)
		if !ok || !c.pending(f.Target) {
			continue
		}
		changed = true
		w := s.fields.wrote(e, f.Target, shown)
		others, known := s.m.others(e.side(), w.by), w.still || w.at != 0
		switch {
		case s.same(c, f, shown):
			c.fate[f.Target] = "shown"
			c.see(e, s.skew())
		case c.d.State == "not_applied" || !known:
		case !c.d.Reverse && !c.named[f.Target] && (others || w.still) && s.ruleOf(f.Target, shown) == "target keeps it":
			c.fate[f.Target] = "over"
		case !acked && s.m.integration.Attempts != "none":
		case w.still || w.at+s.skew() < max(c.d.AcknowledgedAt, c.claimed()):
			if proof {
				c.d.State = "not_applied"
			}
		case !acked && w.guess:
		case s.m.ours(e.side(), w.by):
			if s.anOlderOneWanted(c, f, shown) {
				continue
			}
			c.coerced, c.saw[f.Target] = true, &Saw{shown, e.At, w.at, w.by}
			c.coercedAfterAll()
		case acked && others && w.at > c.d.AcknowledgedAt && !c.coerced:
			c.fate[f.Target] = "over"
		}
		if c.fate[f.Target] != "shown" {
			s.prove(c, e, f.Target)
		}
	}
	if changed {
		switch c.together() {
		case "applied":
			s.applied(c)
		case "overwritten":
			s.overwritten(c)
		}
	}
}

// hadIt is an echo of a change that was replaced only after it had arrived.
func (s *story) hadIt(c *chapter, e *Evidence) {
	for _, f := range c.fields {
		if shown, ok := event.Find(e.Fields, f.Target); ok && c.past(f.Target) && e.At <= c.until[f.Target] && s.same(c, f, shown) {
			c.fate[f.Target] = "shown"
			c.see(e, s.skew())
		}
	}
	if c.together() == "applied" {
		c.d.SupersededBy = ""
		s.applied(c)
	}
}

func (s *story) same(c *chapter, f Want, shown event.Value) bool {
	a, b := f.Value, shown
	if c.d.Reverse {
		a, b = b, a
	}
	equal, _ := s.m.equal(f.Target, a, b)
	return equal
}

func (s *story) ruleOf(target string, shown event.Value) string {
	for _, f := range s.m.fields {
		if f.Target == target && (f.Rule == "target_wins" || f.Rule == "target_unless_blank" && !shown.Blank()) {
			return "target keeps it"
		}
	}
	return ""
}

// undone is a change that the sync wrote over, where it was made, or that was
// replaced there by one that nobody told of.
func (s *story) undone(c *chapter, e *Evidence) {
	if over(c.d.State) || c.d.State == "not_applied" || e.Missing {
		return
	}
	overwritten := e.Event && e.At >= c.d.ChangedAt && s.m.ours(e.side(), e.Writer)
	savedSince := !e.Event && e.Modified > c.d.ChangedAt
	if !overwritten && !savedSince {
		return
	}
	any := false
	for _, f := range c.fields {
		shown, ok := event.Find(e.Fields, f.Target)
		if !ok || !c.pending(f.Target) || s.m.unchanged(f.Target, f.Value, shown) {
			continue
		}
		c.fate[f.Target+" past"], any = "yes", true
		if savedSince {
			c.until[f.Target] = e.Modified
		}
	}
	if any {
		s.retire(c, "", false)
	}
}

func (s *story) anOlderOneWanted(c *chapter, f Want, shown event.Value) bool {
	for _, older := range s.deliveries {
		if older.gone || older == c || older.d.Reverse != c.d.Reverse || older.d.ChangedAt > c.d.ChangedAt {
			continue
		}
		for _, g := range older.fields {
			if g.Target == f.Target && s.same(older, g, shown) {
				return true
			}
		}
	}
	return false
}

func (c *chapter) see(e *Evidence, skew event.Time) {
	at := e.At
	if !e.Event && !e.Missing && e.Modified != 0 && e.Modified <= e.At {
		if at = e.Modified; e.Modified+skew < c.d.ChangedAt {
			at = c.start()
		}
	}
	if c.basis == "" || at >= c.seenAt {
		c.seenAt, c.basis, c.within = at, e.Basis, e.Resolution
	}
}

func (s *story) compare(c *chapter, e *Evidence) {
	if c.d.State != "applied" || e.At <= c.d.AppliedAt || e.Event {
		return
	}
	equal := c.d.Operation == "delete" && e.Missing
	if e.Whole && !e.Missing {
		n := 0
		equal = true
		for _, f := range c.fields {
			if c.past(f.Target) || c.fate[f.Target] == "over" {
				continue
			}
			shown, ok := event.Find(e.Fields, f.Target)
			equal = equal && ok && s.same(c, f, shown)
			n++
		}
		equal = equal && n > 0
	}
	if equal {
		c.d.VerifiedAt, c.d.State = e.At, "verified"
		c.forgetAt = max(c.forgetAt, s.clock+s.m.recent)
	}
}
