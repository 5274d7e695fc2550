package tabular

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
	"plumbline.dev/pipelines/value"
)

func openMySQL(ctx context.Context, dsn, from string, dial Dial) (Reader, error) {
	cfg, err := mysqlConfig(dsn)
	if err != nil {
		return nil, err
	}
	if dial != nil {
		cfg.DialFunc = dial
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, fmt.Errorf("mysql: %w", err)
	}
	return readRows(ctx, sql.OpenDB(connector), "mysql", Selection(from, "`"))
}

func mysqlConfig(dsn string) (*mysql.Config, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errors.New("mysql: the address cannot be read: write mysql://user@host:3306/database#table")
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	if u.Port() == "" {
		cfg.Addr += ":3306"
	}
	cfg.User = u.User.Username()
	if password, ok := u.User.Password(); ok {
		cfg.Passwd = password
	} else {
		cfg.Passwd = os.Getenv("MYSQL_PWD") // as MySQL's own programs do
	}
	cfg.TLSConfig = u.Query().Get("tls")
	cfg.Params = map[string]string{"time_zone": "'+00:00'"}
	return cfg, nil
}

// rowsReader reads what database/sql gives, as text.
type rowsReader struct {
	name    string
	db      *sql.DB
	tx      *sql.Tx
	rows    *sql.Rows
	columns []Column
	n       int
	raw     []sql.RawBytes
	dest    []any
	cells   [][]byte
}

func readRows(ctx context.Context, db *sql.DB, name, query string) (Reader, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // a query must not write
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), db.Close())
	}
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), tx.Rollback(), db.Close())
	}
	r := &rowsReader{name: name, db: db, tx: tx, rows: rows}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), r.Close())
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name()
	}
	r.columns = unique(names)
	for i, t := range types {
		r.columns[i].Kind = mysqlKind(t.DatabaseTypeName())
	}
	r.raw = make([]sql.RawBytes, len(types))
	r.cells = make([][]byte, len(types))
	for i := range r.raw {
		r.dest = append(r.dest, &r.raw[i])
	}
	return r, nil
}

func (r *rowsReader) Columns() []Column { return r.columns }
func (r *rowsReader) Close() error {
	_ = r.tx.Rollback() // it only read; a context that ended has done it already
	return errors.Join(r.rows.Close(), r.db.Close())
}

func (r *rowsReader) Next() (Row, error) {
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return Row{}, fmt.Errorf("%s, after row %d: %w", r.name, r.n, err)
		}
		return Row{}, io.EOF
	}
	if err := r.rows.Scan(r.dest...); err != nil {
		return Row{}, fmt.Errorf("%s, row %d: %w", r.name, r.n+1, err)
	}
	r.n++
	for i, cell := range r.raw {
		r.cells[i] = cell
	}
	return Row{Line: r.n, Cells: r.cells}, nil
}

func mysqlKind(t string) string {
	switch strings.TrimPrefix(t, "UNSIGNED ") {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "YEAR":
		return value.Number
	case "DATE":
		return value.Date
	case "DATETIME", "TIMESTAMP":
		return value.DateTime
	}
	return ""
}
