package revert

import (
	"context"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// Proof is what was found of a plan that somebody carried out.
type Proof struct {
	Done, Pending int
	Later         int    // changed again by somebody else: no longer ours to judge
	First         []Step // of those pending, up to ten
}

// Verify holds the steps of a plan against what the systems were last seen
// to hold. Since is when the plan was made.
func Verify(ctx context.Context, db Reader, steps []Step, since time.Time) (Proof, error) {
	latest, err := lastSeen(ctx, db, since)
	if err != nil {
		return Proof{}, err
	}
	var p Proof
	for _, s := range steps {
		if s.Action != Set {
			continue
		}
		values := latest[place{s.System, s.RecordID, s.Field}]
		switch {
		case len(values) == 0 || values[len(values)-1] == s.Now:
			p.Pending++
			if len(p.First) < 10 {
				p.First = append(p.First, s)
			}
		case values[len(values)-1] == s.To:
			p.Done++
		default:
			p.Later++
		}
	}
	return p, nil
}

type place struct{ system, record, field string }

// lastSeen is every value that fields were seen to take since, oldest first.
func lastSeen(ctx context.Context, db Reader, since time.Time) (map[place][]string, error) {
	sql := `
SELECT system, record_id, field, value FROM
(
    SELECT system, record_id, field, value, changed_at AS at FROM changes ARRAY JOIN mapKeys(fields) AS field, mapValues(fields) AS value
    WHERE changed_at >= ` + instant(since) + `
    UNION ALL
    SELECT system, record_id, field, value, observed_at AS at FROM observations ARRAY JOIN mapKeys(fields) AS field, mapValues(fields) AS value
    WHERE observed_at >= ` + instant(since) + `
) ORDER BY at`
	out := map[place][]string{}
	err := db.Each(ctx, sql, func(scan warehouse.Scan) error {
		var at place
		var value string
		if err := scan(&at.system, &at.record, &at.field, &value); err != nil {
			return err
		}
		out[at] = append(out[at], value)
		return nil
	})
	return out, err
}
