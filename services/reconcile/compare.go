package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
	"plumbline.dev/services/internal/match"
)

// carried comes along with a record that differs: all of it.
var carried = []string{
	"record_id", "native", "toString(toUnixTimestamp64Milli(modified_at))", "toString(toUnixTimestamp64Milli(created_at))",
	"toString(toUnixTimestamp64Milli(read_at))", "writer_kind", "writer_id", "fields", "toJSONString(keys)", "toJSONString(norms)",
}

func uncarry(side string, c []string) (match.Row, error) {
	r := match.Row{Side: side, ID: c[0], Native: c[1], Writer: event.Actor{Kind: c[5], ID: c[6]}}
	for i, to := range map[int]*event.Time{2: &r.ModifiedAt, 3: &r.CreatedAt, 4: &r.ReadAt} {
		n, err := strconv.ParseInt(c[i], 10, 64)
		if err != nil {
			return r, fmt.Errorf("staged row of %s: %w", r.ID, err)
		}
		*to = event.Time(n)
	}
	for i, to := range map[int]any{7: &r.Fields, 8: &r.Keys, 9: &r.Norms} {
		if err := json.Unmarshal([]byte(c[i]), to); err != nil {
			return r, fmt.Errorf("staged row of %s: %w", r.ID, err)
		}
	}
	return r, nil
}

// suspect is a record that the comparison did not find equal on both sides.
type suspect struct {
	sources, targets []match.Row
}

// batch is how many suspects are looked at together.
const batch = 200

// compare finds what differs in ClickHouse, and looks at each such record
// once more before it speaks of it.
func (x *run) compare(ctx context.Context) (*Result, error) {
	x.say("comparing", 0, 0)
	snap, err := x.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = x.drop(context.WithoutCancel(ctx), snap) }()
	verdict := newVerdict(x)
	if err := verdict.prepare(ctx); err != nil {
		return nil, err
	}
	c := compare.Comparison{
		A:      compare.Set{From: snap.source, Where: inScope(snap.target), Key: "pk", Carry: carried},
		B:      compare.Set{From: snap.target, Where: inScope(snap.source), Key: "pk", Carry: carried},
		Fields: x.fields(), Scratch: x.r.o.Warehouse.Database(), Threads: 2,
	}
	var waiting []suspect
	last := ""
	sum, err := c.Run(ctx, x.r.o.Warehouse, func(d *compare.Divergence) error {
		if d.Key == last {
			return nil // another field of the same record
		}
		last = d.Key
		s, err := x.suspect(d)
		if err != nil {
			return err
		}
		if waiting = append(waiting, s); len(waiting) < batch {
			return nil
		}
		err = verdict.look(ctx, waiting)
		waiting = waiting[:0]
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := verdict.look(ctx, waiting); err != nil {
		return nil, err
	}
	if err := x.confirm(ctx, snap); err != nil {
		return nil, err
	}
	return verdict.result(ctx, sum, snap)
}

// fields compares the normal forms; what a kind of record does not have is
// equal to anything.
func (x *run) fields() []compare.Field {
	out := make([]compare.Field, len(x.s.Object.Fields))
	for i := range out {
		norm := fmt.Sprintf("norms[%d]", i+1)
		out[i] = compare.Field{
			Name: x.s.Object.Fields[i].Source, A: compare.TextCell(norm), B: compare.TextCell(norm),
			Judge: func(a, b event.Value) (bool, string) {
				return a.Text == b.Text || a.Text == match.NotComparable || b.Text == match.NotComparable, ""
			},
		}
	}
	return out
}

func (x *run) suspect(d *compare.Divergence) (suspect, error) {
	var s suspect
	for _, side := range []struct {
		name string
		from [][]string
		to   *[]match.Row
	}{{event.Source, d.CarryA, &s.sources}, {event.Target, d.CarryB, &s.targets}} {
		for _, c := range side.from {
			row, err := uncarry(side.name, c)
			if err != nil {
				return s, err
			}
			*side.to = append(*side.to, row)
		}
	}
	return s, nil
}
