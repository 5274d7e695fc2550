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
	queries   []string // prefixes of the ids of INSERTs that may still run
	lettered  bool     // the dead letters are written
}

// chunk is the rows of one INSERT.
type chunk struct {
	table *warehouse.Table
	month int
	fates []*fate
	size  int // rows at the beginning, before any was found stored
	done  bool
}

// queryPrefix starts the ids of all INSERTs of a batch.
func queryPrefix(id string) string { return "plumbline-sink-" + id + "-" }

func newBatch(spans []span) *batch {
	b := &batch{id: rand.Text(), spans: spans}
	b.queries = []string{queryPrefix(b.id)}
	chunks := map[string]*chunk{}
	for i := range spans {
		s := &spans[i]
		if s.found != nil {
			b.uncertain = true
			b.gen = max(b.gen, s.found.Gen)
			b.queries = append(b.queries, queryPrefix(s.found.Batch))
		}
		for j := range s.fates {
			f := &s.fates[j]
			if f.table == nil {
				continue
			}
			month := f.table.Month(f.row.Event)
			key := f.table.Name + "/" + strconv.Itoa(month)
			c := chunks[key]
			if c == nil {
				c = &chunk{table: f.table, month: month}
				chunks[key] = c
				b.chunks = append(b.chunks, c)
			}
			c.fates = append(c.fates, f)
			c.size++
		}
	}
	return b
}

// drop leaves out a partition that another member owns now; its intent stays
// where it is and the other member settles it.
func (b *batch) drop(partition int32) {
	b.spans = slices.DeleteFunc(b.spans, func(s span) bool { return s.part.id == partition })
	for _, c := range b.chunks {
		c.fates = slices.DeleteFunc(c.fates, func(f *fate) bool { return f.row.Partition == partition })
	}
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
func (b *batch) block(c *chunk, fates []*fate, piece string) warehouse.Block {
	name := fmt.Sprintf("%s-%d-g%d%s", c.table.Name, c.month, b.gen, piece)
	out := warehouse.Block{
		Table: c.table, QueryID: queryPrefix(b.id) + name, Token: b.id + "-" + name,
		Rows: make([]warehouse.Row, len(fates)),
	}
	for i, f := range fates {
		out.Rows[i] = f.row
	}
	return out
}

// plainToken is the same for the same ranges, in every process: what those use
// who leave everything to the server.
func (b *batch) plainToken(c *chunk) string {
	parts := []string{c.table.Name, strconv.Itoa(c.month)}
	for i := range b.spans {
		s := &b.spans[i]
		parts = append(parts, fmt.Sprintf("%d:%d:%d", s.part.id, s.from, s.to))
	}
	slices.Sort(parts[2:])
	return event.Hash(parts...)
}
