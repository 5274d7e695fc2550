package tabular

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/value"
)

func TestSelection(t *testing.T) {
	for from, want := range map[string]string{
		"contacts":             `SELECT * FROM "contacts"`,
		"public.My Table":      `SELECT * FROM "public"."My Table"`,
		`x"; DROP TABLE y --`:  `SELECT * FROM "x""; DROP TABLE y --"`,
		"SELECT 1;":            "SELECT 1",
		"with x as (select 1)": "with x as (select 1)",
		"selections":           `SELECT * FROM "selections"`,
	} {
		require.Equal(t, want, Selection(from, `"`))
	}
}

// postgres speaks as much of the server's side as one COPY needs.
func postgres(t *testing.T, rows string, fail bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		serve(pgproto3.NewBackend(conn, conn), rows, fail)
	}()
	return "postgres://u:secret@" + ln.Addr().String() + "/db?sslmode=disable"
}

func serve(b *pgproto3.Backend, rows string, fail bool) {
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	send := func(messages ...pgproto3.BackendMessage) {
		for _, m := range messages {
			b.Send(m)
		}
		_ = b.Flush()
	}
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	send(&pgproto3.AuthenticationOk{}, ready)
	for {
		msg, err := b.Receive()
		if err != nil {
			return
		}
		switch msg.(type) {
		case *pgproto3.Sync:
			send(&pgproto3.ParseComplete{}, &pgproto3.ParameterDescription{}, &pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
				{Name: []byte("id"), DataTypeOID: pgtype.Int8OID}, {Name: []byte("name"), DataTypeOID: pgtype.TextOID},
			}}, ready)
		case *pgproto3.Query:
			send(&pgproto3.CopyOutResponse{ColumnFormatCodes: []uint16{0, 0}}, &pgproto3.CopyData{Data: []byte(rows)})
			if fail {
				send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "57014", Message: "canceling statement"}, ready)
				continue
			}
			send(&pgproto3.CopyDone{}, &pgproto3.CommandComplete{CommandTag: []byte("COPY 3")}, ready)
		case *pgproto3.Terminate:
			return
		}
	}
}

func TestPostgresTellsNullFromEmpty(t *testing.T) {
	r, err := OpenSQL(t.Context(), postgres(t, "id,name\n1,\n2,\"\"\n3,\"a\n\"\"b\"\"\"\n", false), "contacts")
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, []Column{{"id", value.Number}, {"name", ""}}, r.Columns())
	for i, want := range [][]byte{nil, {}, []byte("a\n\"b\"")} {
		row, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, i+1, row.Line)
		require.Equal(t, want == nil, row.Cells[1] == nil)
		require.Equal(t, string(want), string(row.Cells[1]))
	}
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
}

func TestPostgresFailingHalfwayIsNoEnd(t *testing.T) {
	r, err := OpenSQL(t.Context(), postgres(t, "id,name\n1,x\n", true), "contacts")
	require.NoError(t, err)
	defer r.Close()
	for err == nil {
		_, err = r.Next()
	}
	require.ErrorContains(t, err, "canceling statement")
	require.NotErrorIs(t, err, io.EOF)
}

func TestAddressesAndTheirSecrets(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, dsn := range []string{"postgres://u:secret@127.0.0.1:1/db", "postgres://u:secret@h:port/db", "mysql://u:secret@127.0.0.1:1/db", "mysql://u:secret@%zz/db"} {
		_, err := OpenSQL(ctx, dsn, "t")
		require.Error(t, err)
		require.NotContains(t, err.Error(), "secret")
	}
	_, err := OpenSQL(ctx, "oracle://x", "t")
	require.ErrorContains(t, err, "oracle")
	_, err = OpenSQL(ctx, "mysql://x", " ")
	require.ErrorContains(t, err, "table or a query")
}

func TestMySQLConfig(t *testing.T) {
	t.Setenv("MYSQL_PWD", "from env")
	cfg, err := mysqlConfig("mysql://ann@db.example.com/crm?tls=true")
	require.NoError(t, err)
	require.Equal(t, []string{"db.example.com:3306", "crm", "ann", "from env", "true"}, []string{cfg.Addr, cfg.DBName, cfg.User, cfg.Passwd, cfg.TLSConfig})
	_, err = mysql.NewConnector(&mysql.Config{})
	require.NoError(t, err)
	require.Equal(t, value.Number, mysqlKind("UNSIGNED BIGINT"))
	require.Equal(t, value.DateTime, mysqlKind("TIMESTAMP"))
	require.Empty(t, mysqlKind("VARCHAR"))
}
