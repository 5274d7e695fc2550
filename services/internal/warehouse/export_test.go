package warehouse

import "context"

// InsertBatch sends a block the way that servers of the native protocol get it.
func (d *DB) InsertBatch(ctx context.Context, b Block) error {
	settings, err := d.insertSettings(ctx, b.Token)
	if err != nil {
		return err
	}
	b.Cells = cellsOf(b.Table, b.Rows)
	return d.batch(ctx, b, settings)
}
