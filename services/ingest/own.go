package ingest

import (
	"net/http"
	"time"

	"plumbline.dev/services/ingest/own"
)

var errToken = &problem{http.StatusUnauthorized, "token refused: send Authorization: Bearer with a token of a configured sender"}

// serveOwn takes own formats. Who sends is known before a byte of the body is
// read.
func (s *Server) serveOwn(w http.ResponseWriter, r *http.Request, kind string) {
	start, m := s.o.Now(), s.routes[kind]
	sender := s.senders.who(r.Header)
	if sender == "" {
		s.metrics.signatures.WithLabelValues(m.name, "token").Inc()
		w.Header().Set("WWW-Authenticate", "Bearer")
		s.refuse(w, m, errToken)
		return
	}
	lines, err := jsonType(r.Header)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	b, err := s.read(w, r, true)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	defer b.release()
	result, err := s.own.Decode(kind, b.bytes, own.Meta{Sender: sender, Now: start, Lines: lines})
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	s.takeOwn(w, m, sender, b.bytes, &result, start)
}

func (s *Server) takeOwn(w http.ResponseWriter, m *routeMetrics, sender string, body []byte, r *own.Result, start time.Time) {
	out := s.batch(len(r.Items) + len(r.Bad))
	defer out.release()
	for i := range r.Items {
		out.intake(r.Items[i].Key, r.Items[i].Event, start)
	}
	out.deadLetters(s, m.name+":"+sender, "default", body, r.Bad, start)
	if err := s.produce(out); err != nil {
		s.refuse(w, m, err)
		return
	}
	a := answer{Accepted: len(r.Items), DeadLetters: notes(r.Bad)}
	for _, x := range r.Warnings {
		a.Warnings = append(a.Warnings, note{x.Index, x.Reason})
	}
	m.unknownField.Add(float64(r.Unknown))
	m.events.Add(float64(len(r.Items)))
	s.accepted(w, m, &a, r.Bad, start)
}
