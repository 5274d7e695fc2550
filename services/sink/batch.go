package sink

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// batch is what is stored together: ranges of some partitions, as one INSERT
// for each table and ClickHouse partition.
type batch struct {
	id     string
	gen    int
	spans  []span
	chunks []*chunk
	// uncertain: an INSERT of these ranges may have happened, here or in
	// another process. Nothing is inserted before looking.
	uncertain bool
	queries   []string       // prefixes of the ids of INSERTs that may still run
	lettered  bool           // the dead letters are written
	fates     map[string]int // by result
	pieces    int            // INSERTs a chunk is divided into, where ClickHouse is slow
}

// chunk is the rows of one INSERT.
type chunk struct {
	table *warehouse.Table
	month int32
	fates []placed
	cells *warehouse.Cells // exactly the fates, or nil when they have to be encoded again
	size  int              // rows at the beginning, before any was found stored
	done  bool
}

// placed is a fate and the partition it was read from.
type placed struct {
	*fate
	partition int32
}

// keep leaves only the fates that a function names.
func (c *chunk) keep(which func(placed) bool) {
	before := len(c.fates)
	c.fates = slices.DeleteFunc(c.fates, func(f placed) bool { return !which(f) })
	if len(c.fates) != before {
		c.cells = nil
	}
}

// queryPrefix starts the ids of all INSERTs of a batch.
func queryPrefix(id string) string { return "plumbline-sink-" + id + "-" }

// newBatch decodes the records of some spans, each once.
func (r *runner) newBatch(spans []span) (*batch, error) {
	b := &batch{id: rand.Text(), spans: spans, fates: map[string]int{}}
	b.queries = []string{queryPrefix(b.id)}
	var row warehouse.Row
	for i := range spans {
		s := &spans[i]
		for j := range s.fates {
			if f := &s.fates[j]; f.kind != nil {
				r.enter(b, placed{f, s.part.id}, &row)
			}
		}
		if err := s.matches(); err != nil {
			return nil, err
		}
		if s.from < s.part.recheck {
			b.uncertain = true
			if s.part.stale != "" {
				b.queries = append(b.queries, queryPrefix(s.part.stale))
			}
		}
		if s.found != nil {
			b.uncertain = true
			b.gen = max(b.gen, s.found.Gen)
			b.queries = append(b.queries, queryPrefix(s.found.Batch))
		}
	}
	r.count(b.fates)
	return b, nil
}

// enter puts a record into its chunk, or gives it up.
func (r *runner) enter(b *batch, f placed, row *warehouse.Row) {
	t := f.kind.table
	code, err := "undecodable", r.dec.row(f.fate, f.partition, row)
	if err == nil {
		code, err = "invalid", t.Check(row.Event)
	}
	if err != nil {
		r.dec.refuse(f.fate, f.partition, code, err)
		b.fates[resultRefused]++
		return
	}
	if r.dec.isErased(t, row.Event) {
		f.kind = nil
		b.fates[resultErased]++
		return
	}
	f.month = int32(t.Month(row.Event))
	c := b.chunk(t, f.month)
	if c.cells == nil {
		c.cells = r.cells(t)
	}
	c.cells.Add(row)
	c.fates = append(c.fates, f)
	c.size++
	b.fates[resultRow]++
}

func (b *batch) chunk(t *warehouse.Table, month int32) *chunk {
	for _, c := range b.chunks {
		if c.table == t && c.month == month {
			return c
		}
	}
	c := &chunk{table: t, month: month}
	b.chunks = append(b.chunks, c)
	return c
}

// encode makes the cells of fates that were decoded before, with a decoder of
// its own: meanwhile the next batch is made.
func (r *runner) encode(t *warehouse.Table, fates []placed) (*warehouse.Cells, error) {
	out := r.cells(t)
	var row warehouse.Row
	for _, f := range fates {
		if err := r.again.row(f.fate, f.partition, &row); err != nil {
			return nil, err
		}
		out.Add(&row)
	}
	return out, nil
}

// cells takes an empty block from those that were used before.
func (r *runner) cells(t *warehouse.Table) *warehouse.Cells {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.spare[t]
	if len(list) == 0 {
		return t.NewCells()
	}
	r.spare[t] = list[:len(list)-1]
	return list[len(list)-1]
}

// maxSpare blocks of a table are kept: one that is stored, one that is made.
const maxSpare = 2

func (r *runner) release(t *warehouse.Table, c *warehouse.Cells) {
	if c == nil {
		return
	}
	c.Reset()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.spare[t]) < maxSpare {
		r.spare[t] = append(r.spare[t], c)
	}
}

// drop leaves out a partition that another member owns now; its intent stays
// where it is and the other member settles it.
func (b *batch) drop(partition int32) {
	b.spans = slices.DeleteFunc(b.spans, func(s span) bool { return s.part.id == partition })
	for _, c := range b.chunks {
		c.keep(func(f placed) bool { return f.partition != partition })
	}
}

func (b *batch) holds(partition int32) bool {
	return slices.ContainsFunc(b.spans, func(s span) bool { return s.part.id == partition })
}

// missing reports whether any chunk is not stored yet.
func (b *batch) missing() bool {
	return slices.ContainsFunc(b.chunks, func(c *chunk) bool { return !c.done && len(c.fates) > 0 })
}

func (b *batch) intents() (map[int32]bus.Position, error) {
	return b.positions(func(s *span) (bus.Position, error) { return s.intent(b.id, b.gen) })
}

func (b *batch) results() (map[int32]bus.Position, error) {
	return b.positions((*span).done)
}

func (b *batch) positions(of func(*span) (bus.Position, error)) (map[int32]bus.Position, error) {
	out := make(map[int32]bus.Position, len(b.spans))
	for i := range b.spans {
		pos, err := of(&b.spans[i])
		if err != nil {
			return nil, err
		}
		out[b.spans[i].part.id] = pos
	}
	return out, nil
}

func (b *batch) letters() []*event.DeadLetter {
	var out []*event.DeadLetter
	for i := range b.spans {
		for j := range b.spans[i].fates {
			if l := b.spans[i].fates[j].letter; l != nil {
				out = append(out, l)
			}
		}
	}
	return out
}

// block is the INSERT of some of a chunk's rows; piece tells pieces of a
// divided chunk apart. The batch id in the token is random, so no token of an
// earlier life can swallow the rows.
func (b *batch) block(c *chunk, cells *warehouse.Cells, piece string) warehouse.Block {
	name := fmt.Sprintf("%s-%d-g%d%s", c.table.Name, c.month, b.gen, piece)
	return warehouse.Block{Table: c.table, QueryID: queryPrefix(b.id) + name, Token: b.id + "-" + name, Cells: cells}
}

// plainToken is the same for the same ranges, in every process: what those use
// who leave everything to the server.
func (b *batch) plainToken(c *chunk) string {
	parts := []string{c.table.Name, strconv.Itoa(int(c.month))}
	for i := range b.spans {
		s := &b.spans[i]
		parts = append(parts, fmt.Sprintf("%d:%d:%d", s.part.id, s.from, s.to))
	}
	slices.Sort(parts[2:])
	return event.Hash(parts...)
}
