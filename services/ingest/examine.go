package ingest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// Finding is what a hook would do with a sample.
type Finding struct {
	Card     Card
	Proven   bool   // the sample carries a signature or secret, and it holds
	Verdict  string // on the proof, in words
	Answer   int    // HTTP status, were the proof right
	Body     string
	Events   []string      // a line each
	Rejected []string      // reasons
	Messages []bus.Message // the events themselves
}

// Examine plays a sample through a hook, without any log: a body, or a whole
// HTTP request as tools dump it. A request with headers is also verified.
func Examine(o Options, hook string, sample []byte) (Finding, error) {
	c := &capture{}
	o.Producer, o.Registerer, o.Quarantine = c, nil, nil
	s, err := New(o)
	if err != nil {
		return Finding{}, err
	}
	h := s.hooks[hook]
	if h == nil {
		var known []string
		for id := range s.hooks {
			known = append(known, id)
		}
		return Finding{}, fmt.Errorf("there is no hook %q; the configuration has %s", hook, strings.Join(known, ", "))
	}
	r, whole, err := sampleRequest(sample, hook)
	if err != nil {
		return Finding{}, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return Finding{}, fmt.Errorf("read the sample's body: %w", err)
	}
	f := Finding{Verdict: "the sample is a body only: its proof was not checked"}
	now := s.o.Now()
	if whole {
		_, secret, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/hooks/"), "/")
		req := h.request(r, body, secret)
		if err := h.verify(req, now); err == nil {
			f.Proven, f.Verdict = true, "proof holds: "+h.proof()
		} else {
			f.Verdict = "refused: " + h.why(req, r.Host, err, now)
		}
	}
	w := httptest.NewRecorder()
	if a, err := s.take(r.Header, h, body, now); err != nil {
		s.refuse(w, &h.metrics, err)
	} else {
		s.accepted(w, &h.metrics, &a, now)
		for _, n := range a.DeadLetters {
			f.Rejected = append(f.Rejected, fmt.Sprintf("element %d: %s", n.Index, n.Reason))
		}
	}
	f.Answer, f.Body = w.Code, strings.TrimSpace(w.Body.String())
	for _, m := range c.messages {
		if m.Topic != topic.DeadLetters {
			f.Events = append(f.Events, line(m))
			f.Messages = append(f.Messages, m)
		}
	}
	f.Card = s.card(h)
	return f, nil
}

// sampleRequest reads a dumped request, or makes one of a body.
func sampleRequest(sample []byte, hook string) (r *http.Request, whole bool, err error) {
	if !bytes.HasPrefix(sample, []byte("POST ")) {
		r, err = http.NewRequestWithContext(context.Background(), http.MethodPost, "/hooks/"+hook, bytes.NewReader(sample))
		return r, false, err
	}
	var head bytes.Buffer
	rest := sample
	for len(rest) > 0 { // whatever ends the lines: an editor may have changed that
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		line, rest = bytes.TrimSuffix(line, []byte("\r")), after
		head.Write(line)
		head.WriteString("\r\n")
		if len(line) == 0 {
			break
		}
	}
	r, err = http.ReadRequest(bufio.NewReader(&head))
	if err != nil {
		return nil, false, fmt.Errorf("the sample begins like a request, but is none: %w", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(bytes.TrimSuffix(rest, []byte("\n"))))
	return r, true, nil
}

// line is an event for a person: names of fields, never their values.
func line(m bus.Message) string {
	switch e := m.Event.(type) {
	case *event.Change:
		names := make([]string, 0, len(e.Fields))
		for _, f := range e.Fields {
			names = append(names, f.Name)
		}
		return fmt.Sprintf("change   %s %s %s at %s (%s) by %s %s [%s]", e.Operation, m.Key, e.ID, e.ChangedAt.Std().UTC().Format("2006-01-02T15:04:05.000Z"),
			e.TimeBasis, e.Actor.Kind, e.Actor.ID, strings.Join(names, " "))
	case *event.Attempt:
		return fmt.Sprintf("attempt  %s %s of %s: %s %d %s, %d ok, %d failed", e.Operation, e.Object, e.Integration, e.Outcome, e.Status, e.Code, e.RecordsOK, e.RecordsFailed)
	case *event.Signal:
		return fmt.Sprintf("signal   %s of %s: %s", e.Kind, e.System, e.Summary)
	}
	return string(m.Event.EventType()) + " " + m.Key
}

// capture is a log that only remembers.
type capture struct{ messages []bus.Message }

// Produce implements Producer.
func (c *capture) Produce(_ context.Context, m ...bus.Message) error {
	c.messages = append(c.messages, m...)
	return nil
}

// Ping implements Producer.
func (*capture) Ping(context.Context) error { return nil }
