package ingest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/ingest/wire"
	"plumbline.dev/services/internal/bus"
)

// batch is what one request writes, in one call.
type batch struct{ messages []bus.Message }

var batchPool = sync.Pool{New: func() any { return new(batch) }}

func (s *Server) batch(n int) *batch {
	b := batchPool.Get().(*batch)
	if cap(b.messages) < n {
		b.messages = make([]bus.Message, 0, n)
	}
	return b
}

func (b *batch) release() {
	clear(b.messages)
	b.messages = b.messages[:0]
	batchPool.Put(b)
}

// intake adds an event. Its record time is the time it came: brokers refuse
// what a sender's wrong clock puts in the future and forget by this time.
func (b *batch) intake(key string, e event.Event, now time.Time) {
	b.messages = append(b.messages, bus.Message{Topic: topic.Intake, Key: key, Time: at(now), Event: e})
}

// deadLetters keeps what could not be decoded, sealed: nobody knows what is
// in it.
func (b *batch) deadLetters(s *Server, origin, tenant string, body []byte, bad []wire.Bad, now time.Time) {
	if len(bad) == 0 {
		return
	}
	key, whole := s.o.Privacy.Key(), event.Hash(string(body))
	for i := range bad {
		x := &bad[i]
		tenant := tenant
		if x.Tenant != "" {
			tenant = x.Tenant
		}
		b.messages = append(b.messages, bus.Message{Topic: topic.DeadLetters, Key: origin, Time: at(now), Event: &event.DeadLetter{
			ID: event.Hash("dead_letter", origin, whole, strconv.Itoa(x.Index)), Tenant: tenant, Origin: origin,
			Index: x.Index, Reason: x.Reason, Code: x.Code, ReceivedAt: at(now), Batch: whole,
			Bytes: key.Seal(tenant, origin, x.Bytes), Sealed: true, KeyID: key.ID(),
		}})
	}
}

var errLog = &problem{http.StatusServiceUnavailable, "events cannot be made durable now: send the request again"}

// produce makes the batch durable. It does not end when the sender hangs up:
// others' events may wait in the same write.
func (s *Server) produce(b *batch, h http.Header) error {
	if len(b.messages) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience(h, s.o.Limits.Produce))
	defer cancel()
	if err := s.o.Producer.Produce(ctx, b.messages...); err != nil {
		s.o.Logger.Warn("request refused: its events are not durable", zap.Error(err), zap.Int("events", len(b.messages)))
		return errLog
	}
	return nil
}

// patience is how long the sender waits, where it says so, less what the way
// back takes.
func patience(h http.Header, limit time.Duration) time.Duration {
	v := h["X-Hubspot-Timeout-Millis"]
	if len(v) != 1 {
		return limit
	}
	ms, err := strconv.Atoi(v[0])
	if err != nil || ms < 500 {
		return limit
	}
	return min(limit, time.Duration(ms)*time.Millisecond*4/5)
}

func (s *Server) dead(m *routeMetrics, bad []wire.Bad) {
	for i := range bad {
		s.metrics.deadLetters.WithLabelValues(m.name, bad[i].Code).Inc()
	}
}

func (s *Server) accepted(w http.ResponseWriter, m *routeMetrics, a *answer, start time.Time) {
	m.accepted.Inc()
	m.ack.Observe(s.o.Now().Sub(start).Seconds())
	accept(w, a)
}

// refuse answers with the status an error carries.
func (s *Server) refuse(w http.ResponseWriter, m *routeMetrics, err error) {
	code, reason := http.StatusBadRequest, err.Error()
	var p *problem
	switch {
	case errors.As(err, &p):
		code = p.code
	case errors.Is(err, wire.ErrTooMany):
		code = http.StatusRequestEntityTooLarge
	}
	m.refused(code)
	if code == http.StatusServiceUnavailable {
		busy(w, reason)
		return
	}
	refuse(w, code, reason)
}

func notes(bad []wire.Bad) []note {
	var out []note
	for i := range bad {
		out = append(out, note{bad[i].Index, bad[i].Reason})
	}
	return out
}

func at(t time.Time) event.Time { return event.At(t) }
