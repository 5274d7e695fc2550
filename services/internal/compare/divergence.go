package compare

import (
	"strconv"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// Divergence is a record, or one field of it, that differs.
type Divergence struct {
	Key        string
	Field      string // empty = the record as a whole
	Kind       string // event.MissingInTarget, MissingInSource, ValueMismatch or Duplicate
	Difference string // how two values differ (package value)
	// Source and Target are the two values; of a duplicate, how many rows of
	// the side hold the key.
	Source, Target event.Value
	// CarryA and CarryB are what Set.Carry says of the record's rows: one row,
	// none where it is missing, the first few of a duplicate.
	CarryA, CarryB [][]string
}

// record is a row of step 3: a key that is not equal as it stands.
type record struct {
	key            string
	a, b           uint64
	differ         []uint32 // fields, counted from 1
	textsA, textsB []*string
	carryA, carryB [][]string
}

func (r *record) read(scan warehouse.Scan) error {
	return scan(&r.key, &r.a, &r.b, &r.differ, &r.textsA, &r.textsB, &r.carryA, &r.carryB)
}

// tell counts a record and hands its divergences over.
func (c *Comparison) tell(r *record, sum *Summary, found func(*Divergence) error) error {
	sum.Records++
	c.told += r.a
	var kinds []string
	if r.a > 1 || r.b > 1 {
		kinds = append(kinds, event.Duplicate)
		sum.Duplicate++
	}
	switch {
	case r.b == 0:
		kinds = append(kinds, event.MissingInTarget)
		sum.MissingInTarget++
	case r.a == 0:
		kinds = append(kinds, event.MissingInSource)
		sum.MissingInSource++
	}
	if len(kinds) == 0 {
		return c.tellFields(r, sum, found)
	}
	for _, kind := range kinds {
		d := Divergence{
			Key: r.key, Kind: kind, CarryA: r.carryA, CarryB: r.carryB,
			Source: event.Value{Kind: event.KindNull}, Target: event.Value{Kind: event.KindNull},
		}
		if kind == event.Duplicate {
			d.Source = event.Value{Kind: event.KindNumber, Text: strconv.FormatUint(r.a, 10)}
			d.Target = event.Value{Kind: event.KindNumber, Text: strconv.FormatUint(r.b, 10)}
		}
		if err := found(&d); err != nil {
			return err
		}
	}
	return nil
}

func (c *Comparison) tellFields(r *record, sum *Summary, found func(*Divergence) error) error {
	sum.Compared++
	equal := true
	for i, n := range r.differ {
		f := &c.Fields[n-1]
		d := Divergence{
			Key: r.key, Field: f.Name, Kind: event.ValueMismatch, Difference: value.Other,
			Source: nullable(r.textsA[i]), Target: nullable(r.textsB[i]), CarryA: r.carryA, CarryB: r.carryB,
		}
		if f.Judge != nil {
			same, how := f.Judge(d.Source, d.Target)
			if same {
				continue
			}
			d.Difference = how
		}
		equal = false
		sum.Fields[n-1].count(d.Difference)
		if err := found(&d); err != nil {
			return err
		}
	}
	if equal {
		sum.Equal++
	} else {
		sum.Different++
	}
	return nil
}
