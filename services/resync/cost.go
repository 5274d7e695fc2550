package resync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// share is the part of an account's free calls that a resync should take: the
// rest is for those who work meanwhile.
const share = 0.5

// Cost adds up what a plan takes.
type Cost struct {
	Records int
	Batches int
	Calls   map[string]int64 // by system
}

// Add counts one batch: a read of the source, unless records are deleted, and a
// write to the target.
func (c *Cost) Add(b *Batch) {
	if c.Calls == nil {
		c.Calls = map[string]int64{}
	}
	c.Records += len(b.Records)
	c.Batches++
	c.Calls[b.Target]++
	if b.Operation != Delete {
		c.Calls[b.Source]++
	}
}

// Budget is what an account's own counter said last.
type Budget struct {
	System    string
	Used, Max int64
	At        time.Time
	Consumers []string // who calls it, the most first, with calls a day
}

// Budgets reads the counters, and who calls the systems, of the last day.
func Budgets(ctx context.Context, db Reader, now time.Time, systems ...string) (map[string]*Budget, error) {
	out := map[string]*Budget{}
	for _, system := range systems {
		b := &Budget{System: system}
		err := db.Each(ctx, `SELECT toInt64OrZero(detail['used']), toInt64OrZero(detail['max']), started_at FROM signals
WHERE kind = 'api_usage' AND system = `+warehouse.Quote(system)+` AND started_at >= `+instant(now.Add(-24*time.Hour))+` ORDER BY started_at DESC LIMIT 1`,
			func(scan warehouse.Scan) error { return scan(&b.Used, &b.Max, &b.At) })
		if err != nil {
			return nil, err
		}
		err = db.Each(ctx, `SELECT who, n FROM (SELECT concat(integration, if(actor_id != '', concat(' (', actor_kind, ' ', actor_id, ')'), '')) AS who, count() AS n
FROM attempts WHERE system = `+warehouse.Quote(system)+` AND occurred_at >= `+instant(now.Add(-24*time.Hour))+` GROUP BY who) ORDER BY n DESC, who LIMIT 5`,
			func(scan warehouse.Scan) error {
				var who string
				var n uint64
				err := scan(&who, &n)
				b.Consumers = append(b.Consumers, fmt.Sprintf("%s: %d writes a day", who, n))
				return err
			})
		if err != nil {
			return nil, err
		}
		out[system] = b
	}
	return out, nil
}

// Hours is how long a plan should take so that it leaves others their calls; 0
// where no counter says.
func (c *Cost) Hours(budgets map[string]*Budget) (hours float64) {
	for system, calls := range c.Calls {
		if b := budgets[system]; b != nil && b.Max > 0 {
			hours = max(hours, float64(calls)/max(share*float64(b.Max-b.Used)/24, 1))
		}
	}
	return hours
}

// Lines say the cost in words.
func (c *Cost) Lines(budgets map[string]*Budget, runbookLimit int64) []string {
	out := []string{fmt.Sprintf("%d records in %d batches", c.Records, c.Batches)}
	for _, system := range slices.Sorted(maps.Keys(c.Calls)) {
		calls := c.Calls[system]
		line := fmt.Sprintf("%s: %d calls of up to %d records", system, calls, limit(system).write)
		b := budgets[system]
		switch {
		case b == nil || b.Max == 0:
			line += "; what the account has left is not known (no counter of it was read in 24 h)"
		case calls > b.Max-b.Used:
			line += fmt.Sprintf("; MORE than the %d left of %d a day: it would starve %s", b.Max-b.Used, b.Max, orOthers(b.Consumers))
		default:
			line += fmt.Sprintf(", %.1f %% of the %d left of %d a day", 100*float64(calls)/float64(b.Max-b.Used), b.Max-b.Used, b.Max)
			if float64(calls) > share*float64(b.Max-b.Used) {
				line += "; at once it would leave less than half to " + orOthers(b.Consumers)
			}
		}
		out = append(out, line)
	}
	if h := c.Hours(budgets); h > 0 {
		out = append(out, fmt.Sprintf("spread over %.1f h it takes no more than half of what is free", h))
	}
	if runbookLimit > 0 && int64(c.Records) > runbookLimit {
		out = append(out, fmt.Sprintf("the runbook allows %d records at once: %d rounds", runbookLimit, (int64(c.Records)+runbookLimit-1)/runbookLimit))
	}
	return out
}

func orOthers(list []string) string {
	if len(list) == 0 {
		return "whoever else calls it"
	}
	return strings.Join(list, ", ")
}
