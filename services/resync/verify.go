package resync

import (
	"context"
	"strings"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// Proof is what is known of the affected set since a plan was begun.
type Proof struct {
	Records, Verified int // equal now, by a look or a change later than the start
	Differ            int // looked at since, and not equal
	Unseen            int // nobody has looked since
	First             []Record
}

// Done reports whether all of it is equal.
func (p *Proof) Done() bool { return p.Verified == p.Records }

// chunk is how many records one query asks for.
const chunk = 5000

// Verify looks at the records of a plan, and at no others.
func Verify(ctx context.Context, db Reader, plan []Batch, since time.Time) (Proof, error) {
	var p Proof
	for i := range plan {
		b := &plan[i]
		p.Records += len(b.Records)
		for from := 0; from < len(b.Records); from += chunk {
			if err := verify(ctx, db, b, b.Records[from:min(from+chunk, len(b.Records))], since, &p); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func verify(ctx context.Context, db Reader, b *Batch, records []Record, since time.Time, p *Proof) error {
	keys := make([]string, len(records))
	for i := range records {
		keys[i] = warehouse.Quote(records[i].Key)
	}
	type state struct{ open, touched uint64 }
	states := map[string]state{}
	err := db.Each(ctx, `SELECT record_key, countIf(state = 'confirmed' AND kind != 'duplicate'), countIf(updated_at >= `+instant(since)+`)
FROM divergences WHERE integration = `+warehouse.Quote(b.Integration)+` AND object = `+warehouse.Quote(b.Object)+`
    AND record_key IN (`+strings.Join(keys, ", ")+`) GROUP BY record_key`, func(scan warehouse.Scan) error {
		var key string
		var s state
		err := scan(&key, &s.open, &s.touched)
		states[key] = s
		return err
	})
	for _, r := range records {
		switch s := states[r.Key]; {
		case s.open == 0 && s.touched > 0:
			p.Verified++
			continue
		case s.touched > 0:
			p.Differ++
		default:
			p.Unseen++
		}
		if len(p.First) < 10 {
			p.First = append(p.First, r)
		}
	}
	return err
}
