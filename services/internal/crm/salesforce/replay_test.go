package salesforce

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exchange is a call and its answer, as a transcript has them.
type exchange struct {
	asks, body string
	status     int
	header     map[string]string
	answer     string
}

// replay serves a transcript: calls in its order, and no others.
func replay(t *testing.T, path string) *httptest.Server {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var script []*exchange
	for line := range strings.Lines(string(text)) {
		last := (*exchange)(nil)
		if len(script) > 0 {
			last = script[len(script)-1]
		}
		plain := strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(plain, "> "):
			script = append(script, &exchange{asks: plain[2:]})
		case last == nil:
		case last.status == 0 && strings.HasPrefix(plain, "? "):
			last.body = plain[2:]
		case last.status == 0 && strings.HasPrefix(plain, "< "):
			status, headers, _ := strings.Cut(plain[2:], " ")
			last.status, err = strconv.Atoi(status)
			require.NoError(t, err)
			last.header = map[string]string{}
			for h := range strings.SplitSeq(headers, " | ") {
				if name, value, ok := strings.Cut(h, ": "); ok {
					last.header[name] = value
				}
			}
		default:
			last.answer += line
		}
	}
	var mu sync.Mutex
	at := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked := r.Method + " " + r.URL.RequestURI()
		if !assert.Less(t, at, len(script), "more calls than the transcript has: %s", asked) {
			http.Error(w, "over", http.StatusTeapot)
			return
		}
		x := script[at]
		at++
		assert.Equal(t, x.asks, asked)
		if body, _ := io.ReadAll(r.Body); x.body != "" {
			assert.JSONEq(t, x.body, string(body))
		}
		for name, value := range x.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(x.status)
		if x.status != http.StatusNoContent {
			_, _ = io.WriteString(w, strings.TrimSuffix(x.answer, "\n")) // the blank line between calls
		}
	}))
	t.Cleanup(func() {
		s.Close()
		require.Equal(t, len(script), at, "calls that were not made")
	})
	return s
}
