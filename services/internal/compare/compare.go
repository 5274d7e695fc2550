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

	// Together, when set, is the one other server that holds both sides: From of
	// both is then as that server knows it.
	Together Place

	// Scratch is an existing database for tables of its own, which it drops.
	Scratch string
	// Memory is what one step is cut to fit into, in bytes; 0 = 1 GiB.
	Memory uint64
	// Threads bounds the processors it uses; 0 = ClickHouse's choice.
	Threads int
	// Progress, when set, hears which step begins.
	Progress func(step string)

	id   string
	told uint64 // rows of A that step 3 spoke of
}

// rangeRows is about how many rows step 3 holds in memory at once, groupBytes
// what a row costs at most while keys are grouped, twiceBytes while they are
// searched for ones of several rows, hashBytes while hashes are held.
const (
	rangeRows  = 400_000
	groupBytes = 160
	twiceBytes = 32
	hashBytes  = 16
)

// Run compares and hands over every divergence, those of a record together.
// An error of found ends the run and is returned as it is.
func (c *Comparison) Run(ctx context.Context, db *warehouse.DB, found func(*Divergence) error) (*Summary, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	c.id = strings.ToLower(rand.Text()[:12])
	ctx = warehouse.WithSettings(ctx, c.settings())
	if err := c.sweep(ctx, db, abandoned); err != nil {
		return nil, err
	}
	defer c.clean(ctx, db)
	sum := newSummary(c.Fields)
	collect := c.collect
	if c.Together != nil {
		collect = c.collectTogether
	}
	suspects, err := collect(ctx, db, sum)
	if err != nil {
		return nil, err
	}
	if suspects {
		if err := c.read(ctx, db, sum, found); err != nil {
			return nil, err
		}
	}
	sum.close(c.told)
	return sum, nil
}

// collect stores the rows that may differ.
func (c *Comparison) collect(ctx context.Context, db *warehouse.DB, sum *Summary) (any bool, err error) {
	engine, err := c.hashEngine(ctx, db)
	if err != nil {
		return false, err
	}
	if err := c.exec(ctx, db, "prepare the comparison", c.createHashes(engine)...); err != nil {
		return false, err
	}
	for _, s := range []side{sideA, sideB} {
		c.progress("read side " + s.String())
		if err := c.exec(ctx, db, "hash side "+s.String(), c.storeHashes(s)); err != nil {
			return false, err
		}
		if err := sum.side(s).read(ctx, db, c.countHashes(s)); err != nil {
			return false, err
		}
	}
	rows := sum.A.Rows + sum.B.Rows
	if err := c.suspect(ctx, db, rows, sum.A.Rows); err != nil {
		return false, err
	}
	keys, err := number(ctx, db, c.countSuspects())
	if err != nil || keys == 0 {
		return false, err
	}
	if err := c.exec(ctx, db, "prepare the comparison", c.createRows()); err != nil {
		return false, err
	}
	for _, s := range []side{sideA, sideB} {
		c.progress(fmt.Sprintf("read %d keys that may differ, side %s", keys, s))
		if err := c.exec(ctx, db, "read rows that may differ", c.storeRows(s, 4*keys > rows)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// hashEngine holds hashes in memory where they are sure to take no more than a
// half of what is allowed: a sixth less CPU than on disk. A set of which only a
// part is read, or that another server holds, would have to be read to be counted.
func (c *Comparison) hashEngine(ctx context.Context, db *warehouse.DB) (string, error) {
	var rows uint64
	for _, s := range []side{sideA, sideB} {
		if set := s.set(c); set.At != nil || set.Where != "" {
			return onDisk, nil
		}
		n, err := number(ctx, db, c.countAll(s))
		if err != nil {
			return "", err
		}
		rows += n
	}
	if rows*hashBytes > c.memory()/2 {
		return onDisk, nil
	}
	return inMemory, nil
}

// suspect finds the suspects among so many rows of both sides. Where most lie in
// unequal buckets, finer ones spare grouping them; where few do, those would
// cost more than they spare.
func (c *Comparison) suspect(ctx context.Context, db *warehouse.DB, rows, rowsA uint64) error {
	c.progress("find keys that may differ")
	cut := coarse
	unequal, err := c.sumUp(ctx, db, cut)
	if f := finer(rows); err == nil && f > cut && unequal > rows/8 {
		cut = f
		unequal, err = c.sumUp(ctx, db, cut)
	}
	if err != nil {
		return err
	}
	if unequal > 0 {
		for _, p := range spans(unequal * groupBytes / c.memory()) {
			if err := c.exec(ctx, db, "look for keys that differ", c.findSuspects(p, cut)); err != nil {
				return err
			}
		}
	}
	for _, p := range spans(rowsA * twiceBytes / c.memory()) {
		twice, err := number(ctx, db, c.countTwice(p, cut))
		if err == nil && twice > 0 {
			err = c.exec(ctx, db, "look for keys that several rows hold", c.findTwice(p, cut))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sumUp stores the unequal buckets and returns how many rows lie in them.
func (c *Comparison) sumUp(ctx context.Context, db *warehouse.DB, cut bits) (rows uint64, err error) {
	if err := c.exec(ctx, db, "sum up buckets", c.findUnequal(cut)...); err != nil {
		return 0, err
	}
	return number(ctx, db, c.countUnequal())
}

func (c *Comparison) read(ctx context.Context, db *warehouse.DB, sum *Summary, found func(*Divergence) error) error {
	rows, err := number(ctx, db, c.countRows())
	if err != nil {
		return err
	}
	parts := spans(rows / rangeRows)
	for i, p := range parts {
		c.progress(fmt.Sprintf("compare cell by cell, part %d of %d", i+1, len(parts)))
		err := db.Each(ctx, c.readRange(p), func(scan warehouse.Scan) error {
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

// spans cuts all key hashes into n + 1 ranges.
func spans(n uint64) []span {
	width := math.MaxUint64 / (n + 1)
	parts := make([]span, n+1)
	for i := range parts {
		parts[i] = span{uint64(i) * width, uint64(i+1)*width - 1}
	}
	parts[n].to = math.MaxUint64
	return parts
}

func number(ctx context.Context, db *warehouse.DB, query string) (uint64, error) {
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := db.Query(ctx, &rows, query); err != nil {
		return 0, fmt.Errorf("count what may differ: %w", err)
	}
	return rows[0].N, nil
}

func (s *Side) read(ctx context.Context, db *warehouse.DB, query string) error {
	var rows []struct {
		Rows  uint64 `ch:"rows"`
		Blank uint64 `ch:"blank"`
	}
	if err := db.Query(ctx, &rows, query); err != nil {
		return fmt.Errorf("count rows: %w", err)
	}
	s.Rows, s.NoKey = rows[0].Rows, rows[0].Blank
	return nil
}

func (c *Comparison) exec(ctx context.Context, db *warehouse.DB, doing string, statements ...string) error {
	for _, sql := range statements {
		if err := db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", doing, err)
		}
	}
	return nil
}

func (c *Comparison) memory() uint64 {
	if c.Memory == 0 {
		return 1 << 30
	}
	return c.Memory
}

func (c *Comparison) settings() map[string]any {
	memory := c.memory()
	s := map[string]any{
		"max_bytes_before_external_group_by":       memory,
		"max_bytes_ratio_before_external_group_by": 0,
		"max_bytes_before_external_sort":           memory,
		"max_execution_time":                       0,
		"http_receive_timeout":                     7200, // another server may think for long before it answers
		"http_max_tries":                           1,
		"http_make_head_request":                   0, // a server may answer it by running the query
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
