package server

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/stretchr/testify/require"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
)

func TestAcceptedEncoding(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br, zstd": "zstd", "gzip;q=0, deflate": "deflate", "GZIP ; q=0.5": "gzip", "xz": "",
	} {
		require.Equal(t, want, acceptedEncoding(header), header)
	}
}

func TestParseRequest(t *testing.T) {
	args := url.Values{
		"query": {"SELECT 1"}, "max_threads": {"2"}, "param_a": {"x"}, "user": {"u"}, "format_schema": {"s"},
		"date_time_input_format": {"best_effort"}, "async_insert": {"1"}, "log_comment": {"mine"}, "query_id": {"id"},
	}
	q, err := parseRequest(httptest.NewRequest("GET", "/", nil), args, false)
	require.NoError(t, err)
	require.Equal(t, []chdb.Param{{Name: "date_time_input_format", Value: "best_effort"}, {Name: "format_schema", Value: "s"}, {Name: "max_threads", Value: "2"}}, q.settings)
	require.Equal(t, []chdb.Param{{Name: "a", Value: "x"}}, q.params)
	require.Equal(t, "2", q.readonly)
	require.Equal(t, "query_id=id\nmine", q.marker())
	for _, bad := range []url.Values{{"session_timeout": {"x"}}, {"client_protocol_version": {"-1"}}, {"session_timeout": {"9999"}}} {
		_, err := parseRequest(httptest.NewRequest("POST", "/", nil), bad, false)
		require.Error(t, err)
	}
}

func TestMessage(t *testing.T) {
	require.Equal(t, "Code: 62. DB::Exception: x (version 1)\n", message(fail(62, "x"), "1"))
	require.Equal(t, "Code: 62. DB::Exception: x (version 2)\n", message(fail(62, "x (version 2)"), "1"))
	require.Equal(t, "Code: 1002. DB::Exception: odd (version 1)\n", message(errors.New("odd"), "1"))
	require.Equal(t, 404, statusOf(60))
	require.Equal(t, 500, statusOf(codeUnknown))
}

// Cut anywhere but between two blocks, compressed data ends in an error and never in a clean end.
func TestFramesCut(t *testing.T) {
	var in []byte
	ends := map[int]string{0: ""}
	w := compress.NewWriter(compress.LevelZero, compress.ZSTD)
	for _, text := range []string{"first", "second"} {
		require.NoError(t, w.Compress([]byte(text)))
		in = append(in, w.Data...)
		ends[len(in)] = ends[len(in)-len(w.Data)] + text
	}
	for n := range len(in) + 1 {
		r, err := decode(bytes.NewReader(in[:n]), "", true)
		require.NoError(t, err)
		got, err := io.ReadAll(r)
		want, clean := ends[n]
		require.Equal(t, clean, err == nil, "%d: %v", n, err)
		if clean {
			require.Equal(t, want, string(got))
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(bytes.Repeat([]byte{1}, 40))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := decode(bytes.NewReader(in), "", true)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, r)
	})
}
