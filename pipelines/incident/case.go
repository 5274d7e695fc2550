package incident

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// wrong adds a record, or what of it differs: behind the record's key there
// may be "#field/kind".
func (c *Case) wrong(record string) {
	i, ok := slices.BinarySearch(c.Wrong, record)
	if ok {
		return
	}
	known := holds(c.Wrong, record)
	if len(c.Wrong) >= event.MaxKeys {
		c.Over++
	} else {
		c.Wrong = slices.Insert(c.Wrong, i, record)
	}
	if at, soft := slices.BinarySearch(c.Soft, record); soft {
		c.Soft = slices.Delete(c.Soft, at, at+1)
		return // the same one again
	}
	if !known {
		c.I.Affected++
	}
}

// bare is the record that an entry is about.
func bare(entry string) string {
	record, _, _ := strings.Cut(entry, "#")
	return record
}

// holds reports whether a list has the record of an entry, whatever of it.
func holds(list []string, entry string) bool {
	record := bare(entry)
	i, ok := slices.BinarySearch(list, record)
	for ; !ok && i < len(list) && strings.HasPrefix(list[i], record); i++ {
		ok = bare(list[i]) == record
	}
	return ok
}

// distinct lists the records of entries, up to most.
func distinct(list []string, most int) (records []string, n int64) {
	last := ""
	for _, entry := range list {
		if record := bare(entry); record != last {
			if last = record; len(records) < most {
				records = append(records, record)
			}
			n++
		}
	}
	return records, n
}

// right takes a record out: it is as it should be, since at. Where nobody can
// tell, it is taken on the target's word until somebody sees it.
func (c *Case) right(record string, unverified bool, at event.Time) {
	if i, ok := slices.BinarySearch(c.Soft, record); ok && !unverified {
		c.Soft = slices.Delete(c.Soft, i, i+1)
		c.Changed = true
	}
	i, ok := slices.BinarySearch(c.Wrong, record)
	if !ok {
		return
	}
	c.Wrong = slices.Delete(c.Wrong, i, i+1)
	c.Changed, c.RightAt = true, max(c.RightAt, at)
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
	c.I.MitigatedAt, c.HealedAt, c.RightAt, c.Asked, c.Closed, c.Changed = 0, 0, 0, false, false, true
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
	return c.Loose == 0 || c.quiet(now) >= flapHold && c.OKAt > c.I.LastAt
}

// over is when the last record was right again: by its own time, or by the
// first success after the last failure where no record tells.
func (c *Case) over() event.Time {
	at := c.RightAt
	if c.Loose > 0 && c.OKAt > c.I.LastAt {
		at = max(at, c.OKAt)
	}
	if at == 0 {
		at = c.HealedAt
	}
	return max(at, c.I.LastAt, c.I.DetectedAt)
}

// ripe reports whether a candidate is an incident. Where a provider lets nobody
// in, a verdict is about to say whose fault that is: a moment's patience spares
// everybody the alert that would have to be taken back.
func (c *Case) ripe(now event.Time) bool {
	age := now - c.I.DetectedAt
	switch {
	case c.I.Kind != event.IncidentOfFailures:
		return true
	case reaches(c.I.Class) && !c.Decided && age < verdictWait:
		return false
	}
	return c.I.Recoverability == event.Permanent || c.I.Affected >= manyRecords || age >= patience
}
