// Package traces reads OpenTelemetry's traces, as OTLP over HTTP brings them,
// for what a sync worker's HTTP client did to known CRM hosts. Each such span
// is an attempt: its status, its duration, its retries. A delivery only where
// the span names a record, in the address it called or in attributes of ours.
package traces

import (
	"errors"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// Span is one client span, as far as it matters.
type Span struct {
	TraceID, SpanID string // hex
	Name            string
	Start, End      int64 // nanoseconds since 1970
	Failed          bool
	Message         string
	attributes      map[string]string // of the span, then of its resource
}

// Limits of one request.
const (
	maxSpans      = 10_000
	maxAttributes = 256
	maxText       = 4 << 10
)

var (
	errTooMany = errors.New("request has more than 10000 spans")
	errBytes   = errors.New("body is not an OTLP trace request")
)

// first is the first attribute that is set: semantic conventions renamed
// theirs, and both are in use.
func (s *Span) first(names ...string) string {
	for _, n := range names {
		if v := s.attributes[n]; v != "" {
			return v
		}
	}
	return ""
}

// Attempt makes the attempt of a span; false for one that called nobody we
// know. The integration stays open if the span does not name it.
func (s *Span) Attempt() (*event.Attempt, bool) {
	host, path := s.address()
	system := systemOf(host)
	if system == "" {
		return nil, false
	}
	a := &event.Attempt{
		ID:         event.Hash("otlp", s.TraceID, s.SpanID),
		CallID:     s.TraceID,
		OccurredAt: event.Time(s.End / 1e6), DurationMS: max((s.End-s.Start)/1e6, 0),
		System: system, Outcome: event.OutcomeOK, Integration: s.first("plumbline.integration"),
		ChangeID: s.first("plumbline.change_id"), SourceID: s.first("plumbline.source_id"), TargetID: s.first("plumbline.target_id"),
		Token: s.first("plumbline.token"), Actor: event.Actor{Kind: event.ActorIntegration, ID: s.first("service.name")},
	}
	if agent := s.first("plumbline.agent", "gen_ai.agent.id"); agent != "" {
		a.Actor = event.Actor{Kind: event.ActorAgent, ID: agent, Run: s.TraceID}
	}
	object, id := objectOf(system, path)
	a.Object = or(s.first("plumbline.object"), object, "other")
	if a.SourceID == "" && a.TargetID == "" {
		a.TargetID = id
	}
	a.Operation = operation(s.first("http.request.method", "http.method"), path)
	if n, err := strconv.Atoi(s.first("http.request.resend_count", "http.resend_count")); err == nil && n > 0 && n < 1000 {
		a.Try = n + 1
	}
	s.outcome(a)
	return a, true
}

func (s *Span) outcome(a *event.Attempt) {
	if n, err := strconv.Atoi(s.first("http.response.status_code", "http.status_code")); err == nil && n >= 100 && n <= 999 {
		a.Status = n
	}
	if a.Status >= 300 || s.Failed {
		a.Outcome = event.OutcomeError
		a.Code, a.Message = s.first("error.type", "exception.type"), or(s.Message, s.first("exception.message"))
		if a.Code == strconv.Itoa(a.Status) {
			a.Code = ""
		}
	}
}

// address is the host and path that the span called.
func (s *Span) address() (host, path string) {
	full := s.first("url.full", "http.url")
	if _, rest, ok := strings.Cut(full, "://"); ok {
		host, path, _ = strings.Cut(rest, "/")
		path = "/" + path
	}
	host = or(host, s.first("server.address", "net.peer.name", "http.host"))
	path = or(path, s.first("url.path", "http.target"))
	path, _, _ = strings.Cut(path, "?")
	host, _, _ = strings.Cut(host, ":")
	return strings.ToLower(host), path
}

func operation(method, path string) string {
	switch strings.ToUpper(method) {
	case "GET", "HEAD":
		return event.OpRead
	case "DELETE":
		return event.OpDelete
	case "PATCH", "PUT":
		return event.OpUpdate
	}
	switch last := path[strings.LastIndexByte(path, '/')+1:]; {
	case strings.Contains(path, "oauth") || last == "token":
		return event.OpAuthRefresh
	case last == "search" || last == "read" || last == "query":
		return event.OpRead
	case last == "update":
		return event.OpUpdate
	case last == "upsert":
		return event.OpUpsert
	case last == "archive":
		return event.OpDelete
	}
	return event.OpCreate
}

func or(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
