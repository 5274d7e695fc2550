package notify

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	ekafka "plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
	"plumbline.dev/services/notify/kit"
)

// atOnce is how many tests run beside each other: they wait more than they
// compute.
const atOnce = "8"

// TestMain lets the test binary be a broker, or a notifier that may be killed.
func TestMain(m *testing.M) {
	if raw := os.Getenv(childEnv); raw != "" {
		if err := runChild(raw); err != nil {
			fmt.Fprintln(os.Stderr, "notify:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	_ = flag.Set("test.parallel", atOnce)
	code := kafkatest.Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// world is a broker, a Slack and whoever puts alerts.
type world struct {
	t      *testing.T
	broker kafkatest.Broker
	out    *bus.Producer
	slack  *slack
	data   string
	seq    int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	spec, _ := topic.Find(topic.AlertStates)
	w := &world{
		t: t, data: t.TempDir(), slack: newSlack(t),
		broker: kafkatest.Fake(t, ekafka.TopicSpec{Name: topic.AlertStates, Partitions: 2, Config: spec.Configs()}),
	}
	var err error
	w.out, err = bus.NewProducer(bus.Options{Brokers: []string{w.broker.Addr()}}, "")
	require.NoError(t, err)
	t.Cleanup(w.out.Close)
	return w
}

// say puts the next change of an alert.
func (w *world) say(a event.Alert) event.Alert {
	w.t.Helper()
	w.seq++
	a.Seq = w.seq
	if a.Tenant == "" {
		a.Tenant = "default"
	}
	if a.ObservedAt == 0 {
		a.ObservedAt = event.JSONTime(event.At(time.Now()))
	}
	if a.Since == 0 {
		a.Since = event.JSONTime(1_767_225_600_000)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(w.t, w.out.Produce(ctx, bus.Message{Topic: topic.AlertStates, Key: a.ID, Event: &a}))
	return a
}

// incident is an alert as the alert operator tells it.
func incident(id, status string) event.Alert {
	return event.Alert{
		ID: id, Status: status, Severity: event.Page, Priority: event.P1, Rule: event.RuleIncident, Integration: "hs-sf", Object: "contact",
		Subject: "hs-sf/fp1", RecordsAffected: 42, Class: event.ClassAuth, Attribution: event.ByCustomer, Confidence: 0.9,
		Summary:   "hs-sf: contact update fails at salesforce: auth (401); 42 records, 42 not right yet",
		FirstStep: "reconnect OAuth", ConsoleURL: "http://console/?incident=" + id, IncidentID: id,
	}
}

// quick is the rendered shortcut with waits that a test has time for.
func (w *world) quick(n config.Notify) string { return w.quickFor(n, nil) }

func (w *world) quickFor(n config.Notify, addresses []string) string {
	w.t.Helper()
	text, err := Render(n, addresses, func(s config.Secret) ([]byte, error) { return []byte(s), nil })
	require.NoError(w.t, err)
	for _, change := range [][2]string{{"group_wait: 10s", "group_wait: 300ms"}, {"group_interval: 2m", "group_interval: 200ms"}} {
		require.Contains(w.t, text, change[0])
		text = strings.ReplaceAll(text, change[0], change[1])
	}
	file := filepath.Join(w.t.TempDir(), "alertmanager.yml")
	require.NoError(w.t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func (w *world) options() Options {
	return Options{
		Source: kit.Source{Brokers: []string{w.broker.Addr()}}, Data: w.data, Every: 200 * time.Millisecond,
		File: w.quick(config.Notify{Slack: config.Secret(w.slack.URL)}), Config: config.Notify{AllowPrivate: true},
	}
}

// start runs a notifier; the returned function stops it.
func (w *world) start(o Options) func() {
	w.t.Helper()
	n, err := New(o)
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-done)
	})
	w.t.Cleanup(stop)
	return stop
}

// slack takes messages as Slack's incoming webhooks do.
type slack struct {
	*httptest.Server
	mu     sync.Mutex
	texts  []string
	broken bool
	no     int           // refused
	hang   chan struct{} // not nil: messages are held until it closes
	hold   int
}

func newSlack(t *testing.T) *slack {
	s := &slack{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m struct {
			Attachments []struct{ Title, Text string }
		}
		if s.waits(r) { // nobody is told by a message that hangs
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.broken {
			s.no++
			http.Error(rw, "try later", http.StatusServiceUnavailable)
			return
		}
		if json.Unmarshal(body, &m) != nil || len(m.Attachments) != 1 {
			http.Error(rw, "invalid_payload", http.StatusBadRequest)
			return
		}
		s.texts = append(s.texts, m.Attachments[0].Title+"\n"+m.Attachments[0].Text)
		_, _ = rw.Write([]byte("ok"))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *slack) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.texts...)
}

func (s *slack) breaks(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = yes
}

// waits holds a request while Slack hangs, and reports whether it did.
func (s *slack) waits(r *http.Request) bool {
	s.mu.Lock()
	hang := s.hang
	if hang != nil {
		s.hold++
	}
	s.mu.Unlock()
	if hang == nil {
		return false
	}
	select {
	case <-hang:
	case <-r.Context().Done():
	}
	return true
}

func (s *slack) hangs(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hang != nil {
		close(s.hang)
	}
	s.hang = nil
	if yes {
		s.hang = make(chan struct{})
	}
}

func (s *slack) held() int    { s.mu.Lock(); defer s.mu.Unlock(); return s.hold }
func (s *slack) refused() int { s.mu.Lock(); defer s.mu.Unlock(); return s.no }

// wait returns the messages once there are n.
func (s *slack) wait(t *testing.T, n int) []string {
	t.Helper()
	require.Eventually(t, func() bool { return len(s.got()) >= n }, time.Minute, 20*time.Millisecond, "messages: %v", s.got())
	return s.got()
}

// mailServer speaks as much SMTP as a client needs, and keeps the mails.
func mailServer(t *testing.T) (string, func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var mu sync.Mutex
	var mails []string
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				if mail := receive(conn); mail != "" {
					mu.Lock()
					mails = append(mails, mail)
					mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String(), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), mails...)
	}
}

func receive(conn net.Conn) string {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	in := bufio.NewReader(conn)
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
	say("220 mail.test")
	var mail strings.Builder
	for data := false; ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return mail.String()
		}
		verb := strings.ToUpper(strings.TrimSpace(line))
		switch {
		case data && verb == ".":
			data = false
			say("250 taken")
		case data:
			mail.WriteString(line)
		case strings.HasPrefix(verb, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(verb, "QUIT"):
			say("221 bye")
			return mail.String()
		default:
			say("250 ok")
		}
	}
}

// rewritten is a copy of a file with one text in place of another.
func (w *world) rewritten(file, old, now string) string {
	w.t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(w.t, err)
	require.Contains(w.t, string(text), old)
	out := filepath.Join(w.t.TempDir(), "alertmanager.yml")
	require.NoError(w.t, os.WriteFile(out, []byte(strings.ReplaceAll(string(text), old, now)), 0o600))
	return out
}
