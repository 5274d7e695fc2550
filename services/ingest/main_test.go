package ingest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/bus"
	conf "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/kafkatest"
	"plumbline.dev/services/internal/privacy"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

const (
	newSecret = "the-new-hubspot-secret"
	oldSecret = "the-old-hubspot-secret"
	token     = "a-sender-token-of-some-length"
	publicURL = "https://hooks.example.com/in/main"
)

const testConfig = `
hooks:
  - { id: main, source: hubspot, secrets: [env:NEW, env:OLD], public_url: "https://hooks.example.com/in/main" }
  - { id: older, source: hubspot, secrets: [env:NEW], public_url: "https://hooks.example.com/in/older", accept: [v1, v2] }
senders:
  - { id: worker, tokens: [env:TOKEN] }
integrations:
  - id: hs-sf
    tenant: acme
    source: { system: hubspot, account: "62515", hook: main }
    target: { system: salesforce, account: 00D1 }
    objects:
      - name: contact
        target: Contact
        fields:
          - { source: iban, target: Iban__c, policy: drop }
`

// recorder is a producer that keeps what it is given.
type recorder struct {
	mu       sync.Mutex
	messages []bus.Message
	calls    int
	err      error
	wait     chan struct{} // not nil: Produce waits for it
	entered  chan struct{}
}

func (r *recorder) Produce(ctx context.Context, m ...bus.Message) error {
	if r.wait != nil {
		close(r.entered)
		select {
		case <-r.wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.err != nil {
		return r.err
	}
	r.messages = append(r.messages, m...)
	return nil
}

func (r *recorder) Ping(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *recorder) take() []bus.Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.messages
	r.messages = nil
	return m
}

var errAway = errors.New("the broker is away")

type clockOf struct{ t time.Time }

func (c clockOf) now() time.Time { return c.t }

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

func testKey(t testing.TB) *privacy.Key {
	key, err := privacy.NewKey([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	return key
}

func options(t testing.TB, p Producer) Options {
	t.Helper()
	cfg, err := conf.Parse("test.yaml", []byte(testConfig))
	require.NoError(t, err)
	env := map[string]string{"NEW": newSecret, "OLD": oldSecret, "TOKEN": token}
	return Options{
		Config: cfg, Producer: p, Registerer: prometheus.NewPedanticRegistry(), Listen: "127.0.0.1:0",
		Secrets: conf.Secrets{Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }},
		Privacy: privacy.NewPolicy(testKey(t), cfg.Integrations), Now: clockOf{testTime}.now,
	}
}

func newServer(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	return s
}

// start runs the server on a port of its own and makes sure that nothing of
// it stays behind.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	leakFree(t)
	return run(t, o)
}

func run(t *testing.T, o Options) *Server {
	t.Helper()
	s := newServer(t, o)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		require.NoError(t, s.Stop(context.Background()))
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// leakFree looks for goroutines after all that is cleaned up before it.
func leakFree(t *testing.T) {
	t.Helper()
	running := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, running) })
}

func signV3(secret, method, uri, body string, at time.Time) http.Header {
	stamp := strconv.FormatInt(at.UnixMilli(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(method + uri + body + stamp))
	return http.Header{
		"Content-Type": {"application/json"}, "X-Hubspot-Request-Timestamp": {stamp},
		"X-Hubspot-Signature-V3": {base64.StdEncoding.EncodeToString(m.Sum(nil))},
	}
}

func signV1(secret, body string) http.Header {
	sum := sha256.Sum256([]byte(secret + body))
	return http.Header{"X-Hubspot-Signature": {hex.EncodeToString(sum[:])}, "X-Hubspot-Signature-Version": {"v1"}}
}

func bearer(more ...string) http.Header {
	h := http.Header{"Authorization": {"Bearer " + token}}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// post sends a body without a network.
func post(s *Server, path, body string, h http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header = h
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// send sends a body over the network.
func send(t *testing.T, s *Server, path string, body []byte, h http.Header) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr()+path, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header = h
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// secrets answers for one reference and asks another for the rest.
type secrets struct {
	Secrets
	ref   config.Secret
	value string
}

func (s secrets) Resolve(ref config.Secret) ([]byte, error) {
	if ref == s.ref {
		return []byte(s.value), nil
	}
	return s.Secrets.Resolve(ref)
}

func secretsWith(s Secrets, ref config.Secret, value string) Secrets { return secrets{s, ref, value} }
