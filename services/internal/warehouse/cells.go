package warehouse

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Cells are rows of one table as ClickHouse's Native format has them, column
// by column. A row is copied in and may be forgotten; the buffers are kept for
// the next block.
type Cells struct {
	table   *Table
	columns []cells
	rows    int
}

// NewCells is an empty block of the table.
func (t *Table) NewCells() *Cells { return &Cells{table: t, columns: make([]cells, len(t.columns))} }

// Add copies a row whose event passed Check.
func (b *Cells) Add(r *Row) {
	for i := range b.table.columns {
		b.table.columns[i].put(&b.columns[i], r)
	}
	b.rows++
}

// Len is the number of rows.
func (b *Cells) Len() int { return b.rows }

// Size is the number of bytes held.
func (b *Cells) Size() int {
	n := 0
	for i := range b.columns {
		c := &b.columns[i]
		n += len(c.nulls) + len(c.offsets) + len(c.keys) + len(c.data)
	}
	return n
}

// keptBuffer is up to where a column's buffer is kept: one odd block must not
// hold its memory for ever.
const keptBuffer = 8 << 20

// Reset empties the block.
func (b *Cells) Reset() {
	b.rows = 0
	for i := range b.columns {
		c := &b.columns[i]
		*c = cells{nulls: empty(c.nulls), offsets: empty(c.offsets), keys: empty(c.keys), data: empty(c.data)}
	}
}

func empty(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b[:0]
}

// native is the block's bytes, without copying them together.
func (b *Cells) native() (body io.Reader, size int) {
	head := binary.AppendUvarint(nil, uint64(len(b.columns)))
	head = binary.AppendUvarint(head, uint64(b.rows))
	parts := make([]io.Reader, 0, 5*len(b.columns))
	add := func(p []byte) {
		if len(p) > 0 {
			size += len(p)
			parts = append(parts, bytes.NewReader(p))
		}
	}
	for i := range b.columns {
		c := &b.columns[i]
		for _, word := range []string{b.table.wire[i].Name, b.table.wire[i].Type} {
			head = binary.AppendUvarint(head, uint64(len(word)))
			head = append(head, word...)
		}
		add(head)
		head = nil
		add(c.nulls)
		add(c.offsets)
		add(c.keys)
		add(c.data)
	}
	return io.MultiReader(parts...), size
}

// cells is one column: which of its parts are used depends on its type.
type cells struct {
	nulls   []byte // a byte a row
	offsets []byte // where each row's items end
	keys    []byte // of maps
	data    []byte
	items   uint64
}

func (c *cells) str(s string) {
	c.data = binary.AppendUvarint(c.data, uint64(len(s)))
	c.data = append(c.data, s...)
}

func (c *cells) bytes(s []byte) {
	c.data = binary.AppendUvarint(c.data, uint64(len(s)))
	c.data = append(c.data, s...)
}

func (c *cells) key(s string) {
	c.keys = binary.AppendUvarint(c.keys, uint64(len(s)))
	c.keys = append(c.keys, s...)
}

func (c *cells) u64(n uint64) { c.data = binary.LittleEndian.AppendUint64(c.data, n) }

func (c *cells) null(n int64, known bool) {
	if !known {
		c.nulls, n = append(c.nulls, 1), 0
	} else {
		c.nulls = append(c.nulls, 0)
	}
	c.u64(uint64(n))
}

// cellsOf makes the block of rows that are at hand as events.
func cellsOf(t *Table, rows []Row) *Cells {
	b := t.NewCells()
	for i := range rows {
		b.Add(&rows[i])
	}
	return b
}
