package reconcile

import (
	"context"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
)

// Result is what one run found of one object.
type Result struct {
	Run                 string
	Integration, Object string
	StartedAt, EndedAt  event.Time
	SourceCount         int64 // as the systems count
	TargetCount         int64
	Source, Target      int64 // in scope, read
	Unlinkable          int64
	Compared            int64 // pairs
	Equal               int64
	Different           int64
	InFlight            int64 // pairs and single records that may be under way
	Accepted            int64
	MissingInTarget     int64
	MissingInSource     int64
	Duplicates          int64
	OutOfScope          int64
	Share               float64
	Calls               int64
	Fields              []FieldResult
	Examples            []Example
}

// FieldResult is one field of it.
type FieldResult struct {
	Source, Target                string
	Different, InFlight, Accepted int64
	How                           map[string]int64
	Blocked                       string // why it was not compared
}

// Diverging is how many records differ, beyond what may be under way.
func (r *Result) Diverging() int64 {
	return r.Different + r.MissingInTarget + r.MissingInSource + r.Duplicates - r.Accepted
}

// Linking is the share of the source's records that have their copy in the
// target: what a change can be followed to.
func (r *Result) Linking() float64 {
	if r.Source == 0 {
		return 0
	}
	return float64(r.Compared) / float64(r.Source)
}

// Drift is the share of compared records that diverge.
func (r *Result) Drift() float64 {
	n := r.Compared + r.MissingInTarget + r.MissingInSource + r.Duplicates
	if n == 0 {
		return 0
	}
	return float64(r.Diverging()) / float64(n)
}

func (v *verdict) result(ctx context.Context, sum *compare.Summary, snap *snapshot) (*Result, error) {
	x := v.x
	var outside []struct {
		N uint64 `ch:"n"`
	}
	if err := x.r.o.Warehouse.Query(ctx, &outside, "SELECT count() AS n FROM "+snap.source+" WHERE NOT in_scope"); err != nil {
		return nil, err
	}
	looked := v.equal + v.different + v.inFlight
	r := &Result{
		Run: x.state.ID, Integration: x.s.Integration.ID, Object: x.s.Object.Name, StartedAt: x.state.StartedAt, EndedAt: x.r.o.now(),
		SourceCount: x.counts[event.Source], TargetCount: x.counts[event.Target], Source: int64(sum.A.Rows), Target: int64(sum.B.Rows),
		Unlinkable: int64(sum.A.NoKey), Different: v.different, InFlight: v.inFlight + v.flying, Accepted: v.acceptedRecords,
		MissingInTarget: v.missing, MissingInSource: v.orphans, Duplicates: v.duplicates, OutOfScope: v.outOfScope + int64(outside[0].N),
		Share: 1, Examples: v.examples,
	}
	// Pairs that ClickHouse found equal, and those that were looked at.
	r.Equal = int64(sum.Equal) + v.equal
	r.Compared = int64(sum.Equal) + looked
	if r.Source > 0 {
		r.Share = float64(r.Source-r.Unlinkable) / float64(r.Source)
	}
	for i := range x.s.Object.Fields {
		f, c := &x.s.Object.Fields[i], &v.fields[i]
		r.Fields = append(r.Fields, FieldResult{
			Source: f.Source, Target: f.Target, Different: c.different, InFlight: c.inFlight, Accepted: c.accepted, How: c.how,
			Blocked: x.blocked(f.Source, f.Target),
		})
	}
	return r, nil
}

func (x *run) blocked(source, target string) string {
	if why := x.missing[event.Source+"."+source]; why != "" {
		return why
	}
	return x.missing[event.Target+"."+target]
}

// confirm tells what is equal by now of what the ledger holds open, so that it
// can close it.
func (x *run) confirm(ctx context.Context, snap *snapshot) error {
	var rows []struct {
		Source string `ch:"source"`
		Target string `ch:"target"`
	}
	in, o := x.s.Integration, x.s.Object
	err := x.r.o.Warehouse.Query(ctx, &rows, "SELECT a.record_id AS source, b.record_id AS target FROM "+snap.source+" AS a INNER JOIN "+
		snap.target+" AS b ON a.pk = b.pk WHERE a.pk != '' AND a.norms = b.norms AND a.record_id IN ("+
		"SELECT if(source_id = '', record_key, source_id) FROM divergences WHERE tenant = ? AND integration = ? AND object = ? "+
		"AND state IN ('pending', 'confirmed', 'accepted') UNION ALL "+
		"SELECT source_id FROM deliveries WHERE tenant = ? AND integration = ? AND object = ? AND received_at > ? "+
		"AND state IN ('observed', 'attempted', 'acknowledged', 'applied', 'failed', 'stalled', 'unobserved', 'not_applied'))",
		in.Tenant, in.ID, o.Name, in.Tenant, in.ID, o.Name, x.r.o.Clock.Now().Add(-7*24*time.Hour).UTC())
	if err != nil {
		return err
	}
	for len(rows) > 0 {
		part := rows[:min(batch, len(rows))]
		rows = rows[len(part):]
		source, target := make([]string, len(part)), make([]string, len(part))
		for i, p := range part {
			source[i], target[i] = p.Source, p.Target
		}
		if err := x.tellEqual(ctx, source, target); err != nil {
			return err
		}
	}
	return nil
}
