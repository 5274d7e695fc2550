package clickhouse

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"
)

func benchServer(b *testing.B) *Server {
	b.Helper()
	s, err := Start(b.Context(), Options{Data: b.TempDir(), MaxMemory: 2 << 30})
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Stop(context.Background()) })
	return s
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := Start(b.Context(), Options{Data: b.TempDir()})
		require.NoError(b, err)
		b.StopTimer()
		require.NoError(b, s.Stop(context.Background()))
		b.StartTimer()
	}
}

func benchPost(b *testing.B, s *Server, url string, body io.Reader) {
	res, err := client.Post("http://"+s.Addr()+url, "", body)
	require.NoError(b, err)
	_, _ = io.Copy(io.Discard, res.Body)
	require.Equal(b, http.StatusOK, res.StatusCode)
	res.Body.Close()
}

func BenchmarkPing(b *testing.B) {
	s := benchServer(b)
	for b.Loop() {
		benchPost(b, s, "/ping", nil)
	}
}

func BenchmarkSelectOne(b *testing.B) {
	s := benchServer(b)
	for b.Loop() {
		benchPost(b, s, "/", strings.NewReader("SELECT 1"))
	}
}

// BenchmarkInsertDriver is what a sink does: 50,000 rows a batch over clickhouse-go.
func BenchmarkInsertDriver(b *testing.B) {
	s := benchServer(b)
	opts, err := ch.ParseDSN(s.DSN())
	require.NoError(b, err)
	opts.Compression = &ch.Compression{Method: ch.CompressionLZ4}
	conn, err := ch.Open(opts)
	require.NoError(b, err)
	defer conn.Close()
	require.NoError(b, conn.Exec(b.Context(), "CREATE TABLE t (a UInt64, s String, k LowCardinality(String), t DateTime64(3)) ENGINE = MergeTree ORDER BY a"))
	const rows = 50_000
	at := time.Now()
	for b.Loop() {
		batch, err := conn.PrepareBatch(b.Context(), "INSERT INTO t")
		require.NoError(b, err)
		for i := range rows {
			require.NoError(b, batch.Append(uint64(i), "some text of a row", "kind", at))
		}
		require.NoError(b, batch.Send())
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkInsertJSON(b *testing.B) {
	s := benchServer(b)
	benchPost(b, s, "/", strings.NewReader("CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a"))
	const rows = 100_000
	body := bytes.Repeat([]byte("{\"a\":123456,\"s\":\"some text of a row\"}\n"), rows)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		benchPost(b, s, "/?query=INSERT+INTO+t+FORMAT+JSONEachRow", bytes.NewReader(body))
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
