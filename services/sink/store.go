package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

const commitTimeout = 30 * time.Second

// store takes the batch as far as it gets. It may be called again after any
// error: what is done stays done, and what is uncertain is looked up first.
// Work that began is not cancelled half-way by a shutdown.
func (r *runner) store(ctx context.Context, b *batch) error {
	ctx = context.WithoutCancel(ctx)
	if b.uncertain && !r.opts.TrustTokens {
		if err := r.settle(ctx, b); err != nil {
			return err
		}
	}
	if b.missing() {
		if err := r.announce(ctx, b); err != nil {
			return err
		}
		for _, c := range b.chunks {
			if c.done || len(c.fates) == 0 {
				continue
			}
			if err := r.insert(ctx, b, c); err != nil {
				b.uncertain = true
				return err
			}
			c.done = true
		}
	}
	if !b.lettered {
		if err := r.bury(ctx, b.letters()); err != nil {
			return err
		}
		b.lettered = true
	}
	return r.finish(ctx, b)
}

// announce commits the intents, with a new generation: the group refuses it
// when the partitions have another owner by now.
func (r *runner) announce(ctx context.Context, b *batch) error {
	b.gen++
	if err := r.opts.Failpoint(pointBeforeIntent); err != nil {
		return crash(err)
	}
	intents, err := b.intents()
	if err != nil {
		return err
	}
	if err := r.commit(ctx, intents); err != nil {
		return err
	}
	if err := r.opts.Failpoint(pointAfterIntent); err != nil {
		return crash(err)
	}
	return nil
}

func (r *runner) finish(ctx context.Context, b *batch) error {
	if err := r.opts.Failpoint(pointBeforeCommit); err != nil {
		return crash(err)
	}
	results, err := b.results()
	if err != nil {
		return err
	}
	if err := r.commit(ctx, results); err != nil {
		return err
	}
	if err := r.opts.Failpoint(pointAfterCommit); err != nil {
		return crash(err)
	}
	return nil
}

func (r *runner) commit(ctx context.Context, positions map[int32]bus.Position) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	return r.group.Commit(ctx, positions)
}

// settle makes certain what is stored: end the INSERTs that may still run,
// then look for every offset, and keep only the rows that are not there.
// A row that is missing because its newer version was merged over it is
// inserted again and merged away again: its key is the same.
func (r *runner) settle(ctx context.Context, b *batch) error {
	for _, prefix := range b.queries {
		stop, cancel := context.WithTimeout(ctx, r.opts.InsertTimeout)
		err := r.opts.Warehouse.StopQueries(stop, prefix)
		cancel()
		if err != nil {
			return fmt.Errorf("end an uncertain insert: %w", err)
		}
	}
	present := map[string]map[int32]map[int64]bool{}
	for _, c := range b.chunks {
		if c.done || present[c.table.Name] != nil {
			continue
		}
		found, err := r.lookUp(ctx, b, c.table)
		if err != nil {
			return err
		}
		present[c.table.Name] = found
	}
	for _, c := range b.chunks {
		if c.done {
			continue
		}
		before := len(c.fates)
		c.keep(func(f placed) bool { return !present[c.table.Name][f.partition][f.offset] })
		r.m.settled.WithLabelValues(r.spec.Name, found(before, len(c.fates))).Inc()
		c.done = len(c.fates) == 0
	}
	b.uncertain = false
	return nil
}

func found(all, left int) string {
	switch left {
	case 0:
		return "all"
	case all:
		return "none"
	}
	return "part"
}

func (r *runner) lookUp(ctx context.Context, b *batch, t *warehouse.Table) (map[int32]map[int64]bool, error) {
	out := map[int32]map[int64]bool{}
	for i := range b.spans {
		s := &b.spans[i]
		look, cancel := context.WithTimeout(ctx, r.opts.InsertTimeout)
		got, err := r.opts.Warehouse.Present(look, t, warehouse.Range{
			Topic: r.spec.Name, Epoch: s.part.epoch, Partition: s.part.id, From: s.from, To: s.to,
		})
		cancel()
		if err != nil {
			return nil, fmt.Errorf("read back %s: %w", t.Name, err)
		}
		out[s.part.id] = got
	}
	return out, nil
}

// insert stores a chunk, without the rows that the server refuses for good.
func (r *runner) insert(ctx context.Context, b *batch, c *chunk) error {
	if err := r.opts.Failpoint(pointBeforeInsert); err != nil {
		return crash(err)
	}
	refused, err := r.inPieces(ctx, b, c)
	if err != nil {
		return err
	}
	if limit := max(10, c.size/10); len(refused) > limit {
		return fmt.Errorf("%w: %d of %d rows of %s, the first: %w", errTable, len(refused), c.size, c.table.Name, refused[0].err)
	}
	for _, bad := range refused {
		r.again.refuse(bad.fate.fate, bad.fate.partition, "refused", bad.err)
		if err := r.bury(ctx, []*event.DeadLetter{bad.fate.letter}); err != nil {
			return err
		}
	}
	if err := r.opts.Failpoint(pointAfterInsert); err != nil {
		return crash(err)
	}
	return nil
}

// inPieces sends a chunk as one INSERT, or as several where whole ones did not
// end in time: what one of them stored is stored, and found by reading back.
func (r *runner) inPieces(ctx context.Context, b *batch, c *chunk) ([]refusal, error) {
	if b.pieces <= 1 || len(c.fates) < b.pieces {
		return r.divide(ctx, b, c, c.fates, "")
	}
	var refused []refusal
	size := (len(c.fates) + b.pieces - 1) / b.pieces
	for part := range slices.Chunk(c.fates, size) {
		bad, err := r.divide(ctx, b, c, part, "p"+strconv.Itoa(int(part[0].partition))+"o"+strconv.FormatInt(part[0].offset, 10))
		if err != nil {
			return nil, err
		}
		refused = append(refused, bad...)
	}
	return refused, nil
}

// errTable: when a table refuses many rows, it is the table that is wrong,
// and giving the rows up would empty the topic into the dead letters.
var errTable = errors.New("the table was altered so that it refuses rows; compare it with `plumbline schema`")

type refusal struct {
	fate placed
	err  error
}

// divide halves a refused block until the bad rows stand alone.
func (r *runner) divide(ctx context.Context, b *batch, c *chunk, fates []placed, piece string) ([]refusal, error) {
	err := r.send(ctx, b, c, fates, piece)
	if err == nil || warehouse.KindOf(err) != warehouse.KindData {
		return nil, err
	}
	if len(fates) == 1 {
		return []refusal{{fates[0], err}}, nil
	}
	half := len(fates) / 2
	left, err := r.divide(ctx, b, c, fates[:half], piece+"l")
	if err != nil {
		return nil, err
	}
	right, err := r.divide(ctx, b, c, fates[half:], piece+"r")
	return append(left, right...), err
}

func (r *runner) send(ctx context.Context, b *batch, c *chunk, fates []placed, piece string) error {
	cells := c.cells
	if cells == nil || len(fates) != len(c.fates) {
		var err error
		if cells, err = r.encode(c.table, fates); err != nil {
			return err
		}
		defer r.release(c.table, cells)
	}
	block := b.block(c, cells, piece)
	if r.opts.TrustTokens {
		block.Token = b.plainToken(c) + piece
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.InsertTimeout)
	defer cancel()
	begun := time.Now()
	err := r.opts.Warehouse.Insert(ctx, block)
	r.m.seconds.WithLabelValues(c.table.Name).Observe(time.Since(begun).Seconds())
	if err != nil {
		r.m.inserts.WithLabelValues(c.table.Name, string(warehouse.KindOf(err))).Inc()
		return err
	}
	r.m.inserts.WithLabelValues(c.table.Name, "ok").Inc()
	r.m.rows.WithLabelValues(c.table.Name).Add(float64(len(fates)))
	return nil
}

// bury writes dead letters and returns when they are durable.
func (r *runner) bury(ctx context.Context, letters []*event.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	messages := make([]bus.Message, len(letters))
	for i, l := range letters {
		if r.opts.Seal != nil && !l.Sealed {
			l.Bytes, l.KeyID = r.opts.Seal(l.Tenant, l.Origin, l.Bytes)
			l.Sealed = true
		}
		messages[i] = bus.Message{Topic: topic.DeadLetters, Key: l.Origin, Time: l.ReceivedAt, Event: l}
	}
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	if err := r.opts.DeadLetters.Produce(ctx, messages...); err != nil {
		return fmt.Errorf("write dead letters: %w", err)
	}
	r.m.letters.WithLabelValues(r.spec.Name).Add(float64(len(letters)))
	return nil
}
