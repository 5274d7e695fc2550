package ingest

import (
	"net/http"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/own"
	"plumbline.dev/services/ingest/verify"
)

var errToken = &problem{http.StatusUnauthorized, "token refused: send Authorization: Bearer with a token of a configured sender"}

// serveOwn takes own formats. Who sends is known before a byte of the body is
// read, unless the sender signs it.
func (s *Server) serveOwn(w http.ResponseWriter, r *http.Request, kind string) {
	start, m := s.o.Now(), s.routes[kind]
	sender := s.senders.who(r.Header)
	signed := sender == "" && s.senders.signs(r.Header)
	if sender == "" && !signed {
		s.stranger(w, m, "token")
		return
	}
	meta, err := ownMeta(r.Header, signed)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	b, err := s.read(w, r, !signed)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	defer b.release()
	if signed {
		if sender, err = s.senders.signer(r, b.bytes, start); err != nil {
			s.stranger(w, m, err.Error())
			return
		}
	}
	meta.Sender, meta.Now = sender, start
	result, err := s.own.Decode(kind, b.bytes, meta)
	if err != nil {
		s.refuse(w, m, err)
		return
	}
	s.takeOwn(w, r.Header, m, sender, b.bytes, &result, start)
}

func (s *Server) stranger(w http.ResponseWriter, m *routeMetrics, why string) {
	s.metrics.signatures.WithLabelValues(m.name, why).Inc()
	w.Header().Set("WWW-Authenticate", "Bearer")
	s.refuse(w, m, errToken)
}

// ownMeta is what the headers say about the elements.
func ownMeta(h http.Header, signed bool) (own.Meta, error) {
	c, err := jsonType(h)
	if err != nil {
		return own.Meta{}, err
	}
	meta := own.Meta{Lines: c.lines, Envelope: c.envelope}
	if signed {
		meta.Envelope, meta.Outside = own.StandardWebhooks, own.Outside{ID: event.Hash("standardwebhooks", h.Get(verify.Standard.IDHeader))}
	} else if c.envelope == own.Bare {
		meta.Outside, _, err = own.FromHeaders(h)
	}
	return meta, err
}

func (s *Server) takeOwn(w http.ResponseWriter, h http.Header, m *routeMetrics, sender string, body []byte, r *own.Result, start time.Time) {
	out := s.batch(len(r.Items) + len(r.Bad))
	defer out.release()
	for i := range r.Items {
		out.intake(r.Items[i].Key, r.Items[i].Event, start)
	}
	out.deadLetters(s, m.name+":"+sender, "default", body, r.Bad, start)
	if err := s.produce(out, h); err != nil {
		s.refuse(w, m, err)
		return
	}
	a := answer{Accepted: len(r.Items), DeadLetters: notes(r.Bad)}
	for _, x := range r.Warnings {
		a.Warnings = append(a.Warnings, note{x.Index, x.Reason})
	}
	m.unknownField.Add(float64(r.Unknown))
	m.events.Add(float64(len(r.Items)))
	s.dead(m, r.Bad)
	s.accepted(w, m, &a, start)
}
