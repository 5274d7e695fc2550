package warehouse

import (
	"context"
	"slices"
)

// Missing returns the offsets of rows that are not there: neither by their
// place in the log, nor a row with their key. Rows of one key merge, so the
// place alone proves nothing.
func (d *DB) Missing(ctx context.Context, c *Cells, offsets []int64, r Range) ([]int64, error) {
	if c.rows == 0 {
		return nil, nil
	}
	present, err := d.Present(ctx, c.table, r)
	if err != nil {
		return nil, err
	}
	keys := words(c.columns[0].data, c.rows) // a table's first column is its key
	var absent []string
	for i, offset := range offsets {
		if !present[offset] {
			absent = append(absent, keys[i])
		}
	}
	if len(absent) == 0 {
		return nil, nil
	}
	key := c.table.columns[0].name
	var rows []struct {
		Key string `ch:"k"`
	}
	err = d.Query(ctx, &rows, "SELECT DISTINCT `"+key+"` AS k FROM "+c.table.Name+"_raw WHERE `"+key+"` IN ?", absent)
	if err != nil {
		return nil, err
	}
	var out []int64
	for i, offset := range offsets {
		if !present[offset] && !slices.ContainsFunc(rows, func(r struct {
			Key string `ch:"k"`
		},
		) bool {
			return r.Key == keys[i]
		}) {
			out = append(out, offset)
		}
	}
	return out, nil
}
