package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/scenario"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

const (
	hookSecret  = "a-secret-of-the-demo"
	senderToken = "a-token-long-enough"
)

// log keeps what ingest makes durable.
type log struct {
	mu       sync.Mutex
	messages []bus.Message
}

func (l *log) Produce(_ context.Context, m ...bus.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, x := range m {
		b, err := x.Event.MarshalMsg(nil) // ingest may use its memory again
		if err != nil {
			return err
		}
		if x.Event, err = decode(x.Event.EventType(), b); err != nil {
			return err
		}
		l.messages = append(l.messages, x)
	}
	return nil
}

func (l *log) Ping(context.Context) error { return nil }

func decode(t event.Type, b []byte) (event.Event, error) {
	var e event.Event
	switch t {
	case event.TypeChange:
		e = new(event.Change)
	case event.TypeAttempt:
		e = new(event.Attempt)
	case event.TypeSignal:
		e = new(event.Signal)
	default:
		e = new(event.DeadLetter)
	}
	_, err := e.UnmarshalMsg(b)
	return e, err
}

// receiver is the real ingest with the demo's configuration.
func receiver(t *testing.T) (*log, string) {
	t.Helper()
	c, err := DemoConfig(DemoRefs{HookSecret: "env:HOOK", SenderToken: "env:TOKEN"})
	require.NoError(t, err)
	key, err := privacy.NewKey([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	l := &log{}
	s, err := ingest.New(ingest.Options{
		Config: c, Producer: l, Privacy: privacy.NewPolicy(key, c.Integrations),
		Secrets: config.Secrets{Env: func(name string) (string, bool) {
			return map[string]string{"HOOK": hookSecret, "TOKEN": senderToken}[name], true
		}},
	})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return l, server.URL
}

func testOptions(url string, w io.Writer) Options {
	p := DefaultProfile()
	p.Drop, p.Coerce, p.Import, p.FirstFault = 0.01, 0.01, time.Minute, time.Second
	p.AuthEvery, p.LimitEvery, p.OutageEvery = 2*time.Minute, 2*time.Minute, 2*time.Minute
	return Options{
		Seed: 6, Rate: 10, Speed: Unpaced, Start: start, Duration: 6 * time.Minute, Records: 100, Profile: &p,
		IngestURL: url, HookSecret: []byte(hookSecret), SenderToken: senderToken, Truth: w,
	}
}

func play(t *testing.T, o Options) Stats {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	require.NoError(t, s.Run(t.Context()))
	return s.Stats()
}

func lines(t *testing.T, b []byte) []truth.Line {
	t.Helper()
	var out []truth.Line
	for d := json.NewDecoder(bytes.NewReader(b)); d.More(); {
		var l truth.Line
		require.NoError(t, d.Decode(&l))
		out = append(out, l)
	}
	return out
}

// ids of the truth's lines of a kind, those in a system that matter to the test.
func ids(all []truth.Line, kind, system string) map[string]truth.Line {
	out := map[string]truth.Line{}
	for _, l := range all {
		if l.Kind == kind && (system == "" || l.System == system) {
			out[l.ID] = l
		}
	}
	return out
}

// Everything that is sent passes the real ingest, and the truth names changes
// and attempts by the ids that ingest gives them.
func TestIngestTakesEverythingAndIdsAgree(t *testing.T) {
	l, url := receiver(t)
	var b bytes.Buffer
	stats := play(t, testOptions(url, &b))
	require.Zero(t, stats.Refused)
	require.Zero(t, stats.Lost)
	all := lines(t, b.Bytes())

	got := map[event.Type]map[string]event.Event{}
	for _, m := range l.messages {
		typ := m.Event.EventType()
		require.NotEqual(t, event.TypeDeadLetter, typ)
		if got[typ] == nil {
			got[typ] = map[string]event.Event{}
		}
		switch e := m.Event.(type) {
		case *event.Change:
			got[typ][e.ID] = e
		case *event.Attempt:
			got[typ][e.ID] = e
		case *event.Signal:
			got[typ][e.ID] = e
		}
	}
	missing := 0
	for id, want := range ids(all, truth.Change, "hubspot") {
		c, ok := got[event.TypeChange][id].(*event.Change)
		if !ok {
			missing++ // a batch still under way when time ended
			continue
		}
		require.Equal(t, want.SourceID, c.RecordID)
		require.Equal(t, want.Actor, c.Actor.Kind+"/"+c.Actor.ID)
		require.Len(t, c.Fields, len(want.Fields))
	}
	require.Less(t, missing, 400)
	attempts := ids(all, truth.Attempt, "")
	require.Len(t, got[event.TypeAttempt], len(attempts))
	for id, want := range attempts {
		a := got[event.TypeAttempt][id].(*event.Attempt)
		require.Equal(t, want.Outcome, a.Outcome)
		require.Equal(t, want.Code, a.Code)
	}
	require.NotEmpty(t, got[event.TypeSignal])
}

func TestSameSeedSameTruth(t *testing.T) {
	slow := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	var mu sync.Mutex
	shaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		slow++
		n := slow
		mu.Unlock()
		if n%50 == 0 { // what the receiver answers must not decide anything
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer shaky.Close()
	var a, b, c bytes.Buffer
	o := testOptions(server.URL, &a)
	o.Rate, o.History = 5, 2*time.Minute
	play(t, o)
	o.Truth, o.IngestURL = &b, shaky.URL
	require.NotZero(t, play(t, o).Retried)
	require.Equal(t, a.String(), b.String())
	o.Truth, o.Seed = &c, 8
	play(t, o)
	require.NotEqual(t, a.String(), c.String())
}

// A busy quarter of an hour holds every kind of thing that the demo shows.
func TestTruthHoldsEveryKindOfTrouble(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	defer server.Close()
	var b bytes.Buffer
	o := testOptions(server.URL, &b)
	o.Duration = 16 * time.Minute
	play(t, o)
	all := lines(t, b.Bytes())
	codes, causes, open := map[string]int{}, map[string]int{}, map[string]bool{}
	writes := ids(all, truth.Write, "")
	updated := 0
	landed := map[string]bool{}
	for _, w := range writes {
		landed[w.Attempt] = true
	}
	for _, l := range all {
		switch l.Kind {
		case truth.Attempt:
			codes[l.Code]++
			if l.Outcome == event.OutcomeOK && l.Operation != event.OpAuthRefresh {
				if l.Operation == event.OpUpdate { // only updates are dropped
					updated++
				}
				if !landed[l.ID] {
					causes["acknowledged, not landed"]++
				}
			}
		case truth.Divergence:
			require.False(t, open[l.ID], "%s begins twice", l.ID)
			open[l.ID] = true
			causes[l.Cause]++
			require.Contains(t, event.DivergenceKinds, l.Type)
		case truth.Resolved:
			require.True(t, open[l.ID], "%s ends before it begins", l.ID)
			delete(open, l.ID)
		}
	}
	for _, code := range []string{
		"INVALID_SESSION_ID", "REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW",
		"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "STRING_TOO_LONG", "DUPLICATES_DETECTED",
	} {
		require.NotZero(t, codes[code], code)
	}
	for _, cause := range []string{scenario.AckAndDrop, scenario.Coerced, causeEdited, causeCreated, "acknowledged, not landed"} {
		require.NotZero(t, causes[cause], cause)
	}
	require.InDelta(t, 0.01, float64(causes["acknowledged, not landed"])/float64(updated), 0.005)
}

// Saves come at the rate asked for, in virtual time and on the wall.
func TestRateHolds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	defer server.Close()
	var b bytes.Buffer
	o := testOptions(server.URL, &b)
	o.Rate, o.Duration = 50, 2*time.Minute
	play(t, o)
	saves := 0
	for _, l := range ids(lines(t, b.Bytes()), truth.Change, "") {
		// A creation is one save and two changes; repairs are nobody's own idea.
		if l.Operation != event.OpCreate {
			saves++
		}
	}
	require.InEpsilon(t, 50*120, saves, 0.1)

	o.Rate, o.Speed, o.Duration = 2, 60, time.Minute
	began := time.Now()
	play(t, o)
	took := time.Since(began) // a second, on a machine that has one to give
	require.Greater(t, took, 900*time.Millisecond)
	require.Less(t, took, 30*time.Second)
}

func TestStopEndsTheRunAtOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable) // everything is being sent again
	}))
	defer server.Close()
	o := testOptions(server.URL, nil)
	o.Duration = 0
	s, err := New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	require.NoError(t, s.Run(ctx))
	require.Less(t, time.Since(began), 30*time.Second, "it would send for ever")
	require.NotZero(t, s.Stats().Lost)
}

func TestOptionsSayWhatIsMissing(t *testing.T) {
	_, err := New(Options{})
	require.ErrorContains(t, err, "required")
	o := testOptions("127.0.0.1", nil)
	_, err = New(o)
	require.ErrorContains(t, err, "http://host:port")
	o = testOptions("http://127.0.0.1:1", nil)
	o.Rate = -1
	_, err = New(o)
	require.ErrorContains(t, err, "negative")
}
