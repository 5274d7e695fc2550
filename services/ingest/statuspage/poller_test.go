package statuspage

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/services/ingest/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// vendor is a status page that counts what it is asked.
type vendor struct {
	mu                    sync.Mutex
	incidents, components string
	etag                  string
	asked, spared         int
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if v.etag != "" && r.Header.Get("If-None-Match") == v.etag {
		v.spared++
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if v.etag != "" {
		w.Header().Set("ETag", v.etag)
	}
	switch r.URL.Path {
	case "/api/v2/incidents.json":
		fmt.Fprint(w, v.incidents)
	case "/api/v2/components.json":
		fmt.Fprint(w, v.components)
	}
}

// taken keeps the summaries of the signals that bodies become.
type taken struct {
	t       *testing.T
	signals []string
	bodies  int
	err     error
}

func (k *taken) Refused(string) {}

func (k *taken) Take(body []byte) error {
	if k.err != nil {
		return k.err
	}
	k.bodies++
	r, err := sources.Statuspage(body, sources.Meta{Hook: "p", System: "hubspot", ReceivedAt: 1_767_323_045_000})
	require.NoError(k.t, err)
	require.Empty(k.t, r.Bad)
	require.NotEmpty(k.t, r.Others)
	for _, e := range r.Others {
		k.signals = append(k.signals, summary(e))
	}
	return nil
}

const pageHead = `{"page":{"id":"p1","name":"HubSpot"},`

func incident(id, status, updated, resolved string) string {
	if resolved != "null" {
		resolved = `"` + resolved + `"`
	}
	return fmt.Sprintf(`{"id":%q,"name":"API errors","status":%q,"created_at":"2026-01-01T00:00:00Z","updated_at":%q,"resolved_at":%s,"impact":"major"}`,
		id, status, updated, resolved)
}

func parts(status string) string {
	return pageHead + `"components":[{"id":"c1","name":"API","status":"` + status + `","updated_at":"2026-01-02T00:00:00Z"},` +
		`{"id":"c2","name":"Forms","status":"operational","updated_at":"2020-01-02T00:00:00Z"}]}`
}

func start(t *testing.T, h http.Handler) (*Poller, *taken) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	k := &taken{t: t}
	p, err := New(Options{URL: server.URL, AllowPrivate: true, Every: time.Minute, Taker: k, Clock: fixed{}})
	require.NoError(t, err)
	t.Cleanup(p.client.CloseIdleConnections)
	return p, k
}

func TestPollTellsWhatIsNewOnce(t *testing.T) {
	v := &vendor{
		incidents: pageHead + `"incidents":[` + incident("i1", "investigating", "2026-01-02T00:00:00Z", "null") + `,` +
			incident("i0", "resolved", "2025-03-01T00:00:00Z", "2025-03-01T00:00:00Z") + `]}`,
		components: parts("major_outage"),
	}
	p, k := start(t, v)
	require.NoError(t, p.Poll(t.Context()))
	require.Equal(t, []string{"API errors (investigating)", "API is major_outage, was unknown"}, k.signals, "what ended long ago and what is well are not told")
	require.NoError(t, p.Poll(t.Context()))
	require.Equal(t, 2, k.bodies, "the same page says nothing new")

	v.incidents = pageHead + `"incidents":[` + incident("i1", "resolved", "2026-01-02T01:00:00Z", "2026-01-02T01:00:00Z") + `]}`
	v.components = parts("operational")
	require.NoError(t, p.Poll(t.Context()))
	require.Equal(t, []string{"API errors (resolved)", "API is operational, was major_outage"}, k.signals[2:])
}

func TestPollSparesThePageByItsETag(t *testing.T) {
	v := &vendor{incidents: pageHead + `"incidents":[]}`, components: parts("operational"), etag: `"v1"`}
	p, _ := start(t, v)
	require.NoError(t, p.Poll(t.Context()))
	require.NoError(t, p.Poll(t.Context()))
	require.Equal(t, 4, v.asked)
	require.Equal(t, 2, v.spared)
}

// What could not be made durable is told again, although the page did not change.
func TestNothingIsSeenBeforeItIsDurable(t *testing.T) {
	v := &vendor{
		incidents: pageHead + `"incidents":[` + incident("i1", "investigating", "2026-01-02T00:00:00Z", "null") + `]}`, components: parts("major_outage"),
		etag: `"v1"`,
	}
	p, k := start(t, v)
	k.err = errors.New("the log is away")
	require.ErrorIs(t, p.Poll(t.Context()), k.err)
	k.err = nil
	require.NoError(t, p.Poll(t.Context()))
	require.Len(t, k.signals, 2)
}

func TestPollRefuses(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"larger than": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"page":"`+strings.Repeat("x", maxPage)+`"}`)
		},
		"answered 302": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		},
		"answered 500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"not a status": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html>`) },
		"more than": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, pageHead+`"incidents":[`+strings.Repeat("{},", maxParts)+`{}],"components":[`+strings.Repeat("{},", maxParts)+`{}]}`)
		},
		"as a status p": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, pageHead+`"components":[{"id":7}]}`) },
	} {
		p, k := start(t, h)
		require.ErrorContains(t, p.Poll(t.Context()), name)
		require.Zero(t, k.bodies)
	}
}

// A name that leads inside is refused when it is dialled, whatever it is called.
func TestPagesStayOutside(t *testing.T) {
	_, err := New(Options{URL: "http://status.example.com", Taker: &taken{t: t}})
	require.ErrorContains(t, err, "https")
	p, err := New(Options{URL: "https://localhost:1", Taker: &taken{t: t}})
	require.NoError(t, err)
	require.ErrorContains(t, p.Poll(t.Context()), "allow_private")
}
