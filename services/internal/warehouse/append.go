package warehouse

import "context"

// Append inserts rows that no topic holds, such as the readers' own: what
// fails is simply done again. Insert is "INSERT INTO t (a, b)"; rows adds each.
func (d *DB) Append(ctx context.Context, insert string, rows func(add func(...any) error) error) error {
	batch, err := d.conn.PrepareBatch(ctx, insert)
	if err != nil {
		return wrap(insert, err)
	}
	defer batch.Close()
	if err := rows(batch.Append); err != nil {
		return wrap(insert, err)
	}
	return wrap(insert, batch.Send())
}
