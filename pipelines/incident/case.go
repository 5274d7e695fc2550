package incident

import (
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// wrong adds a record.
func (c *Case) wrong(record string) {
	i, ok := slices.BinarySearch(c.Wrong, record)
	if ok {
		return
	}
	if len(c.Wrong) >= event.MaxKeys {
		c.Over++
	} else {
		c.Wrong = slices.Insert(c.Wrong, i, record)
	}
	if at, soft := slices.BinarySearch(c.Soft, record); soft {
		c.Soft = slices.Delete(c.Soft, at, at+1)
		return // the same one again
	}
	c.I.Affected++
}

// right takes a record out: it is as it should be. Where nobody can tell, it
// is taken on the target's word until somebody sees it.
func (c *Case) right(record string, unverified bool) {
	if i, ok := slices.BinarySearch(c.Soft, record); ok && !unverified {
		c.Soft = slices.Delete(c.Soft, i, i+1)
		c.Changed = true
	}
	i, ok := slices.BinarySearch(c.Wrong, record)
	if !ok {
		return
	}
	c.Wrong = slices.Delete(c.Wrong, i, i+1)
	c.Changed = true
	if at, soft := slices.BinarySearch(c.Soft, record); unverified && !soft {
		c.Soft = slices.Insert(c.Soft, at, record)
	}
}

// again notes that it happened once more.
func (c *Case) again() {
	if c.HealedAt != 0 && c.Opened {
		c.I.Reopened++
		c.Urgent = true
	}
	if c.I.State == event.IncidentMitigated {
		c.state(event.IncidentOpen)
		if c.I.AcknowledgedAt != 0 {
			c.state(event.IncidentAcknowledged)
		}
	}
	c.I.MitigatedAt, c.HealedAt, c.Asked, c.Closed, c.Changed = 0, 0, false, false, true
}

func (c *Case) state(s string) {
	if c.I.State != s {
		c.I.State, c.Changed, c.Urgent = s, true, true
	}
}

// quiet is how long nothing happened.
func (c *Case) quiet(now event.Time) event.Time { return now - c.I.LastAt }

// calm reports whether it no longer grows: nothing failed for a while, and
// where failures are what it is made of, something succeeded since.
func (c *Case) calm(now event.Time) bool {
	proof := c.I.Kind != event.IncidentOfFailures || c.OKAt > c.I.LastAt || c.HealedAt != 0
	return c.quiet(now) >= calmAfter && proof || c.quiet(now) >= looseCalm
}

// healed reports whether nothing is wrong any more. What no delivery tells of
// is right when writes succeed and it did not fail for a while.
func (c *Case) healed(now event.Time) bool {
	if c.Closed {
		return true
	}
	if len(c.Wrong) > 0 || c.Over > 0 && c.quiet(now) < looseCalm {
		return false
	}
	return c.Loose == 0 || c.quiet(now) >= looseCalm && c.OKAt > c.I.LastAt
}

// ripe reports whether a candidate is an incident.
func (c *Case) ripe(now event.Time) bool {
	return c.I.Kind != event.IncidentOfFailures || c.I.Recoverability == event.Permanent ||
		c.I.Affected >= manyRecords || now-c.I.DetectedAt >= patience
}

func failureTitle(p *event.Partial, c *event.FailureCount) string {
	if c.Origin == event.OriginInferred {
		return p.Object + " " + c.Operation + ": acknowledged and never taken: " + strings.ReplaceAll(c.Class, "_", " ")
	}
	words := []string{p.Object, c.Operation, "fails"}
	if p.Provider != "" {
		words = append(words, "at", p.Provider)
	}
	title := strings.Join(words, " ") + ": " + strings.ReplaceAll(c.Class, "_", " ")
	switch {
	case c.Code != "":
		title += " (" + c.Code + ")"
	case c.Status != 0:
		title += " (" + strconv.Itoa(c.Status) + ")"
	}
	return title
}

func divergenceTitle(p *event.Partial, c *event.DivergenceCount) string {
	what := p.Object
	if c.Field != "" {
		what += "." + c.Field
	}
	title := what + ": " + strings.ReplaceAll(c.Kind, "_", " ")
	if c.Difference != "" {
		title += " (" + strings.ReplaceAll(c.Difference, "_", " ") + ")"
	}
	return title
}
