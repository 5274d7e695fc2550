package clickhouse

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
)

func TestHTTP(t *testing.T) {
	s := start(t)
	for name, f := range map[string]func(*testing.T, *Server){
		"basics": httpBasics, "formats": httpFormats, "parameters": httpParameters, "errors": httpErrors,
		"settings": httpSettings, "readonly": httpReadonly, "compressed answers": httpCompressedAnswers,
		"compressed requests": httpCompressedRequests, "inserts": httpInserts, "sessions": httpSessions,
		"foreign pages": httpForeign, "late error": httpLateError, "form": httpForm, "truncated": httpTruncated,
	} {
		t.Run(name, func(t *testing.T) { f(t, s) })
	}
}

func httpBasics(t *testing.T, s *Server) {
	res, err := client.Get("http://" + s.Addr() + "/ping")
	require.NoError(t, err)
	b, _ := io.ReadAll(res.Body)
	res.Body.Close()
	require.Equal(t, "Ok.\n", string(b))

	require.Equal(t, "Ok.\n", get(t, s).body)
	require.Equal(t, "1\n", get(t, s, "query", "SELECT 1").body)
	require.Equal(t, "2", must(t, s, "SELECT 2"))
	require.Equal(t, "7", must(t, s, "7", "query", "SELECT")) // the body continues the argument
	r := post(t, s, "SELECT number FROM numbers(10)", "query_id", "basics-1")
	require.Equal(t, "basics-1", r.header.Get("X-ClickHouse-Query-Id"))
	require.Equal(t, "TabSeparated", r.header.Get("X-ClickHouse-Format"))
	require.NotEmpty(t, r.header.Get("X-ClickHouse-Timezone"))
	require.NotEmpty(t, r.header.Get("X-ClickHouse-Server-Display-Name"))
	var summary map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.header.Get("X-ClickHouse-Summary")), &summary))
	require.Equal(t, "10", summary["read_rows"])
	require.Equal(t, "default", must(t, s, "SELECT currentDatabase()"))
	must(t, s, "CREATE DATABASE IF NOT EXISTS `od``d`")
	require.Equal(t, "od`d", must(t, s, "SELECT currentDatabase()", "database", "od`d"))
	require.Equal(t, "od\\`d", strings.ReplaceAll(must(t, s, "SHOW DATABASES LIKE 'od%'"), "`", "\\`"))
}

func httpFormats(t *testing.T, s *Server) {
	for format, want := range map[string]string{
		"JSONEachRow": "{\"n\":0}\n{\"n\":1}\n", "CSVWithNames": "\"n\"\n0\n1\n", "Values": "(0),(1)", "TSV": "0\n1\n",
	} {
		sql := "SELECT number::UInt8 AS n FROM numbers(2)"
		require.Equal(t, want, post(t, s, sql+" FORMAT "+format).body)
		require.Equal(t, want, post(t, s, sql, "default_format", format).body)
		req := newRequest(t, s, http.MethodPost, strings.NewReader(sql))
		req.Header.Set("X-ClickHouse-Format", format)
		require.Equal(t, want, send(t, req).body)
	}
	require.Contains(t, post(t, s, "SELECT 1 AS x FORMAT JSON").body, `"rows": 1`)
	require.True(t, strings.HasPrefix(post(t, s, "SELECT 1 FORMAT Parquet").body, "PAR1"))
	require.Equal(t, "application/json; charset=UTF-8", post(t, s, "SHOW TABLES FORMAT JSON").header.Get("Content-Type"))
}

func httpParameters(t *testing.T, s *Server) {
	require.Equal(t, "it\\'s \\t é\t[1,2]", must(t, s, "SELECT {s:String}, {a:Array(UInt8)}",
		"param_s", "it's \\t é", "param_a", "[1,2]"))
	must(t, s, "CREATE TABLE IF NOT EXISTS p (a UInt8, b String) ENGINE = Memory")
	must(t, s, "INSERT INTO p VALUES ({a:UInt8}, {b:String})", "param_a", "5", "param_b", "x")
	require.Equal(t, "5\tx", must(t, s, "SELECT * FROM {t:Identifier}", "param_t", "p"))
	r := post(t, s, "SELECT {s:String}")
	require.Equal(t, "456", r.header.Get("X-ClickHouse-Exception-Code"), r.body)
}

func httpErrors(t *testing.T, s *Server) {
	for sql, want := range map[string]struct {
		status int
		code   string
	}{
		"SELEC 1": {400, "62"}, "SELECT * FROM nowhere": {404, "60"}, "SELECT * FROM no.where": {404, "81"},
		"SELECT nothing": {404, "47"}, "SELECT 1; SELECT 2": {400, "62"}, "SELECT 1 FORMAT Nothing": {404, "73"},
		"SELECT throwIf(1)": {500, "395"}, "INSERT INTO nowhere FORMAT CSV\n1": {404, "60"},
		"SELECT 1 INTO OUTFILE '/tmp/x'": {500, "358"}, "SELECT 1 SETTINGS nothing = 1": {404, "115"},
		"CREATE USER u": {403, "497"}, "DROP TABLE nowhere": {404, "60"}, "": {400, "62"},
		"SELECT sleep(2) SETTINGS max_execution_time = 0.2": {408, "159"},
	} {
		r := post(t, s, sql)
		require.Equal(t, want.status, r.status, "%s: %s", sql, r.body)
		if want.code != "" {
			require.Equal(t, want.code, r.header.Get("X-ClickHouse-Exception-Code"), sql)
			require.True(t, strings.HasPrefix(r.body, "Code: "+want.code+". DB::Exception: "), r.body)
		}
		require.NotContains(t, r.body, "Stack trace")
	}
	require.Equal(t, "115", get(t, s, "query", "SELECT 1", "nonsense", "1").header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, 404, post(t, s, "SELECT 1", "database", "nowhere").status)
}

func httpSettings(t *testing.T, s *Server) {
	require.Equal(t, "3", must(t, s, "SELECT getSetting('max_threads')", "max_threads", "3"))
	require.NotEqual(t, "3", must(t, s, "SELECT getSetting('max_threads') + 100")) // gone with its query
	require.Equal(t, "Asia/Tokyo", post(t, s, "SELECT 1", "session_timezone", "Asia/Tokyo").header.Get("X-ClickHouse-Timezone"))
	require.Equal(t, "241", post(t, s, "SELECT groupArray(number) FROM numbers(100000000)", "max_memory_usage", "50000000").
		header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, "1", must(t, s, "SELECT 1", "wait_end_of_query", "1", "send_progress_in_http_headers", "1"))
	require.NotEmpty(t, must(t, s, "SELECT name, value FROM system.settings WHERE name = 'max_threads'"))
}

func httpReadonly(t *testing.T, s *Server) {
	require.Equal(t, "164", get(t, s, "query", "CREATE TABLE ro (a UInt8) ENGINE = Memory").header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, "164", get(t, s, "query", "INSERT INTO p VALUES (1, 'x')").header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, "164", get(t, s, "query", "CREATE TABLE ro (a UInt8) ENGINE = Memory", "session_id", "ro").header.Get("X-ClickHouse-Exception-Code"))
	require.Equal(t, "164", post(t, s, "CREATE TABLE ro (a UInt8) ENGINE = Memory", "readonly", "1").header.Get("X-ClickHouse-Exception-Code"))
	for _, sql := range []string{
		"CREATE TABLE ro ENGINE = Memory AS SELECT 1 SETTINGS readonly = 0", "INSERT INTO p SETTINGS readonly = 0 SELECT 1, 'x'",
		"INSERT INTO p SETTINGS readonly = 0 FORMAT CSV\n1,x", "KILL QUERY WHERE 1", "SYSTEM SHUTDOWN", "SET readonly = 0",
	} {
		require.Equal(t, "164", post(t, s, sql, "readonly", "2").header.Get("X-ClickHouse-Exception-Code"), sql)
	}
	require.Equal(t, 200, get(t, s, "query", "SELECT 1", "max_threads", "2").status)
}

func httpCompressedAnswers(t *testing.T, s *Server) {
	want := must(t, s, "SELECT number, toString(number) FROM numbers(300000)")
	for encoding, open := range decoders {
		req := newRequest(t, s, http.MethodPost, strings.NewReader("SELECT number, toString(number) FROM numbers(300000)"), "enable_http_compression", "1")
		req.Header.Set("Accept-Encoding", encoding+", identity;q=0")
		r := send(t, req)
		require.Equal(t, encoding, r.header.Get("Content-Encoding"))
		require.Less(t, len(r.body), len(want))
		b, err := io.ReadAll(open(strings.NewReader(r.body)))
		require.NoError(t, err)
		require.Equal(t, want+"\n", string(b), encoding)
	}
	r := post(t, s, "SELECT number, toString(number) FROM numbers(300000)", "compress", "1")
	b, err := io.ReadAll(compress.NewReader(strings.NewReader(r.body)))
	require.ErrorIs(t, err, io.EOF) // ch-go wraps it
	require.Equal(t, want+"\n", string(b))
}

var decoders = map[string]func(io.Reader) io.Reader{
	"gzip":    func(r io.Reader) io.Reader { z, _ := gzip.NewReader(r); return z },
	"deflate": func(r io.Reader) io.Reader { z, _ := zlib.NewReader(r); return z },
	"br":      func(r io.Reader) io.Reader { return brotli.NewReader(r) },
	"lz4":     func(r io.Reader) io.Reader { return lz4.NewReader(r) },
	"zstd":    func(r io.Reader) io.Reader { z, _ := zstd.NewReader(r, zstd.WithDecoderConcurrency(1)); return z },
}

var encoders = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"br":      func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	"lz4":     func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
	"zstd":    func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
}

func httpCompressedRequests(t *testing.T, s *Server) {
	must(t, s, "CREATE TABLE zipped (a UInt64) ENGINE = MergeTree ORDER BY a")
	rows := strings.Repeat("12345\n", 100_000)
	for encoding, open := range encoders {
		must(t, s, "TRUNCATE TABLE zipped")
		var body bytes.Buffer
		w := open(&body)
		_, _ = io.WriteString(w, rows)
		require.NoError(t, w.Close())
		whole := body.Bytes()
		cut := newRequest(t, s, http.MethodPost, bytes.NewReader(whole[:len(whole)-9]), "query", "INSERT INTO zipped FORMAT TSV")
		cut.Header.Set("Content-Encoding", encoding)
		require.NotEqual(t, 200, send(t, cut).status, encoding)
		require.Equal(t, "0", must(t, s, "SELECT count() FROM zipped"), "%s: half a body was committed", encoding)

		req := newRequest(t, s, http.MethodPost, bytes.NewReader(whole), "query", "INSERT INTO zipped FORMAT TSV")
		req.Header.Set("Content-Encoding", encoding)
		require.Equal(t, 200, send(t, req).status, encoding)
		require.Equal(t, "100000\t1", must(t, s, "SELECT count(), uniq(_part) FROM zipped"))
	}
	blocks := blocksOf(t, rows)
	for _, n := range []int{len(blocks) - 1, len(blocks)/2 + 1, len(blocks)/2 + 25, 25, 3} {
		r := send(t, newRequest(t, s, http.MethodPost, bytes.NewReader(blocks[:n]), "query", "INSERT INTO zipped FORMAT TSV", "decompress", "1"))
		require.NotEqual(t, 200, r.status, n)
		require.Equal(t, "100000", must(t, s, "SELECT count() FROM zipped"), "%d of %d bytes", n, len(blocks))
	}
	must(t, s, string(blocks), "query", "INSERT INTO zipped FORMAT TSV", "decompress", "1")
	require.Equal(t, "200000", must(t, s, "SELECT count() FROM zipped"))
	req := newRequest(t, s, http.MethodPost, strings.NewReader("x"), "query", "SELECT 1")
	req.Header.Set("Content-Encoding", "snappy")
	require.Equal(t, http.StatusNotImplemented, send(t, req).status)
}

// blocksOf compresses the text as two of ClickHouse's own blocks.
func blocksOf(t *testing.T, text string) (out []byte) {
	t.Helper()
	w := compress.NewWriter(compress.LevelZero, compress.LZ4)
	for _, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
		require.NoError(t, w.Compress([]byte(half)))
		out = append(out, w.Data...)
	}
	return out
}

func httpInserts(t *testing.T, s *Server) {
	must(t, s, "CREATE TABLE ins (a UInt64, b String DEFAULT concat('d', toString(a))) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100")
	must(t, s, "INSERT INTO ins (a) VALUES (1), (1 + 1);")
	must(t, s, "INSERT INTO ins FORMAT JSONEachRow\n{\"a\":3}\n{\"a\":4,\"b\":\"x\"}")
	must(t, s, "5,five\n", "query", "INSERT INTO ins FORMAT CSV")
	for _, format := range []string{"Native", "RowBinary", "Parquet", "Arrow", "MsgPack", "JSONCompactEachRow"} {
		data := post(t, s, "SELECT 10::UInt64 AS a, '"+format+"\n\x00;' AS b FORMAT "+format).body
		must(t, s, data, "query", "INSERT INTO ins FORMAT "+format)
	}
	require.Equal(t, "11", must(t, s, "SELECT count() FROM ins"))
	require.Equal(t, "d1,d2,d3,x,five", must(t, s, "SELECT arrayStringConcat(groupArray(b), ',') FROM (SELECT b FROM ins WHERE a < 10 ORDER BY a)"))
	must(t, s, "", "query", "INSERT INTO ins FORMAT CSV")

	for range 2 { // the second is a repetition
		r := post(t, s, "20,t\n", "query", "INSERT INTO ins FORMAT CSV", "insert_deduplication_token", "tok", "async_insert", "1")
		require.Equal(t, 200, r.status, r.body)
		require.Contains(t, r.header.Get("X-ClickHouse-Summary"), "written_rows")
	}
	require.Equal(t, "1", must(t, s, "SELECT count() FROM ins WHERE a = 20"))
	r := post(t, s, "1,2\nx,y\n", "query", "INSERT INTO ins FORMAT CSV")
	require.Equal(t, 400, r.status)
	require.Equal(t, "27", r.header.Get("X-ClickHouse-Exception-Code"))
	must(t, s, "INSERT INTO ins SELECT number + 100, 's' FROM numbers(50)")
	require.Equal(t, "50", must(t, s, "SELECT count() FROM ins WHERE b = 's'"))
}

func httpSessions(t *testing.T, s *Server) {
	in := []string{"session_id", "one"}
	must(t, s, "CREATE TEMPORARY TABLE tmp (a UInt8)", in...)
	must(t, s, "INSERT INTO tmp VALUES (7)", in...)
	must(t, s, "SET max_block_size = 77", in...)
	require.Equal(t, "7\t77\t3", must(t, s, "SELECT a, getSetting('max_block_size'), getSetting('max_threads') FROM tmp", append(in, "max_threads", "3")...))
	require.NotEqual(t, "3", must(t, s, "SELECT getSetting('max_threads') + 100", in...))
	require.Equal(t, 404, post(t, s, "SELECT * FROM tmp").status)
	require.Equal(t, "372", post(t, s, "SELECT 1", "session_id", "two", "session_check", "1").header.Get("X-ClickHouse-Exception-Code"))
	must(t, s, "SELECT 1", append(in, "close_session", "1")...)
	require.Equal(t, "372", post(t, s, "SELECT 1", append(in, "session_check", "1")...).header.Get("X-ClickHouse-Exception-Code"))
}

func httpForeign(t *testing.T, s *Server) {
	try := func(change func(*http.Request)) int {
		req := newRequest(t, s, http.MethodGet, nil, "query", "SELECT 1")
		change(req)
		return send(t, req).status
	}
	for _, host := range []string{"evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example"} {
		require.Equal(t, 403, try(func(r *http.Request) { r.Host = host }), host)
	}
	for _, origin := range []string{"http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"} {
		require.Equal(t, 403, try(func(r *http.Request) { r.Header.Set("Origin", origin) }), origin)
	}
	require.Equal(t, 403, try(func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }))
	require.Equal(t, 200, try(func(r *http.Request) { r.Host = "localhost:8123" }))
	require.Equal(t, 200, try(func(r *http.Request) { r.Host = "[::1]:8123" }))
	require.Equal(t, 200, try(func(r *http.Request) { r.Header.Set("Origin", "http://"+s.Addr()) }))
}

// An error after the first part was sent must not look like an end.
func httpLateError(t *testing.T, s *Server) {
	const sql = "SELECT throwIf(number = 3000000) FROM numbers(10000000)"
	r := post(t, s, sql, "max_threads", "1")
	require.Equal(t, 200, r.status)
	require.ErrorIs(t, r.err, io.ErrUnexpectedEOF)
	tag := r.header.Get("X-ClickHouse-Exception-Tag")
	require.Len(t, tag, 16)
	require.Contains(t, r.body, "\r\n__exception__\r\n"+tag+"\r\nCode: 395. DB::Exception: ")
	require.True(t, strings.HasSuffix(r.body, " "+tag+"\r\n__exception__\r\n"))
	r = post(t, s, sql, "max_threads", "1", "wait_end_of_query", "1")
	require.Equal(t, 500, r.status)
	require.True(t, strings.HasPrefix(r.body, "Code: 395."))
	require.Len(t, must(t, s, "SELECT number FROM numbers(3000000) FORMAT RowBinary", "wait_end_of_query", "1"), 8*3000000)
}

func httpForm(t *testing.T, s *Server) {
	body := "--B\r\nContent-Disposition: form-data; name=\"ext\"; filename=\"e\"\r\n\r\n1\ta\n2\tb\n\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT sum(x), {p:String} FROM ext\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"param_p\"\r\n\r\nq\r\n--B--\r\n"
	req := newRequest(t, s, http.MethodPost, strings.NewReader(body), "ext_structure", "x UInt8, y String", "readonly", "1")
	req.Header.Set("Content-Type", "multipart/form-data; boundary=B")
	r := send(t, req)
	require.Equal(t, "3\tq\n", r.body)
}

// A client that dies in the middle of an INSERT leaves nothing behind.
func httpTruncated(t *testing.T, s *Server) {
	must(t, s, "CREATE TABLE torn (a UInt64) ENGINE = MergeTree ORDER BY a")
	pr, pw := io.Pipe()
	go func() {
		_, _ = io.WriteString(pw, strings.Repeat("1\n", 500_000))
		_ = pw.CloseWithError(io.ErrClosedPipe)
	}()
	r := send(t, newRequest(t, s, http.MethodPost, pr, "query", "INSERT INTO torn FORMAT TSV", "query_id", "torn"))
	require.Error(t, r.err)
	require.Eventually(t, func() bool {
		return must(t, s, "SELECT count() FROM system.processes WHERE query_id = 'torn'") == "0"
	}, waitLong, tick)
	require.Equal(t, "0", must(t, s, "SELECT count() FROM torn"))
}
