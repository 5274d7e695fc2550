package ingest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
)

func get(t *testing.T, s *Server, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Addr()+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestHealthAndMetrics(t *testing.T) {
	p := &recorder{}
	s := start(t, options(t, p))
	code, _ := get(t, s, "/healthz")
	require.Equal(t, 200, code)
	code, _ = get(t, s, "/readyz")
	require.Equal(t, 200, code)
	p.mu.Lock()
	p.err = errAway
	p.mu.Unlock()
	code, _ = get(t, s, "/readyz")
	require.Equal(t, 503, code)
	code, _ = get(t, s, "/healthz")
	require.Equal(t, 200, code, "a broker that is away is no reason to restart us")
	code, body := get(t, s, "/metrics")
	require.Equal(t, 200, code)
	require.Contains(t, body, "plumbline_ingest_inflight_bytes 0")
	code, _ = get(t, s, "/hooks/main")
	require.Equal(t, 405, code)
}

func TestStopFinishesRequestsInFlight(t *testing.T) {
	p := &recorder{wait: make(chan struct{}), entered: make(chan struct{})}
	s := start(t, options(t, p))
	answered := make(chan int, 1)
	go func() {
		code, _ := send(t, s, "/v1/attempts", []byte(goodAttempt), bearer())
		answered <- code
	}()
	<-p.entered
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop(context.Background()) }()
	require.Eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	}, 5*time.Second, time.Millisecond, "the door is shut")
	select {
	case err := <-stopped:
		t.Fatalf("stopped before the request was answered: %v", err)
	default:
	}
	close(p.wait)
	require.Equal(t, 202, <-answered)
	require.NoError(t, <-stopped)
	require.Len(t, p.take(), 1)
	require.NoError(t, s.Stop(context.Background()), "a second stop does nothing")
}

func TestStopIsBounded(t *testing.T) {
	p := &recorder{wait: make(chan struct{}), entered: make(chan struct{})}
	o := options(t, p)
	s := newServer(t, o)
	require.NoError(t, s.Start(t.Context()))
	go func() {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.Addr()+"/v1/attempts", strings.NewReader(goodAttempt))
		r.Header = bearer()
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-p.entered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, s.Stop(ctx), "requests were cut off")
	close(p.wait)
}

func TestStartRefusesATakenPort(t *testing.T) {
	s := start(t, options(t, &recorder{}))
	o := options(t, &recorder{})
	o.Listen = s.Addr()
	other := newServer(t, o)
	require.ErrorContains(t, other.Start(t.Context()), "choose another listen.ingest")
	require.NoError(t, other.Stop(context.Background()))
}

func TestInFlightBytesAreBounded(t *testing.T) {
	p := &recorder{wait: make(chan struct{}), entered: make(chan struct{})}
	o := options(t, p)
	o.Limits = DefaultLimits()
	o.Limits.InFlight = 16 << 10
	s := start(t, o)
	first := make(chan int, 1)
	padded := goodAttempt + strings.Repeat(" ", 10<<10)
	go func() {
		code, _ := send(t, s, "/v1/attempts", []byte(padded), bearer())
		first <- code
	}()
	<-p.entered
	w := post(s, "/v1/attempts", padded, bearer())
	require.Equal(t, 503, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	close(p.wait)
	require.Equal(t, 202, <-first)
	require.Zero(t, s.inflight.Load())
}

// What a server of the world meets: each gets an answer or a closed
// connection, and the server goes on.
func TestHostileConnections(t *testing.T) {
	p := &recorder{}
	s := start(t, options(t, p))
	long := strings.Repeat("x", 64<<10)
	for name, tc := range map[string]struct{ request, status string }{
		"header flood":      {"POST /hooks/main HTTP/1.1\r\nHost: x\r\nA: " + long + "\r\n\r\n", "431"},
		"two lengths":       {"POST /hooks/main HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]", "400"},
		"bad chunk":         {"POST /v1/attempts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "400"},
		"lying length":      {"POST /v1/attempts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 99999999999\r\n\r\n[]", "413"},
		"chunked and large": {"POST /v1/attempts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nTransfer-Encoding: chunked\r\n\r\n900000\r\n" + strings.Repeat(" ", 9<<20), "413"},
	} {
		c, err := net.Dial("tcp", s.Addr())
		require.NoError(t, err)
		require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
		go func() { _, _ = io.WriteString(c, tc.request) }()
		line, err := bufio.NewReader(c).ReadString('\n')
		require.NoError(t, err, name)
		require.Contains(t, line, tc.status, name)
		require.NoError(t, c.Close())
	}
	code, _ := send(t, s, "/v1/attempts", []byte(goodAttempt), bearer())
	require.Equal(t, 202, code)
	require.Len(t, p.take(), 1)
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	_, err := New(Options{})
	require.ErrorContains(t, err, "are required")
	o := options(t, &recorder{})
	o.Config.Hooks[0].Secrets[0] = "env:NOBODY"
	_, err = New(o)
	require.ErrorContains(t, err, "hook main: secret env:NOBODY is not set")
	o = options(t, &recorder{})
	o.Config.Hooks[0].Source = "pigeon"
	_, err = New(o)
	require.ErrorContains(t, err, "hook main: source pigeon has no webhook decoder in this version")
}

// End to end: a 2xx is in the log, readable by anybody, also after the broker
// was away; while it is away the sender is asked again.
func TestEndToEnd(t *testing.T) {
	leakFree(t)
	broker := kafkatest.Fake(t, kafka.TopicSpec{Name: topic.Intake, Partitions: 2}, kafka.TopicSpec{Name: topic.DeadLetters, Partitions: 2})
	o := options(t, nil)
	options := bus.Options{Brokers: []string{broker.Addr()}}
	producer, err := bus.NewProducer(options, "confighash")
	require.NoError(t, err)
	t.Cleanup(producer.Close)
	o.Producer = producer
	o.Limits = DefaultLimits()
	o.Limits.Produce = 2 * time.Second
	s := run(t, o)
	hook := func(i int) (int, string) {
		body := "[" + hubspotEvent(i, "email", "jane@example.com") + `,{"subscriptionType":"contact.creation"}]`
		return send(t, s, "/hooks/main", []byte(body), signV3(newSecret, "POST", publicURL, body, testTime))
	}
	for i := range 20 {
		code, body := hook(i)
		require.Equal(t, 202, code, body)
	}
	broker.Kill()
	code, _ := hook(20)
	require.Equal(t, 503, code)
	broker.Restart()
	require.Eventually(t, func() bool { code, _ := hook(20); return code == 202 }, time.Minute, 100*time.Millisecond)

	ids, dead := readBack(t, options)
	for i := range 21 {
		want := event.Hash("62515", "2", fmt.Sprint(7000+i), fmt.Sprint(i), "1767323000000", "email")
		require.Contains(t, ids, want, "event %d was answered 2xx", i)
	}
	require.Len(t, ids, 21)
	require.NotEmpty(t, dead)
	for _, d := range dead {
		plain, err := testKey(t).Open(d.Tenant, d.Origin, d.Bytes)
		require.NoError(t, err)
		require.JSONEq(t, `{"subscriptionType":"contact.creation"}`, string(plain))
	}
}

func readBack(t *testing.T, o bus.Options) (map[string]*event.Change, []*event.DeadLetter) {
	t.Helper()
	log, err := bus.NewChangelog(o)
	require.NoError(t, err)
	defer log.Close()
	ids, dead := map[string]*event.Change{}, []*event.DeadLetter(nil)
	for _, name := range []string{topic.Intake, topic.DeadLetters} {
		for p := range int32(2) {
			require.NoError(t, log.Records(t.Context(), name, p, func(r stream.Record) error {
				switch e := r.Event.(type) {
				case *event.Change:
					require.NoError(t, e.Validate())
					require.Equal(t, event.KindHash, e.Fields[0].Value.Kind)
					ids[e.ID] = e
				case *event.DeadLetter:
					dead = append(dead, e)
				default:
					t.Errorf("unexpected %T", e)
				}
				return nil
			}))
		}
	}
	return ids, dead
}
