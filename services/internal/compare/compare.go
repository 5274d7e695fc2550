package compare

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// Comparison is one run. It is used once.
type Comparison struct {
	A, B   Set // A is the source, B the target
	Fields []Field

	// Scratch is an existing database for tables of its own, which it drops.
	Scratch string
	// Memory bounds what one step takes before it spills, in bytes; 0 = 1 GiB.
	Memory uint64
	// Threads bounds the processors it uses; 0 = ClickHouse's choice.
	Threads int
	// Progress, when set, hears which step begins.
	Progress func(step string)

	id   string
	told uint64 // rows of A that step 3 spoke of
}

// rangeRows is about how many rows step 3 holds in memory at once.
const rangeRows = 400_000

// Run compares and hands over every divergence, those of a record together.
// An error of found ends the run and is returned as it is.
func (c *Comparison) Run(ctx context.Context, db *warehouse.DB, found func(*Divergence) error) (*Summary, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.id = strings.ToLower(rand.Text()[:12])
	ctx = warehouse.WithSettings(ctx, c.settings())
	defer c.clean(ctx, db)
	for _, sql := range c.createTables() {
		if err := db.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("prepare the comparison: %w", err)
		}
	}
	sum := newSummary(c.Fields)
	if err := c.count(ctx, db, sum); err != nil {
		return nil, err
	}
	c.progress("hash both sides")
	if err := db.Exec(ctx, c.findSuspects()); err != nil {
		return nil, fmt.Errorf("hash both sides: %w", err)
	}
	suspects, err := c.suspects(ctx, db)
	if err != nil {
		return nil, err
	}
	if suspects.Keys > 0 {
		if err := c.store(ctx, db, sum, suspects); err != nil {
			return nil, err
		}
		if err := c.read(ctx, db, sum, suspects, found); err != nil {
			return nil, err
		}
	}
	sum.close(c.told)
	return sum, nil
}

func (c *Comparison) count(ctx context.Context, db *warehouse.DB, sum *Summary) error {
	c.progress("count both sides")
	for _, side := range []struct {
		set  *Set
		into *Side
	}{{&c.A, &sum.A}, {&c.B, &sum.B}} {
		var rows []struct {
			Rows  uint64 `ch:"rows"`
			Blank uint64 `ch:"blank"`
		}
		if err := db.Query(ctx, &rows, countSQL(side.set)); err != nil {
			return fmt.Errorf("count rows: %w", err)
		}
		side.into.Rows, side.into.NoKey = rows[0].Rows, rows[0].Blank
	}
	return nil
}

// suspectKeys counts what step 1 left open.
type suspectKeys struct {
	Keys uint64 `ch:"keys"`
	A    uint64 `ch:"a"`
	B    uint64 `ch:"b"`
}

func (c *Comparison) suspects(ctx context.Context, db *warehouse.DB) (suspectKeys, error) {
	var rows []suspectKeys
	if err := db.Query(ctx, &rows, c.suspectCounts()); err != nil {
		return suspectKeys{}, fmt.Errorf("count what differs: %w", err)
	}
	return rows[0], nil
}

func (c *Comparison) store(ctx context.Context, db *warehouse.DB, sum *Summary, s suspectKeys) error {
	all := 2*(s.A+s.B) > sum.A.Rows+sum.B.Rows
	for _, side := range []side{sideA, sideB} {
		c.progress(fmt.Sprintf("read %d keys that may differ, side %c", s.Keys, 'A'+rune(side)))
		if err := db.Exec(ctx, c.storeRows(side, all)); err != nil {
			return fmt.Errorf("read rows that may differ: %w", err)
		}
	}
	return nil
}

func (c *Comparison) read(ctx context.Context, db *warehouse.DB, sum *Summary, s suspectKeys, found func(*Divergence) error) error {
	parts := (s.A+s.B)/rangeRows + 1
	width := math.MaxUint64 / parts
	for i := range parts {
		c.progress(fmt.Sprintf("compare cell by cell, part %d of %d", i+1, parts))
		from, to := i*width, (i+1)*width-1
		if i == parts-1 {
			to = math.MaxUint64
		}
		err := db.Each(ctx, c.readRange(from, to), func(scan warehouse.Scan) error {
			var r record
			if err := r.read(scan); err != nil {
				return err
			}
			return c.tell(&r, sum, found)
		})
		if err != nil {
			return fmt.Errorf("compare cell by cell: %w", err)
		}
	}
	return nil
}

func (c *Comparison) settings() map[string]any {
	memory := c.Memory
	if memory == 0 {
		memory = 1 << 30
	}
	s := map[string]any{
		"max_bytes_before_external_group_by":       memory,
		"max_bytes_ratio_before_external_group_by": 0,
		"max_bytes_before_external_sort":           memory,
		"max_execution_time":                       0,
	}
	if c.Threads > 0 {
		s["max_threads"] = c.Threads
	}
	return s
}

// clean also runs when the caller gave up: nobody else knows the tables.
func (c *Comparison) clean(ctx context.Context, db *warehouse.DB) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	for _, sql := range c.dropTables() {
		_ = db.Exec(ctx, sql)
	}
}

func (c *Comparison) progress(step string) {
	if c.Progress != nil {
		c.Progress(step)
	}
}

func nullable(s *string) event.Value {
	if s == nil {
		return event.Value{Kind: event.KindNull}
	}
	return event.Value{Text: *s}
}
