package console

import (
	"cmp"
	"html/template"
	"strings"
	"time"
)

// GapRow is a kind of record whose critical sets were not compared in time.
type GapRow struct {
	Tenant      string     `ch:"tenant"`
	Integration string     `ch:"integration"`
	Object      string     `ch:"object"`
	Sets        uint64     `ch:"sets"`
	Late        uint64     `ch:"late"`
	Fields      []string   `ch:"fields"` // of those that are late
	Through     *time.Time `ch:"through"`
	Blocked     string     `ch:"blocked"` // the run that is in the way
	Why         string     `ch:"why"`
}

const gapsSQL = `SELECT tenant, integration, object, count() AS sets, countIf(NOT fresh) AS late,
	arraySort(groupArrayIf(toString(field), NOT fresh AND field != '')) AS fields, min(compared_through) AS through,
	anyIf(blocked_by, blocked_by != '') AS blocked, anyIf(toString(reason), NOT fresh AND reason != '') AS why
FROM reconciliation_sets_at(to = ?) WHERE counts
GROUP BY tenant, integration, object HAVING late > 0 ORDER BY tenant, integration, object LIMIT 50`

// gapLine is one as the overview tells it.
type gapLine struct {
	Object, Integration, Sets, Fields, Why string
	Through                                template.HTML
}

func gapLines(s *Snapshot) []gapLine {
	var out []gapLine
	for _, r := range s.Gaps {
		l := gapLine{
			Object: r.Object, Integration: r.Integration, Sets: number(r.Late) + " of " + plural(r.Sets, "set"),
			Fields: shorten(strings.Join(r.Fields, ", "), 120), Through: "never", Why: cmp.Or(r.Why, "no run ended in time"),
		}
		if r.Through != nil {
			l.Through = moment(*r.Through, s.At)
		}
		if r.Blocked != "" {
			l.Why += ", run " + r.Blocked
		}
		out = append(out, l)
	}
	return out
}
