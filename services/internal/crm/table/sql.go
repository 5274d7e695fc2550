package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/guard"
	"plumbline.dev/services/internal/tabular"
)

// dialect is how a database writes what differs between them.
type dialect struct {
	quote   string // around names
	escape  func(string) string
	text    string // a cast to text, with %s
	instant func(event.Time) string
}

func ansi(s string) string { return strings.ReplaceAll(s, "'", "''") }

func backslash(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }

func stampOf(t event.Time) string { return t.Std().UTC().Format("2006-01-02 15:04:05.000") }

var (
	postgres = dialect{quote: `"`, escape: ansi, text: "CAST(%s AS text)", instant: func(t event.Time) string { return "'" + stampOf(t) + "'" }}
	mysql    = dialect{quote: "`", escape: backslash, text: "CAST(%s AS char)", instant: func(t event.Time) string { return "'" + stampOf(t) + "'" }}
	clickh   = dialect{quote: "`", escape: backslash, text: "toString(%s)", instant: func(t event.Time) string {
		return "toDateTime64('" + stampOf(t) + "', 3, 'UTC')"
	}}
)

func (d *dialect) name(s string) string {
	return d.quote + strings.ReplaceAll(s, d.quote, d.quote+d.quote) + d.quote
}

// literal drops NUL, which no text of a database holds.
func (d *dialect) literal(s string) string {
	return "'" + d.escape(strings.ReplaceAll(s, "\x00", "")) + "'"
}

// query is a scan in SQL, over columns that are known by now.
func (d *dialect) query(t config.Table, w wanted, columns []column) string {
	from := "(" + tabular.Selection(t.From, d.quote) + ") AS t"
	var conditions []string
	switch {
	case w.none:
		return "SELECT * FROM " + from + " WHERE 1 = 0"
	case w.only && w.scope != "":
		conditions = append(conditions, "("+w.scope+")")
	}
	if w.field != "" {
		conditions = append(conditions, d.among(w, columns))
	}
	if w.since > 0 && t.Modified != "" {
		conditions = append(conditions, d.since(t, w.since, columns))
	}
	head := "SELECT t.*"
	switch {
	case w.count:
		head = "SELECT count(*) AS " + countColumn
		if t.Deleted != "" { // what All leaves out
			head = "SELECT *"
		}
	case w.scope != "" && !w.only:
		head += ", CASE WHEN (" + w.scope + ") THEN 1 ELSE 0 END AS " + scopeColumn
	}
	sql := head + " FROM " + from
	if len(conditions) > 0 {
		sql += " WHERE " + strings.Join(conditions, " AND ")
	}
	if w.newest && t.Modified != "" {
		sql += " ORDER BY " + d.name(t.Modified) + " DESC"
	}
	if w.limit > 0 {
		sql += " LIMIT " + strconv.Itoa(w.limit)
	}
	return sql
}

// among asks for values as the column holds them, so that its index serves;
// what is no number is in no column of numbers.
func (d *dialect) among(w wanted, columns []column) string {
	kind := kindOf(columns, w.field)
	name := d.name(w.field)
	var literals []string
	for _, v := range w.values {
		if _, err := strconv.ParseFloat(v, 64); kind == value.Number {
			if err == nil {
				literals = append(literals, v)
			}
			continue
		}
		literals = append(literals, d.literal(v))
	}
	if len(literals) == 0 {
		return "1 = 0"
	}
	if kind != value.Number {
		name = fmt.Sprintf(d.text, name)
	}
	return name + " IN (" + strings.Join(literals, ", ") + ")"
}

func (d *dialect) since(t config.Table, since event.Time, columns []column) string {
	name := d.name(t.Modified)
	switch kindOf(columns, t.Modified) {
	case value.Number: // of seconds or of milliseconds
		return fmt.Sprintf("(%s >= %d OR %s BETWEEN %d AND %d)", name, max(since, millisFrom), name, since/1000, millisFrom)
	case value.DateTime, value.Date:
		return name + " >= " + d.instant(since)
	}
	return "1 = 1" // text: whoever reads compares
}

func kindOf(columns []column, name string) string {
	for _, c := range columns {
		if strings.EqualFold(c.name, name) {
			return c.kind
		}
	}
	return ""
}

// database is Postgres or MySQL.
type database struct {
	dsn     string
	system  string
	dialect *dialect
	dial    tabular.Dial
	known   memory
}

func (s *database) close() {}

func (s *database) open(ctx context.Context, query string, to sink) error {
	rows, err := tabular.OpenSQLBy(ctx, s.dsn, query, s.dial)
	if err != nil {
		return s.failed(err)
	}
	defer rows.Close()
	return pump(rows, to, s.failed)
}

// pump hands rows over.
func pump(rows tabular.Reader, to sink, failed func(error) error) error {
	var columns []column
	for _, c := range rows.Columns() {
		columns = append(columns, column{c.Name, c.Kind})
	}
	if err := to.columns(columns); err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return failed(err)
		}
		if err := to.row(row.Cells); err != nil {
			return err
		}
	}
}

func (s *database) scan(ctx context.Context, t config.Table, w wanted, to sink) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var columns []column
	if w.field != "" || w.since > 0 {
		var err error
		if columns, err = s.known.columns(t.From, func() (out []column, err error) {
			err = s.open(ctx, s.dialect.query(t, wanted{none: true}, nil), sink{columns: func(c []column) error { out = c; return nil }, row: nothing})
			return out, err
		}); err != nil {
			return err
		}
	}
	return s.open(ctx, s.dialect.query(t, w, columns), to)
}

func nothing([][]byte) error { return nil }

// failed says what to do about a database's refusal. Its texts name what is
// wrong, and never the password.
func (s *database) failed(err error) error {
	e := &crm.Error{Kind: crm.KindOutage, System: s.system, Message: crm.Cut(err.Error(), 300), Err: err}
	switch text := strings.ToLower(err.Error()); {
	case errors.Is(err, guard.ErrPrivate):
		e.Kind = crm.KindRefused
	case has(text, "password authentication", "access denied", "28p01", "28000"):
		e.Kind = crm.KindAuth
	case has(text, "permission denied", "command denied", "42501"):
		e.Kind = crm.KindScope
	case has(text, "does not exist", "doesn't exist", "unknown column", "syntax", "42p01", "42703"):
		e.Kind = crm.KindSchema
	case has(text, "connect", "dial", "timeout"):
		e.Kind = crm.KindNetwork
	}
	return e
}

func has(text string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
