package tabular

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"plumbline.dev/pipelines/value"
)

// openPostgres reads through COPY: the server writes CSV, with every type as
// exact text, as fast as it can.
func openPostgres(ctx context.Context, dsn, from string, dial Dial) (Reader, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	maps.Copy(cfg.RuntimeParams, map[string]string{
		"TimeZone": "UTC", "DateStyle": "ISO", "IntervalStyle": "iso_8601", "extra_float_digits": "3", "client_encoding": "UTF8",
		"default_transaction_read_only": "on",
	})
	if dial != nil {
		cfg.DialFunc = pgconn.DialFunc(dial)
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	query := Selection(from, `"`)
	described, err := conn.Prepare(ctx, "", query)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("postgres: %w", err), conn.Close(ctx))
	}
	columns := make([]Column, len(described.Fields))
	for i, f := range described.Fields {
		columns[i] = Column{Name: f.Name, Kind: postgresKinds[f.DataTypeOID]}
	}
	return copyOut(ctx, conn, "postgres", query, columns)
}

var postgresKinds = map[uint32]string{
	pgtype.Int2OID: value.Number, pgtype.Int4OID: value.Number, pgtype.Int8OID: value.Number, pgtype.NumericOID: value.Number,
	pgtype.Float4OID: value.Number, pgtype.Float8OID: value.Number, pgtype.BoolOID: value.Bool, pgtype.DateOID: value.Date,
	pgtype.TimestampOID: value.DateTime, pgtype.TimestamptzOID: value.DateTime,
}

func copyOut(ctx context.Context, conn *pgx.Conn, name, query string, columns []Column) (Reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	out, in := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := conn.PgConn().CopyTo(ctx, in, "COPY ("+query+") TO STDOUT (FORMAT csv, HEADER)")
		in.CloseWithError(err)
	}()
	closer := func() error {
		cancel()
		_ = out.Close()
		<-done
		return conn.Close(context.WithoutCancel(ctx))
	}
	r, err := newCSV(name, bufio.NewReaderSize(out, bufferSize), closer, ',')
	if err != nil {
		return nil, errors.Join(err, closer())
	}
	r.nulls = true
	for i := range r.columns {
		r.columns[i].Kind = columns[i].Kind
	}
	return &counted{Reader: r}, nil
}

// counted numbers rows: the lines of what a server writes mean nothing.
type counted struct {
	Reader
	n int
}

func (c *counted) Next() (Row, error) {
	row, err := c.Reader.Next()
	c.n++
	row.Line = c.n
	return row, err
}
