package clickhouse

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if IsChild(os.Args) {
		os.Exit(ChildMain(os.Args))
	}
	if len(os.Args) > 1 && os.Args[1] == parentArg {
		parentMain(os.Args[2])
	}
	if _, err := FindLibrary(""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func start(t *testing.T, change ...func(*Options)) *Server {
	t.Helper()
	opts := Options{Data: t.TempDir(), MaxMemory: 2 << 30}
	for _, f := range change {
		f(&opts)
	}
	s, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, s.Stop(ctx))
		client.CloseIdleConnections()
	})
	return s
}

// client does what curl does: no compression of its own.
var client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 20}}

type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

// post sends a query with URL arguments given as name, value pairs.
func post(t *testing.T, s *Server, body string, args ...string) reply {
	t.Helper()
	return send(t, newRequest(t, s, http.MethodPost, strings.NewReader(body), args...))
}

func get(t *testing.T, s *Server, args ...string) reply {
	t.Helper()
	return send(t, newRequest(t, s, http.MethodGet, nil, args...))
}

func newRequest(t *testing.T, s *Server, method string, body io.Reader, args ...string) *http.Request {
	t.Helper()
	q := url.Values{}
	for i := 0; i < len(args); i += 2 {
		q.Set(args[i], args[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+"/?"+q.Encode(), body)
	if err != nil {
		panic(err) // also on goroutines, which must not end a test
	}
	return req
}

func send(t *testing.T, req *http.Request) reply {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, string(b), err}
}

// must is a statement that has to work.
func must(t *testing.T, s *Server, sql string, args ...string) string {
	t.Helper()
	r := post(t, s, sql, args...)
	require.NoError(t, r.err)
	require.Equal(t, http.StatusOK, r.status, r.body)
	return strings.TrimSuffix(r.body, "\n")
}
