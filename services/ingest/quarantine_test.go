package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/spool"
)

// quarantined starts a server whose hook has some secret, with a quarantine in
// the folder, and gives both back when done.
func quarantined(t *testing.T, dir, secret string, p Producer, at time.Time, use func(*Server)) {
	t.Helper()
	q, err := spool.Open(spool.Options{Dir: dir})
	require.NoError(t, err)
	o := options(t, p)
	o.Quarantine, o.Now, o.Registerer = q, clockOf{at}.now, prometheus.NewPedanticRegistry()
	o.Secrets = secretsWith(secretsWith(o.Secrets, "env:NEW", secret), "env:OLD", "another, long retired")
	s := newServer(t, o)
	require.NoError(t, s.Start(t.Context()))
	use(s)
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, q.Close())
}

// A secret is entered wrongly; after it is put right, nothing is lost.
func TestWrongSecretLosesNothing(t *testing.T) {
	leakFree(t)
	dir, p := t.TempDir(), &recorder{}
	body := "[" + hubspotEvent(1, "p", "jane@example.com") + "]"
	quarantined(t, dir, "a secret with a typing error", p, testTime, func(s *Server) {
		require.Equal(t, 401, post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime)).Code)
		post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime.Add(-time.Hour))) // out of its window
		h := signV3(newSecret, "POST", publicURL, body, testTime)
		h.Set("X-Hubspot-Signature-V3", "no signature")
		post(s, "/hooks/main", body, h)
		require.Equal(t, 1, s.o.Quarantine.Stats().Records, "only what looks like its provider's")
		require.Empty(t, p.take())
	})
	require.NotContains(t, contents(t, dir), "jane", "sealed")

	quarantined(t, dir, "still wrong, but otherwise", p, testTime.Add(time.Hour), func(s *Server) {
		require.Equal(t, 1, s.o.Quarantine.Stats().Records, "it waits")
		require.Empty(t, p.take())
	})
	quarantined(t, dir, newSecret, p, testTime.Add(24*time.Hour), func(s *Server) {
		m := p.take()
		require.Len(t, m, 1)
		require.Equal(t, event.At(testTime), m[0].Event.(*event.Change).ReceivedAt, "as of when it came")
		require.Zero(t, s.o.Quarantine.Stats().Records)
		require.InDelta(t, 1, testutil.ToFloat64(s.metrics.quarantine.WithLabelValues("hooks/main", "released")), 0)
	})
}

func TestQuarantineForgets(t *testing.T) {
	dir, p := t.TempDir(), &recorder{}
	body := hubspotEvent(1, "p", "v")
	quarantined(t, dir, "wrong wrong wrong wrong", p, testTime, func(s *Server) {
		post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	})
	quarantined(t, dir, "wrong again", p, testTime.Add(quarantineAge+time.Hour), func(s *Server) {
		require.Zero(t, s.o.Quarantine.Stats().Records)
	})
	require.Empty(t, p.take())
}

// Strangers can make signatures that look right: what they may fill is bounded.
func TestQuarantineIsBounded(t *testing.T) {
	p := &recorder{}
	quarantined(t, t.TempDir(), "wrong wrong wrong wrong", p, testTime, func(s *Server) {
		body := hubspotEvent(1, "p", "v")
		for range 3 * quarantineASecond {
			post(s, "/hooks/main", body, signV3("a stranger's", "POST", publicURL, body, testTime))
		}
		require.Equal(t, quarantineASecond, s.o.Quarantine.Stats().Records)
		require.InDelta(t, 2*quarantineASecond, testutil.ToFloat64(s.metrics.quarantine.WithLabelValues("hooks/main", "full")), 0)
		h := s.hooks["main"]
		require.False(t, s.spend(h, quarantineBytes, testTime.Add(time.Minute)), "bytes of one hook")
		require.True(t, s.spend(s.hooks["older"], 1, testTime), "another hook has its own share")
	})
}

func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		all.Write(b)
	}
	return all.String()
}
