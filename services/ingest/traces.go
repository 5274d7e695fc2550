package ingest

import (
	"fmt"
	"mime"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/traces"
)

const protobuf = "application/x-protobuf"

// serveTraces takes OTLP over HTTP: the exporter of any OpenTelemetry SDK,
// with a bearer token among its headers.
func (s *Server) serveTraces(w http.ResponseWriter, r *http.Request) {
	start, m := s.o.Now(), &s.traces
	sender := s.senders.who(r.Header)
	if sender == "" {
		s.stranger(w, m, "token")
		return
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || (kind != protobuf && kind != "application/json") {
		s.refuse(w, m, &problem{http.StatusUnsupportedMediaType, "Content-Type is not supported: send OTLP as application/x-protobuf or application/json"})
		return
	}
	b, err := s.read(w, r, true)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	defer b.release()
	read := traces.JSON
	if kind == protobuf {
		read = traces.Proto
	}
	spans, err := read(b.bytes)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	rejected, why, err := s.takeSpans(r.Header, sender, spans, start)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	m.events.Add(float64(len(spans) - rejected))
	m.ignored.Add(float64(rejected))
	m.accepted.Inc()
	m.ack.Observe(s.o.Now().Sub(start).Seconds())
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(exported(kind, rejected, why))
}

// takeSpans makes attempts of the spans that called a known system. What
// belongs to no integration is told to the exporter, not stored: a worker's
// traces are full of calls that are nobody's business here.
func (s *Server) takeSpans(h http.Header, sender string, spans []traces.Span, now time.Time) (rejected int, why string, err error) {
	out := s.batch(len(spans))
	defer out.release()
	for i := range spans {
		a, ok := spans[i].Attempt()
		if !ok {
			continue
		}
		a.Sender, a.ReceivedAt, a.BodyHash = sender, at(now), 1 // an exporter that repeats a span repeats its ids
		if a.Integration == "" {
			a.Integration = s.onlyIntegration(a.System)
		}
		s.turn(a)
		key, err := s.own.Finish(a)
		if err == nil {
			err = a.Validate()
		}
		if err != nil {
			rejected, why = rejected+1, err.Error()
			continue
		}
		out.intake(key, a, now)
	}
	return rejected, why, s.produce(out, h)
}

// turn makes the id in a called address the source's where the call went to
// the integration's source: a read before the write.
func (s *Server) turn(a *event.Attempt) {
	for i := range s.o.Config.Integrations {
		in := &s.o.Config.Integrations[i]
		if in.ID == a.Integration && in.Target.System != a.System && in.Source.System == a.System && a.SourceID == "" {
			a.SourceID, a.TargetID = a.TargetID, ""
		}
	}
}

// onlyIntegration is the one that calls a system, if it is one.
func (s *Server) onlyIntegration(system string) string {
	found := ""
	for i := range s.o.Config.Integrations {
		in := &s.o.Config.Integrations[i]
		if !calls(in, system) {
			continue
		}
		if found != "" {
			return ""
		}
		found = in.ID
	}
	return found
}

func calls(in *config.Integration, system string) bool {
	return in.Target.System == system || in.Source.System == system
}

// exported is OTLP's answer: empty, or how many spans were refused and why.
func exported(kind string, rejected int, why string) []byte {
	if rejected == 0 {
		if kind == protobuf {
			return nil
		}
		return []byte("{}\n")
	}
	why = fmt.Sprintf("%s; set the attribute plumbline.integration", why)
	if kind != protobuf {
		return fmt.Appendf(nil, "{\"partialSuccess\":{\"rejectedSpans\":\"%d\",\"errorMessage\":%q}}\n", rejected, why)
	}
	var part []byte
	part = protowire.AppendVarint(protowire.AppendTag(part, 1, protowire.VarintType), uint64(rejected))
	part = protowire.AppendString(protowire.AppendTag(part, 2, protowire.BytesType), why)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), part)
}
