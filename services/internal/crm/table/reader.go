// Package table reads records out of what is no CRM: tables of Postgres,
// MySQL and ClickHouse, and files of CSV, NDJSON and Parquet on disk, behind
// HTTP or in S3.
package table

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/warehouse"
)

// Options of a reader. System, DSN and Budget are required.
type Options struct {
	System       string // as the configuration names it
	DSN          string
	Token        string // of HTTP
	Tables       map[string]config.Table
	AllowPrivate bool
	Budget       *crm.Budget
	Clock        pace.Clock
	// Engine reads Parquet: a ClickHouse on this machine. nil = none.
	Engine *warehouse.DB
}

// Reader implements crm.Reader.
type Reader struct {
	o    Options
	from source
}

// source hands over rows. What it cannot leave out itself, the reader does.
type source interface {
	scan(ctx context.Context, t config.Table, w wanted, to sink) error
	close()
}

// wanted narrows a scan, where the source can.
type wanted struct {
	scope  string // marks rows, and leaves them out if only
	only   bool
	field  string // has one of values
	values []string
	since  event.Time
	newest bool // the latest first
	limit  int  // 0 = all
	none   bool // columns only
	count  bool // one row with the number of rows
}

// sink takes the columns once, and then the rows. Cells last until the next.
type sink struct {
	columns func([]column) error
	row     func([][]byte) error
}

type column struct{ name, kind string }

// scopeColumn is what sources add to say whether a row is in scope.
const scopeColumn = "plumbline_in_scope"

// countColumn is the only one of a counted answer.
const countColumn = "plumbline_count"

// New makes a reader; it calls nothing yet.
func New(o Options) (*Reader, error) {
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	from, err := locate(&o)
	if err != nil {
		return nil, err
	}
	return &Reader{o: o, from: from}, nil
}

// System implements crm.Reader.
func (r *Reader) System() string { return r.o.System }

// Close ends connections and drops what was fetched.
func (r *Reader) Close() { r.from.close() }

// table is where an object's rows are: as configured, or the table of its name.
func (r *Reader) table(object string) config.Table {
	t := r.o.Tables[object]
	if t.From == "" {
		t.From = object
	}
	if t.ID == "" {
		t.ID = "id"
	}
	return t
}

func (r *Reader) scan(ctx context.Context, object string, w wanted, to sink) error {
	if err := r.o.Budget.Take(ctx); err != nil {
		return err
	}
	return r.from.scan(ctx, r.table(object), w, to)
}

func (r *Reader) refused(format string, args ...any) error {
	return &crm.Error{Kind: crm.KindSchema, System: r.o.System, Message: fmt.Sprintf(format, args...)}
}

// Describe implements crm.Reader.
func (r *Reader) Describe(ctx context.Context, object string) ([]crm.Property, error) {
	var out []crm.Property
	err := r.scan(ctx, object, wanted{none: true}, sink{columns: func(columns []column) error {
		for _, c := range columns {
			p := crm.Property{Name: c.name, Label: c.name, Kind: c.kind, Unique: c.name == r.table(object).ID}
			if p.Kind == "" {
				p.Kind = value.Text
			}
			out = append(out, p)
		}
		return nil
	}, row: func([][]byte) error { return nil }})
	return out, err
}

// Metadata implements crm.Reader.
func (r *Reader) Metadata(ctx context.Context, object string) (crm.Metadata, error) {
	properties, err := r.Describe(ctx, object)
	return crm.NewMetadata(r.o.System, object, properties), err
}

// Count implements crm.Reader.
func (r *Reader) Count(ctx context.Context, q crm.Query) (n int64, err error) {
	c := &converter{q: q, t: r.table(q.Object)}
	counted := false
	err = r.scan(ctx, q.Object, wanted{scope: q.Scope, only: true, count: true}, sink{
		columns: func(columns []column) error {
			counted = len(columns) == 1 && columns[0].name == countColumn
			c.columns(columns)
			return nil
		},
		row: func(cells [][]byte) (err error) {
			if counted {
				n, err = strconv.ParseInt(string(cells[0]), 10, 64)
			} else if !c.record(cells).Deleted {
				n++
			}
			return err
		},
	})
	return n, err
}

// batch is how many records are handed over together.
const batch = 2000

// All implements crm.Reader. A table has no order that could be gone on with:
// an interrupted read begins anew.
func (r *Reader) All(ctx context.Context, q crm.Query, yield func(crm.Page) error) error {
	at := event.At(r.o.Clock.Now())
	return r.batches(ctx, q, wanted{scope: q.Scope, only: true}, func(records []crm.Record) error {
		records = slices.DeleteFunc(records, func(x crm.Record) bool { return x.Deleted })
		return yield(crm.Page{Records: records, At: at})
	})
}

// Together implements crm.Reader.
func (r *Reader) Together() int { return 1 }

// Modified implements crm.Reader.
func (r *Reader) Modified(ctx context.Context, qs []crm.Query, yield crm.Yield) []error {
	return crm.OneByOne(qs, yield, func(q crm.Query, yield func([]crm.Record) error) error { return r.modified(ctx, q, yield) })
}

func (r *Reader) modified(ctx context.Context, q crm.Query, yield func([]crm.Record) error) error {
	if r.table(q.Object).Modified == "" {
		return r.refused("%s cannot be polled: name its column of last modification, tables.%s.modified", q.Object, q.Object)
	}
	var changed []crm.Record
	err := r.batches(ctx, q, wanted{scope: q.Scope, since: q.Since}, func(records []crm.Record) error {
		for _, x := range records {
			if x.ModifiedAt >= q.Since {
				changed = append(changed, x)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(changed, func(a, b crm.Record) int { return int(min(max(a.ModifiedAt-b.ModifiedAt, -1), 1)) })
	for part := range slices.Chunk(changed, batch) {
		if err := yield(part); err != nil {
			return err
		}
	}
	return nil
}

// Latest implements crm.Reader.
func (r *Reader) Latest(ctx context.Context, q crm.Query, n int) ([]crm.Record, error) {
	var out []crm.Record
	newest := func(a, b crm.Record) int { return int(min(max(b.ModifiedAt-a.ModifiedAt, -1), 1)) }
	err := r.batches(ctx, q, wanted{scope: q.Scope, only: true, newest: true, limit: n}, func(records []crm.Record) error {
		out = append(out, records...)
		slices.SortStableFunc(out, newest)
		out = out[:min(n, len(out))]
		return nil
	})
	return out, err
}

// Get implements crm.Reader.
func (r *Reader) Get(ctx context.Context, q crm.Query, ids []string) ([]crm.Record, error) {
	return r.Find(ctx, q, r.table(q.Object).ID, ids)
}

// Find implements crm.Reader.
func (r *Reader) Find(ctx context.Context, q crm.Query, field string, values []string) ([]crm.Record, error) {
	var out []crm.Record
	for part := range slices.Chunk(values, batch) {
		err := r.batches(ctx, q, wanted{scope: q.Scope, field: field, values: part}, func(records []crm.Record) error {
			out = append(out, records...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(out, func(x crm.Record) bool { return x.Deleted }), nil
}

// Account implements crm.Reader.
func (r *Reader) Account(context.Context) (crm.Account, error) { return crm.Account{}, nil }

// Users implements crm.Reader: a table knows none.
func (r *Reader) Users(context.Context) (map[string]string, error) { return map[string]string{}, nil }

// Probe implements crm.Reader.
func (r *Reader) Probe(ctx context.Context) error {
	for object := range r.o.Tables {
		_, err := r.Describe(ctx, object)
		return err
	}
	return nil
}

// Cost implements crm.Reader.
func (r *Reader) Cost(way crm.Way, n int64) int64 {
	if way == crm.ByID {
		return max((n+batch-1)/batch, 1)
	}
	return 1
}

func (r *Reader) batches(ctx context.Context, q crm.Query, w wanted, yield func([]crm.Record) error) error {
	records := make([]crm.Record, 0, batch)
	err := r.read(ctx, q, w, func(x crm.Record) error {
		if records = append(records, x); len(records) < batch {
			return nil
		}
		err := yield(records)
		records = make([]crm.Record, 0, batch)
		return err
	})
	if err != nil || len(records) == 0 {
		return err
	}
	return yield(records)
}

// read makes records of rows.
func (r *Reader) read(ctx context.Context, q crm.Query, w wanted, record func(crm.Record) error) error {
	c := &converter{q: q, t: r.table(q.Object)}
	return r.scan(ctx, q.Object, w, sink{
		columns: func(columns []column) error {
			if missing := c.columns(columns); missing != "" {
				return r.refused("%s has no column %q; it has %s", c.t.From, missing, namesOf(columns))
			}
			return nil
		},
		row: func(cells [][]byte) error {
			x := c.record(cells)
			if x.ID == "" {
				return r.refused("a row of %s has no %s: every record needs an id", c.t.From, c.t.ID)
			}
			return record(x)
		},
	})
}

func namesOf(columns []column) string {
	names := make([]string, 0, len(columns))
	for _, c := range columns {
		names = append(names, c.name)
	}
	if len(names) > 30 {
		names = append(names[:30], "...")
	}
	return strings.Join(names, ", ")
}

// patience bounds a scan that nobody waits for.
const patience = 2 * time.Hour
