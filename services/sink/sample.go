package sink

import (
	"context"
	"fmt"
	"math/rand/v2"

	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// sampleRecords is how much of one partition of each topic an audit reads again.
const sampleRecords = 1000

// Sample reads a piece of the log again, somewhere below what was committed,
// and looks for each record's row. It trusts neither the positions nor the
// sink: a row is there by its offset, or a newer one with its key is.
func (s *Sink) Sample(ctx context.Context) ([]Gap, error) {
	var gaps []Gap
	for _, r := range s.runners {
		found, err := s.sampleTopic(ctx, r)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", r.spec.Name, err)
		}
		gaps = append(gaps, found...)
	}
	return gaps, nil
}

func (s *Sink) sampleTopic(ctx context.Context, r *runner) ([]Gap, error) {
	committed, err := bus.Committed(ctx, s.opts.Bus, r.groupName(), r.spec.Name)
	if err != nil {
		return nil, err
	}
	starts, err := bus.Starts(ctx, s.opts.Bus, r.spec.Name)
	if err != nil {
		return nil, err
	}
	for p, pos := range committed { // any one: the order of a map is random
		n, err := readNote(pos)
		from := starts[p]
		if err != nil || r.recreated(n) || pos.Offset <= from {
			continue
		}
		if room := pos.Offset - from - sampleRecords; room > 0 {
			from += rand.Int64N(room + 1) //nolint:gosec // a sample, not a secret
		}
		records, err := bus.ReadRange(ctx, s.opts.Bus, r.spec.Name, p, from, min(pos.Offset, from+sampleRecords))
		if err != nil || len(records) == 0 {
			return nil, err
		}
		return s.lookFor(ctx, r, p, records)
	}
	return nil, nil
}

func (s *Sink) lookFor(ctx context.Context, r *runner, p int32, records []bus.Fetched) ([]Gap, error) {
	dec, err := newDecoder(r.spec, r.epoch)
	if err != nil {
		return nil, err
	}
	dec.erased = s.erased
	var gaps []Gap
	for _, fill := range r.spec.Tables {
		t, cells := warehouse.FindTable(fill.Table), warehouse.FindTable(fill.Table).NewCells()
		var offsets []int64
		var row warehouse.Row
		for i := range records {
			f, _ := dec.fate(&records[i])
			if f.kind == nil || f.kind.table != t || dec.row(&f, p, &row) != nil || t.Check(row.Event) != nil || dec.isErased(t, row.Event) {
				continue
			}
			cells.Add(&row)
			offsets = append(offsets, f.offset)
		}
		missing, err := s.opts.Warehouse.Missing(ctx, cells, offsets, warehouse.Range{
			Topic: r.spec.Name, Epoch: r.epoch, Partition: p, From: records[0].Offset, To: records[len(records)-1].Offset,
		})
		if err != nil {
			return nil, err
		}
		s.m.auditGap.WithLabelValues(r.spec.Name, fill.Table, "missing").Set(float64(len(missing)))
		if len(missing) > 0 {
			gaps = append(gaps, Gap{Topic: r.spec.Name, Table: fill.Table, Partition: p, Missing: len(missing), Committed: missing[0], Stored: -2})
		}
	}
	return gaps, nil
}
