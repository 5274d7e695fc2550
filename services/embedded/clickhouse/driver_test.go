package clickhouse

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/stretchr/testify/require"
)

func open(t *testing.T, s *Server, change ...func(*ch.Options)) ch.Conn {
	t.Helper()
	opts, err := ch.ParseDSN(s.DSN())
	require.NoError(t, err)
	for _, f := range change {
		f(opts)
	}
	conn, err := ch.Open(opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

func TestDriver(t *testing.T) {
	s := start(t, func(o *Options) { o.Password = "pass word" })
	t.Run("password", func(t *testing.T) { driverPassword(t, s) })
	for _, m := range []ch.CompressionMethod{
		ch.CompressionNone, ch.CompressionLZ4, ch.CompressionZSTD, ch.CompressionGZIP, ch.CompressionDeflate, ch.CompressionBrotli,
	} {
		t.Run("roundtrip "+m.String(), func(t *testing.T) {
			driverRoundTrip(t, open(t, s, func(o *ch.Options) { o.Compression = &ch.Compression{Method: m, Level: 3} }))
		})
	}
	conn := open(t, s, func(o *ch.Options) { o.Compression = &ch.Compression{Method: ch.CompressionLZ4} })
	t.Run("errors", func(t *testing.T) { driverErrors(t, conn) })
	t.Run("parameters", func(t *testing.T) { driverParameters(t, conn) })
	t.Run("types", func(t *testing.T) { driverTypes(t, conn) })
	t.Run("cancel", func(t *testing.T) { driverCancel(t, conn) })
	t.Run("concurrent", func(t *testing.T) { driverConcurrent(t, conn) })
	t.Run("one block", func(t *testing.T) { driverOneBlock(t, conn) })
	t.Run("kill query", func(t *testing.T) { driverKill(t, conn) })
}

func driverPassword(t *testing.T, s *Server) {
	r := post(t, s, "SELECT 1")
	require.Equal(t, 403, r.status)
	require.Equal(t, "516", r.header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, 403, post(t, s, "SELECT 1", "user", "default", "password", "x").status)
	require.Equal(t, 403, post(t, s, "SELECT 1", "user", "other", "password", "pass word").status)
	require.Equal(t, "1\n", post(t, s, "SELECT 1", "user", "default", "password", "pass word").body)
	req := newRequest(t, s, "POST", nil, "query", "SELECT 2")
	req.Header.Set("X-ClickHouse-User", "default")
	req.Header.Set("X-ClickHouse-Key", "pass word")
	require.Equal(t, "2\n", send(t, req).body)
}

func driverRoundTrip(t *testing.T, conn ch.Conn) {
	ctx := t.Context()
	require.NoError(t, conn.Exec(ctx, "CREATE OR REPLACE TABLE rt (a UInt64, s LowCardinality(String), n Nullable(Int32), l Array(String), t DateTime64(3, 'UTC'), m Map(String, UInt8)) ENGINE = MergeTree ORDER BY a"))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO rt")
	require.NoError(t, err)
	at := time.UnixMilli(1_700_000_000_123).UTC()
	for i := range 1000 {
		require.NoError(t, batch.Append(uint64(i), fmt.Sprint(i%7), nil, []string{"x", fmt.Sprint(i)}, at, map[string]uint8{"k": uint8(i)}))
	}
	require.NoError(t, batch.Send())
	rows, err := conn.Query(ctx, "SELECT * FROM rt ORDER BY a")
	require.NoError(t, err)
	n := 0
	for ; rows.Next(); n++ {
		var (
			a    uint64
			s    string
			null *int32
			l    []string
			when time.Time
			m    map[string]uint8
		)
		require.NoError(t, rows.Scan(&a, &s, &null, &l, &when, &m))
		require.Equal(t, []any{uint64(n), fmt.Sprint(n % 7), []string{"x", fmt.Sprint(n)}, at, uint8(n)}, []any{a, s, l, when.UTC(), m["k"]})
		require.Nil(t, null)
	}
	require.NoError(t, rows.Err())
	require.NoError(t, rows.Close())
	require.Equal(t, 1000, n)
}

func driverErrors(t *testing.T, conn ch.Conn) {
	var e *ch.Exception
	require.ErrorAs(t, conn.Exec(t.Context(), "SELECT * FROM nowhere"), &e)
	require.Equal(t, int32(60), e.Code)
	require.ErrorAs(t, conn.Exec(t.Context(), "SELEC"), &e)
	require.Equal(t, int32(62), e.Code)
	rows, err := conn.Query(ch.Context(t.Context(), ch.WithSettings(ch.Settings{"max_threads": 1})), "SELECT sipHash64(number), throwIf(number = 3000000) FROM numbers(10000000)")
	require.NoError(t, err)
	for rows.Next() {
	}
	require.ErrorAs(t, rows.Err(), &e, "%v", rows.Err())
	require.Equal(t, int32(395), e.Code)
	_ = rows.Close()
	_, err = conn.PrepareBatch(t.Context(), "INSERT INTO nowhere")
	require.ErrorAs(t, err, &e)
}

func driverParameters(t *testing.T, conn ch.Conn) {
	var a uint8
	var b string
	ctx := ch.Context(t.Context(), ch.WithQueryID("driver-param"), ch.WithParameters(ch.Parameters{"a": "7", "b": "it's"}))
	require.NoError(t, conn.QueryRow(ctx, "SELECT {a:UInt8}, {b:String}").Scan(&a, &b))
	require.Equal(t, "7it's", fmt.Sprint(a, b))
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT toUInt8(?), ?", 3, "it's").Scan(&a, &b))
}

func driverTypes(t *testing.T, conn ch.Conn) {
	require.NoError(t, conn.Ping(t.Context()))
	v, err := conn.ServerVersion()
	require.NoError(t, err)
	require.Equal(t, uint64(26), v.Version.Major)
	rows, err := conn.Query(t.Context(), "SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0'), toDecimal128('1.25', 3), tuple(1, 'a'), "+
		"[tuple('x', toLowCardinality('y'))], toIPv4('1.2.3.4'), CAST('b', 'Enum8(\\'a\\' = 1, \\'b\\' = 2)'), NULL, true, toDate('2024-05-06'), 'end'")
	require.NoError(t, err)
	require.True(t, rows.Next())
	require.Len(t, rows.ColumnTypes(), 10)
	require.NoError(t, rows.Close())
	rows, err = conn.Query(t.Context(), "SELECT 1 WHERE 0")
	require.NoError(t, err)
	require.False(t, rows.Next())
	require.NoError(t, rows.Close())

	table, err := ext.NewTable("outside", ext.Column("x", "UInt64"))
	require.NoError(t, err)
	require.NoError(t, table.Append(uint64(41)))
	var sum uint64
	require.NoError(t, conn.QueryRow(ch.Context(t.Context(), ch.WithExternalTable(table)), "SELECT sum(x) + 1 FROM outside").Scan(&sum))
	require.Equal(t, uint64(42), sum)

	var js string
	ctx := ch.Context(t.Context(), ch.WithSettings(ch.Settings{"output_format_native_write_json_as_string": 1}))
	require.NoError(t, conn.QueryRow(ctx, `SELECT '{"a":{"b":1}}'::JSON, 5`).Scan(&js, new(uint8)))
	require.JSONEq(t, `{"a":{"b":1}}`, js)
}

func driverCancel(t *testing.T, conn ch.Conn) {
	ctx, cancel := context.WithTimeout(ch.Context(t.Context(), ch.WithQueryID("gone")), 300*time.Millisecond)
	defer cancel()
	err := conn.Exec(ctx, "SELECT count() FROM numbers(100000000000000)")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Eventually(t, func() bool { return processes(t, conn, "gone") == 0 }, waitLong, tick)
}

func processes(t *testing.T, conn ch.Conn, id string) uint64 {
	t.Helper()
	var n uint64
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE query_id = ?", id).Scan(&n))
	return n
}

func driverConcurrent(t *testing.T, conn ch.Conn) {
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE conc (w UInt64, a UInt64) ENGINE = MergeTree ORDER BY a"))
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for w := range 40 { // more than may run at once
		wg.Go(func() {
			ctx := ch.Context(t.Context(), ch.WithParameters(ch.Parameters{"w": fmt.Sprint(w)}), ch.WithSettings(ch.Settings{"max_block_size": 1000 + w}))
			if err := conn.Exec(t.Context(), fmt.Sprintf("INSERT INTO conc SELECT %d, number FROM numbers(1000)", w)); err != nil {
				errs <- err
				return
			}
			var got, setting, count uint64
			err := conn.QueryRow(ctx, "SELECT {w:UInt64}, toUInt64(getSetting('max_block_size')), count() FROM conc WHERE w = {w:UInt64}").Scan(&got, &setting, &count)
			if err == nil && (got != uint64(w) || setting != uint64(1000+w) || count != 1000) {
				err = fmt.Errorf("%d got %d %d %d", w, got, setting, count)
			}
			if err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
}

// A sink counts on this: an INSERT is one part a partition, and so is there wholly or not at all.
func driverOneBlock(t *testing.T, conn ch.Conn) {
	require.NoError(t, conn.Exec(t.Context(), "CREATE TABLE one (p UInt8, a UInt64) ENGINE = MergeTree PARTITION BY p ORDER BY a SETTINGS non_replicated_deduplication_window = 10"))
	require.NoError(t, conn.Exec(t.Context(), "SYSTEM STOP MERGES one"))
	for range 2 {
		ctx := ch.Context(t.Context(), ch.WithSettings(ch.Settings{"insert_deduplication_token": "batch-1", "async_insert": 1}))
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO one")
		require.NoError(t, err)
		for i := range 50_000 {
			require.NoError(t, batch.Append(uint8(i%2), uint64(i)))
		}
		require.NoError(t, batch.Send())
	}
	var rows, parts uint64
	count := func() {
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(), uniq(_part) FROM one").Scan(&rows, &parts))
	}
	count()
	require.Equal(t, []uint64{50_000, 2}, []uint64{rows, parts})

	// Many small Native blocks in one INSERT are one part too.
	ctx := ch.Context(t.Context(), ch.WithSettings(ch.Settings{"insert_deduplication_token": "batch-2"}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO one")
	require.NoError(t, err)
	for i := range 50_000 {
		require.NoError(t, batch.Append(uint8(7), uint64(i)))
		if i%1000 == 0 {
			require.NoError(t, batch.Flush())
		}
	}
	require.NoError(t, batch.Send())
	count()
	require.Equal(t, []uint64{100_000, 3}, []uint64{rows, parts})

	// The settings that cut an INSERT into blocks do so.
	ctx = ch.Context(t.Context(), ch.WithSettings(ch.Settings{"max_insert_block_size": 1000, "min_insert_block_size_rows": 1000, "min_insert_block_size_bytes": 0}))
	require.NoError(t, conn.Exec(ctx, "INSERT INTO one SELECT 9, number FROM numbers(10000) SETTINGS max_block_size = 1000"))
	count()
	require.Equal(t, uint64(13), parts)
}

func driverKill(t *testing.T, conn ch.Conn) {
	for _, sql := range []string{
		"SELECT count() FROM numbers(100000000000000)",
		"INSERT INTO FUNCTION null('a UInt64') SELECT number FROM numbers(100000000000000)",
	} {
		failed := make(chan error, 1)
		go func() { failed <- conn.Exec(ch.Context(t.Context(), ch.WithQueryID("victim")), sql) }()
		require.Eventually(t, func() bool { return processes(t, conn, "victim") == 1 }, waitLong, tick)
		require.NoError(t, conn.Exec(t.Context(), "KILL QUERY WHERE query_id = 'victim' SYNC"))
		require.Zero(t, processes(t, conn, "victim"))
		var e *ch.Exception
		require.ErrorAs(t, <-failed, &e)
		require.Equal(t, int32(394), e.Code)
	}
	require.NoError(t, conn.Exec(t.Context(), "KILL QUERY WHERE query_id = 'nobody' SYNC"))
}
