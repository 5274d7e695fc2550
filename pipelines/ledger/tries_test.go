package ledger

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

func (s *story) attempted(t *Try, a *event.Attempt) {
	if t.TargetID != "" && !t.Failed {
		s.targetID = t.TargetID
	}
	found := false
	for _, c := range s.deliveries {
		if !c.gone && s.try(c, t) {
			found = true
		}
	}
	if t.ChangeID == "" || !found {
		k := seenOrTried{t: t}
		if t.Failed && !found && a.DeliveryID == "" {
			var out stream.Out
			f := folding{out: &out}
			k.failed = f.failure(a, "")
		}
		s.remember(k)
	}
}

func (c *chapter) belongs(t *Try, skew event.Time) bool {
	if t.ChangeID != "" {
		return t.ChangeID == c.d.ChangeID
	}
	if t.Reverse != c.d.Reverse {
		return false
	}
	if c.d.State == "overwritten" {
		return false
	}
	if (c.d.State == "applied" || c.d.State == "verified") && t.At > c.d.AppliedAt+skew {
		return false
	}
	if t.Delete != (c.d.Operation == "delete") || c.d.ChangedAt > t.At+skew {
		return false
	}
	if len(c.fields) == 0 {
		return c.d.State != "superseded"
	}
	return slices.ContainsFunc(c.fields, func(f Want) bool {
		return (!c.past(f.Target) || t.At <= c.until[f.Target]) && (len(t.Fields) == 0 || slices.Contains(t.Fields, f.Target))
	})
}

func (s *story) try(c *chapter, t *Try) bool {
	if c.d.State == "overwritten" && !t.Failed && t.Reverse == c.d.Reverse && c.d.ChangedAt <= t.At+s.skew() {
		for _, f := range c.fields {
			if c.fate[f.Target] == "over" && !c.past(f.Target) && s.m.lets(f.Target) && slices.Contains(t.Fields, f.Target) {
				c.fate[f.Target], c.d.State, c.judgeAt = "", "observed", s.later(c.d.DueAt)
				c.forgetAt = c.judgeAt + healFor
			}
		}
	}
	if !c.belongs(t, s.skew()) {
		return false
	}
	c.d.Attempts++
	if c.d.FirstAttemptAt == 0 || t.At < c.d.FirstAttemptAt {
		c.d.FirstAttemptAt = t.At
	}
	if t.TargetID != "" && !over(c.d.State) {
		c.d.TargetID = t.TargetID
	}
	if t.Failed {
		c.refused++
		c.answer = t.Answer
		switch {
		case c.d.State == "stalled":
			c.d.State = "failed"
		case c.d.State != "observed" && c.d.State != "attempted":
		case t.Permanent || t.Other && c.refused >= 3:
			c.d.State = "failed"
		default:
			c.d.State = "attempted"
		}
		return true
	}
	c.refused, c.answer = 0, nil
	for _, target := range t.Fields {
		c.named[target] = true
	}
	if c.d.AcknowledgedAt == 0 || t.At < c.d.AcknowledgedAt {
		c.d.AcknowledgedAt = t.At
	}
	if !waiting(c.d.State) && c.d.State != "failed" && c.d.State != "stalled" {
		return true
	}
	if c.d.State != "acknowledged" {
		c.judgeAt = s.later(c.judgeAt)
	}
	c.d.State, c.d.LatencyBasis = "acknowledged", "acknowledged"
	c.d.LatencyMS, c.d.Late = int64(c.d.AcknowledgedAt-c.start()), c.d.AcknowledgedAt > c.d.DueAt
	return true
}

// holdsUp is the delivery that a failed attempt is linked to.
func (s *story) holdsUp(a *event.Attempt) string {
	if a.RecordKey == "" || !event.IsWrite(a.Operation) || a.Granularity == event.GranularityRun {
		return ""
	}
	for _, c := range s.deliveries {
		if !c.gone && c.belongs(s.m.tryOf(a), s.skew()) {
			return c.d.ID
		}
	}
	return ""
}
