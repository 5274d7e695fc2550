package ingest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/ingest/verify"
)

// Bounds of the quarantine: anybody can make a signature that looks like one,
// so what strangers may write to our disk is little, and a hook's own.
const (
	quarantineBytes   = 16 << 20 // of one hook
	quarantineASecond = 50       // requests of one hook
	quarantineAge     = 7 * 24 * time.Hour
	quarantineWait    = time.Second
)

// quota is how much of the quarantine a hook has used.
type quota struct {
	bytes  int64
	second int64
	count  int
}

// quarantine keeps a request that is formed and timed like its provider's, but
// signed with a secret that is not configured. It is refused all the same:
// nobody learns whether it was kept. When the right secret is configured, the
// next start takes it in as of when it came.
func (s *Server) quarantine(h *hook, r *verify.Request, why error, now time.Time) {
	if s.o.Quarantine == nil || h.provider.current == nil || !errors.Is(why, verify.ErrWrong) {
		return
	}
	record := h.seal(s, r, now)
	if !s.spend(h, int64(len(record)), now) {
		s.metrics.quarantine.WithLabelValues(h.metrics.name, "full").Inc()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), quarantineWait)
	defer cancel()
	what := "kept"
	if err := s.o.Quarantine.Append(ctx, record); err != nil {
		what = "full"
	}
	s.metrics.quarantine.WithLabelValues(h.metrics.name, what).Inc()
	s.o.Logger.Warn("a request was signed with a secret that is not configured; check the hook's secrets",
		zap.String("hook", h.id), zap.String("quarantine", what))
}

func (s *Server) spend(h *hook, n int64, now time.Time) bool {
	s.quotaMu.Lock()
	defer s.quotaMu.Unlock()
	q := &h.quota
	if second := now.Unix(); second != q.second {
		q.second, q.count = second, 0
	}
	if q.count >= quarantineASecond || q.bytes+n > quarantineBytes {
		return false
	}
	q.count++
	q.bytes += n
	return true
}

// kept are the headers that a signature, or a decoder, reads.
var keptHeaders = []string{"Content-Type", "Idempotency-Key", "X-Salesloft-Event"}

// seal writes the request as one record: only its time and hook can be read
// without the key.
func (h *hook) seal(s *Server, r *verify.Request, now time.Time) []byte {
	names := append([]string(nil), keptHeaders...)
	for _, scheme := range h.schemes() {
		names = append(names, scheme.Header, scheme.Also, scheme.TimeHeader, scheme.IDHeader)
	}
	var headers [][2]string
	for _, n := range names {
		if v := r.Header[n]; len(v) == 1 {
			headers = append(headers, [2]string{n, v[0]})
		}
	}
	b := appendBytes(appendBytes(nil, r.Method), r.URI)
	b = appendUint(b, uint64(len(headers)))
	for _, kv := range headers {
		b = appendBytes(appendBytes(b, kv[0]), kv[1])
	}
	b = append(b, r.Body...)
	out := appendBytes(appendUint(nil, uint64(now.UnixMilli())), h.id)
	return append(out, s.o.Privacy.Key().Seal(h.tenant, "quarantine", b)...)
}

func (h *hook) schemes() []*verify.Scheme {
	var out []*verify.Scheme
	if v, ok := h.current.(*verify.Verifier); ok {
		out = append(out, v.Scheme())
	}
	for _, v := range h.older {
		out = append(out, v.Scheme())
	}
	return out
}

// unseal reads a record; nil if its hook is gone or its bytes are not ours.
func (s *Server) unseal(record []byte) (*hook, *verify.Request, time.Time) {
	outer := reader{b: record}
	at := time.UnixMilli(int64(outer.uint()))
	h := s.hooks[outer.text()]
	if outer.bad || h == nil {
		return nil, nil, at
	}
	b, err := s.o.Privacy.Key().Open(h.tenant, "quarantine", outer.b)
	if err != nil {
		return nil, nil, at
	}
	r := reader{b: b}
	req := &verify.Request{Method: r.text(), URI: r.text(), Header: http.Header{}}
	for range min(r.uint(), 64) {
		name, value := r.text(), r.text()
		req.Header[name] = []string{value}
	}
	req.Body = r.b
	if r.bad {
		return nil, nil, at
	}
	return h, req, at
}

// reexamine looks at what is in quarantine, once at each start: the secrets
// may be other ones now. What still does not fit stays, until it is old.
func (s *Server) reexamine() {
	q := s.o.Quarantine
	for range q.Stats().Records {
		records, err := q.Next(1)
		if err != nil || len(records) == 0 {
			break
		}
		if err := s.release(records[0]); err != nil {
			s.o.Logger.Warn("quarantine: examined again at the next start", zap.Error(err))
			break
		}
		if err := q.Commit(); err != nil {
			s.o.Logger.Warn("quarantine", zap.Error(err))
			break
		}
	}
}

// release takes a request in if it verifies now, as of when it came.
func (s *Server) release(record []byte) error {
	h, req, at := s.unseal(record)
	switch {
	case h != nil && h.verify(req, at) == nil:
		s.metrics.quarantine.WithLabelValues(h.metrics.name, "released").Inc()
		if _, err := s.take(req.Header, h, req.Body, at); errors.Is(err, errLog) {
			return err
		}
		return nil
	case h == nil || s.o.Now().Sub(at) > quarantineAge:
		s.metrics.quarantine.WithLabelValues("any", "expired").Inc()
		return nil
	}
	s.spend(h, int64(len(record)), at)
	ctx, cancel := context.WithTimeout(context.Background(), quarantineWait)
	defer cancel()
	return s.o.Quarantine.Append(ctx, record)
}
