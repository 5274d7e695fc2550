package table

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/guard"
	"plumbline.dev/services/internal/tabular"
	"plumbline.dev/services/internal/warehouse"
)

// memory keeps the columns of tables, which a reader asks for more often than
// they change; Describe asks anew.
type memory struct {
	mu     sync.Mutex
	tables map[string][]column
}

func (m *memory) columns(table string, ask func() ([]column, error)) ([]column, error) {
	m.mu.Lock()
	known, ok := m.tables[table]
	m.mu.Unlock()
	if ok {
		return known, nil
	}
	columns, err := ask()
	if err == nil {
		m.keep(table, columns)
	}
	return columns, err
}

func (m *memory) keep(table string, columns []column) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tables == nil {
		m.tables = map[string][]column{}
	}
	m.tables[table] = columns
}

// engine is a ClickHouse: somebody's, or the one that reads Parquet for us.
type engine struct {
	db     *warehouse.DB
	system string
	owned  bool // close ends it
}

func (s *engine) close() {
	if s.owned {
		_ = s.db.Close()
	}
}

func (s *engine) scan(ctx context.Context, t config.Table, w wanted, to sink) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	columns, err := s.describe(ctx, clickh.query(t, wanted{}, nil))
	if err != nil {
		return err
	}
	return s.rows(ctx, clickh.query(t, w, columns), w.none, to)
}

func (s *engine) describe(ctx context.Context, query string) (columns []column, err error) {
	ctx = warehouse.WithSettings(ctx, map[string]any{"describe_compact_output": 1})
	err = s.db.Each(ctx, "DESCRIBE TABLE ("+query+")", func(scan warehouse.Scan) error {
		var name, typ string
		if err := scan(&name, &typ); err != nil {
			return err
		}
		columns = append(columns, column{name, engineKind(typ)})
		return nil
	})
	return columns, s.failed(err)
}

// rows reads a query, every value as text.
func (s *engine) rows(ctx context.Context, query string, none bool, to sink) error {
	columns, err := s.describe(ctx, query)
	if err != nil {
		return err
	}
	if err := to.columns(columns); err != nil || none {
		return err
	}
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = fmt.Sprintf("CAST(%s, 'Nullable(String)') AS c%d", clickh.name(c.name), i)
	}
	held := make([]*string, len(columns))
	dest := make([]any, len(columns))
	for i := range held {
		dest[i] = &held[i]
	}
	cells := make([][]byte, len(columns))
	var stopped error
	err = s.db.Each(ctx, "SELECT "+strings.Join(texts, ", ")+" FROM ("+query+")", func(scan warehouse.Scan) error {
		if err := scan(dest...); err != nil {
			return err
		}
		for i, text := range held {
			if cells[i] = nil; text != nil {
				cells[i] = []byte(*text)
			}
		}
		stopped = to.row(cells)
		return stopped
	})
	if stopped != nil {
		return stopped
	}
	return s.failed(err)
}

func (s *engine) failed(err error) error {
	if err == nil {
		return nil
	}
	e := &crm.Error{Kind: crm.KindOutage, System: s.system, Message: crm.Cut(crm.WithoutURL(err), 300), Err: err}
	switch text := err.Error(); {
	case errors.Is(err, guard.ErrPrivate):
		e.Kind = crm.KindRefused
	case has(text, "AUTHENTICATION_FAILED", "REQUIRED_PASSWORD", "WRONG_PASSWORD"):
		e.Kind = crm.KindAuth
	case has(text, "ACCESS_DENIED", "READONLY"):
		e.Kind = crm.KindScope
	case has(text, "UNKNOWN_TABLE", "UNKNOWN_DATABASE", "UNKNOWN_IDENTIFIER", "SYNTAX_ERROR", "CANNOT_EXTRACT_TABLE_STRUCTURE", "FILE_DOESNT_EXIST"):
		e.Kind = crm.KindSchema
	}
	return e
}

var wrapped = regexp.MustCompile(`^(?:Nullable|LowCardinality)\((.*)\)$`)

// engineKind is ClickHouse's type in the words of pipelines/value; "" is text.
func engineKind(t string) string {
	for m := wrapped.FindStringSubmatch(t); m != nil; m = wrapped.FindStringSubmatch(t) {
		t = m[1]
	}
	switch {
	case t == "Bool":
		return value.Bool
	case t == "Date", t == "Date32":
		return value.Date
	case strings.HasPrefix(t, "DateTime"):
		return value.DateTime
	case strings.HasPrefix(t, "Int"), strings.HasPrefix(t, "UInt"), strings.HasPrefix(t, "Float"), strings.HasPrefix(t, "Decimal"):
		return value.Number
	}
	return ""
}

func dialTo(d tabular.Dial) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) { return d(ctx, "tcp", address) }
}
