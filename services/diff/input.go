package diff

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/services/internal/tabular"
	"plumbline.dev/services/internal/warehouse"
)

// input is an opened side: rows that have to be loaded, or an expression the
// engine reads by itself.
type input struct {
	*source
	columns []column
	rows    tabular.Reader // nil = the engine reads
	expr    string
	server  *server // that knows expr; nil = the engine does
	lines   bool    // its rows are lines that a person can look up
}

type column struct {
	name string
	kind string // of package value, empty for text
	typ  string // ClickHouse's, empty while the rows are not in the engine
	expr string
}

func open(ctx context.Context, o *Options, s *source) (*input, error) {
	in := &input{source: s}
	switch {
	case s.path != "":
		return in, in.openFile(ctx, o)
	case isClickHouse(s.dsn):
		var err error
		if in.server, in.expr, err = elsewhere(s.dsn, s.from); err != nil {
			return nil, err
		}
		return in, in.describe(ctx, o)
	}
	rows, err := tabular.OpenSQL(ctx, s.dsn, s.from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.label, err)
	}
	in.take(rows)
	return in, nil
}

func (in *input) openFile(ctx context.Context, o *Options) error {
	format := tabular.Parquet
	if !isGlob(in.path) {
		var err error
		if format, err = tabular.FormatOf(in.path); err != nil {
			return err
		}
	}
	if format == tabular.Parquet {
		in.expr = "file(" + quote(in.path) + ", 'Parquet')"
		return in.describe(ctx, o)
	}
	rows, err := tabular.OpenFile(in.path, o.File)
	if err != nil {
		return err
	}
	in.take(rows)
	in.lines = true
	return nil
}

func (in *input) take(rows tabular.Reader) {
	in.rows = rows
	for _, c := range rows.Columns() {
		in.columns = append(in.columns, column{name: c.Name, kind: c.Kind})
	}
}

func (in *input) close() {
	if in.rows != nil {
		_ = in.rows.Close()
	}
}

// read is the table expression of a query's answer.
func (in *input) read(query string) string {
	if in.server == nil {
		return "(" + query + ")"
	}
	return in.server.at(query, "")
}

// describe asks the engine for the columns of what it can read itself.
func (in *input) describe(ctx context.Context, o *Options) error {
	ctx = warehouse.WithSettings(ctx, map[string]any{"describe_compact_output": 1})
	err := o.Engine.DB.Each(ctx, "DESCRIBE TABLE "+in.read("SELECT * FROM "+in.expr+" LIMIT 1"), func(scan warehouse.Scan) error {
		var c column
		if err := scan(&c.name, &c.typ); err != nil {
			return err
		}
		c.expr = backquote(c.name)
		c.kind = kindOf(c.typ)
		in.columns = append(in.columns, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", in.label, err)
	}
	return nil
}

var wrapped = regexp.MustCompile(`^(Nullable|LowCardinality)\((.*)\)$`)

// plainType is a type without Nullable and LowCardinality.
func plainType(t string) string {
	for {
		m := wrapped.FindStringSubmatch(t)
		if m == nil {
			return t
		}
		t = m[2]
	}
}

func kindOf(t string) string {
	t = plainType(t)
	switch {
	case t == "Bool":
		return value.Bool
	case t == "Date", t == "Date32":
		return value.Date
	case strings.HasPrefix(t, "DateTime"):
		return value.DateTime
	case strings.HasPrefix(t, "Int"), strings.HasPrefix(t, "UInt"), strings.HasPrefix(t, "Float"), strings.HasPrefix(t, "Decimal"), t == "BFloat16":
		return value.Number
	}
	return ""
}
