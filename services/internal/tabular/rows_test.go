package tabular

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/value"
)

// database is a driver whose every query gives the same rows.
type database struct {
	rows    [][]driver.Value
	broken  error // after the last row
	written bool  // somebody opened a transaction that may write
}

func (d *database) Connect(context.Context) (driver.Conn, error) { return d, nil }
func (d *database) Driver() driver.Driver                        { return nil }
func (d *database) Prepare(string) (driver.Stmt, error)          { return nil, errors.New("not asked for") }
func (d *database) Close() error                                 { return nil }
func (d *database) Begin() (driver.Tx, error)                    { return nil, errors.New("not asked for") }
func (d *database) Commit() error                                { return nil }
func (d *database) Rollback() error                              { return nil }

func (d *database) BeginTx(_ context.Context, o driver.TxOptions) (driver.Tx, error) {
	d.written = d.written || !o.ReadOnly
	return d, nil
}

func (d *database) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return &cursor{d: d}, nil
}

type cursor struct {
	d  *database
	at int
}

func (c *cursor) Columns() []string                       { return []string{"id", "name"} }
func (c *cursor) ColumnTypeDatabaseTypeName(i int) string { return []string{"BIGINT", "VARCHAR"}[i] }
func (c *cursor) Close() error                            { return nil }

func (c *cursor) Next(dest []driver.Value) error {
	if c.at == len(c.d.rows) {
		if c.d.broken != nil {
			return c.d.broken
		}
		return io.EOF
	}
	copy(dest, c.d.rows[c.at])
	c.at++
	return nil
}

func TestRowsOfADatabase(t *testing.T) {
	d := &database{rows: [][]driver.Value{{[]byte("18446744073709551615"), nil}, {[]byte("2"), []byte("")}, {[]byte("3"), []byte("a\x00b")}}}
	r, err := readRows(t.Context(), sql.OpenDB(d), "mysql", "SELECT 1")
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, []Column{{"id", value.Number}, {"name", ""}}, r.Columns())
	for i, want := range [][]byte{nil, {}, []byte("a\x00b")} {
		row, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, i+1, row.Line)
		require.Equal(t, want == nil, row.Cells[1] == nil)
		require.Equal(t, string(want), string(row.Cells[1]))
	}
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
	require.False(t, d.written)
}

func TestADatabaseThatBreaksIsNoEnd(t *testing.T) {
	lost := errors.New("connection lost")
	r, err := readRows(t.Context(), sql.OpenDB(&database{rows: [][]driver.Value{{[]byte("1"), nil}}, broken: lost}), "mysql", "SELECT 1")
	require.NoError(t, err)
	defer r.Close()
	_, err = r.Next()
	require.NoError(t, err)
	_, err = r.Next()
	require.ErrorIs(t, err, lost)
	require.ErrorContains(t, err, "after row 1")
}
