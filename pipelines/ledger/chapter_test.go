package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// chapter is one delivery. A field's fate is "": still waited for.
type chapter struct {
	d        event.Delivery
	fields   []Want
	fate     map[string]string
	judgeAt  event.Time
	forgetAt event.Time
	gone     bool
	goneAt   event.Time
	refused  int
	coerced  bool
	saw      map[string]*Saw // the sync's own other value
	answer   *Answer         // to the last failed attempt
	asked    bool
	silent   bool                  // its silent failure was told
	judged   bool                  // the sync's own other value was
	until    map[string]event.Time // when the change that replaced a field was made
	named    map[string]bool       // by an acknowledged attempt
	seenAt   event.Time
	basis    string
	within   int64
}

func waiting(state string) bool {
	return state == "observed" || state == "attempted" || state == "acknowledged"
}

func over(state string) bool {
	return state == "applied" || state == "verified" || state == "superseded" || state == "overwritten"
}

// coercedAfterAll is what the deadline says of the sync's own other value.
func (c *chapter) coercedAfterAll() {
	if (c.d.State == "unobserved" || c.d.State == "stalled") && c.coerced {
		c.d.State, c.d.Coerced = "not_applied", true
	}
}

func (s *story) changed(e *event.Change, wants []Want) {
	if len(wants) == 0 && (e.Operation == "associate" || len(e.Fields) > 0 && e.Operation == "update") {
		return
	}
	c := &chapter{fields: wants, fate: map[string]string{}, saw: map[string]*Saw{}, named: map[string]bool{}, until: map[string]event.Time{}, d: event.Delivery{
		ID: event.DeliveryID(e.Integration, e.Object, e.RecordKey, e.ID), Tenant: e.Tenant, Integration: e.Integration,
		Object: e.Object, RecordKey: e.RecordKey, SourceID: e.RecordID, TargetID: s.targetID, ChangeID: e.ID,
		Operation: e.Operation, State: "observed", ChangedAt: e.ChangedAt, ReceivedAt: e.ReceivedAt,
		StartBasis: orEvent(e.TimeBasis), Actor: e.Actor, Series: series(e.Actor),
	}}
	if c.d.DueAt = max(min(e.ChangedAt, e.ReceivedAt+300_000)+s.deadline(), e.ReceivedAt+min(s.deadline(), 3000)); e.TimeBasis == "received" {
		c.d.DueAt = e.ReceivedAt + s.deadline()
	}
	if c.d.Reverse = e.Side == event.Target; c.d.Reverse {
		c.d.SourceID, c.d.TargetID = e.RecordKey, e.RecordID
	}
	for _, other := range s.deliveries {
		if !other.gone && other.d.ID == c.d.ID {
			return
		}
	}
	c.judgeAt = s.later(c.d.DueAt)
	c.forgetAt = c.judgeAt + healFor
	var newest *chapter
	for _, other := range s.deliveries {
		switch {
		case other.gone || other.d.Reverse != c.d.Reverse:
		case other.d.ChangedAt <= c.d.ChangedAt:
			s.takeOver(other, c)
		case overlap(other, c):
			c.hand(other)
			if newest == nil || other.d.ChangedAt >= newest.d.ChangedAt {
				newest = other
			}
		}
	}
	if newest != nil {
		s.takeOver(c, newest)
	}
	for i := range s.recent {
		switch k := &s.recent[i]; {
		case k.t == nil:
			s.judge(c, k.e)
		case s.try(c, k.t) && k.failed != nil:
			fail := *k.failed
			fail.DeliveryID, k.failed = c.d.ID, nil
			s.claims = append(s.claims, &fail)
		}
	}
	s.deliveries = append(s.deliveries, c)
	s.movedOn(c)
}

func overlap(newer, older *chapter) bool {
	if newer.d.Operation == "delete" || older.d.Operation == "delete" {
		return true
	}
	return slices.ContainsFunc(older.fields, func(f Want) bool { return newer.has(f.Target) })
}

func (c *chapter) has(target string) bool {
	return slices.ContainsFunc(c.fields, func(f Want) bool { return f.Target == target })
}

// hand gives the fields that a newer delivery wants to it: past, in addition
// to what became of them before.
func (c *chapter) hand(newer *chapter) {
	for _, f := range c.fields {
		if newer.d.Operation == "delete" || newer.has(f.Target) {
			if !c.past(f.Target) || newer.d.ChangedAt < c.until[f.Target] {
				c.until[f.Target] = newer.d.ChangedAt
			}
			c.fate[f.Target+" past"] = "yes"
		}
	}
}

func (c *chapter) past(target string) bool    { return c.fate[target+" past"] != "" }
func (c *chapter) pending(target string) bool { return c.fate[target] == "" && !c.past(target) }

// together is what the fields say: "" while one is waited for.
func (c *chapter) together() string {
	shown, other := 0, 0
	for _, f := range c.fields {
		switch {
		case c.pending(f.Target):
			return ""
		case c.fate[f.Target] == "shown":
			shown++
		case c.fate[f.Target] == "over":
			other++
		}
	}
	switch {
	case shown > 0:
		return "applied"
	case other > 0:
		return "overwritten"
	}
	return "superseded"
}

func (s *story) takeOver(older, newer *chapter) {
	if !overlap(newer, older) {
		return
	}
	older.hand(newer)
	if older.d.State == "not_applied" && older.d.SupersededBy == "" && older.together() != "" {
		older.d.SupersededBy = newer.d.ID
	}
	if older.d.State == "superseded" && older.d.SupersededBy == "" {
		older.d.SupersededBy = newer.d.ID
	}
	s.retire(older, newer.d.ID, newer.d.Operation == "delete" || older.d.Operation == "delete")
}

func (s *story) retire(c *chapter, by string, all bool) {
	if over(c.d.State) || c.d.State == "not_applied" {
		return
	}
	switch t := c.together(); {
	case t == "applied":
		s.applied(c)
	case t == "overwritten":
		s.overwritten(c)
	case all || t == "superseded" && len(c.fields) > 0:
		c.d.SupersededBy = by
		s.end(c, "superseded")
	}
}

func (s *story) mergedAway(by string, at event.Time) {
	for _, c := range s.deliveries {
		if c.gone || c.d.Reverse || c.d.ChangedAt > at || over(c.d.State) || c.d.State == "not_applied" {
			continue
		}
		for _, f := range c.fields {
			c.fate[f.Target+" past"] = "yes"
		}
		s.retire(c, by, true)
	}
	s.over(everyGap, "resolved")
	s.remember(seenOrTried{e: &Evidence{At: at, Modified: at, FoundBy: "echo", Source: true, Event: true, Missing: true}})
}

func (s *story) end(c *chapter, state string) {
	c.d.State, c.forgetAt = state, s.clock+s.m.recent
}

// overwritten is the end, but for what a rule let stand: it may be written yet.
func (s *story) overwritten(c *chapter) {
	s.end(c, "overwritten")
	if slices.ContainsFunc(c.fields, func(f Want) bool { return c.fate[f.Target] == "over" && s.m.lets(f.Target) }) {
		c.forgetAt = s.clock + s.keep()
	}
}

func (s *story) applied(c *chapter) {
	if s.targetID != "" && !c.d.Reverse {
		c.d.TargetID = s.targetID
	}
	c.d.SkewMS = s.pace[2]
	c.d.AppliedAt, c.d.LatencyBasis, c.d.ResolutionMS, c.d.Coerced = c.seenAt, c.basis, c.within, false
	c.d.LatencyMS, c.d.Late = int64(c.seenAt-c.start()), c.seenAt > c.d.DueAt
	s.end(c, "applied")
	c.forgetAt = s.clock + s.keep()
}

func (c *chapter) start() event.Time {
	if c.d.StartBasis == "received" {
		return c.d.ReceivedAt
	}
	return c.d.ChangedAt
}

// claimed is when somebody said that it was written; nobody: when it changed.
func (c *chapter) claimed() event.Time {
	if c.d.AcknowledgedAt != 0 {
		return c.d.AcknowledgedAt
	}
	return c.d.ChangedAt
}
