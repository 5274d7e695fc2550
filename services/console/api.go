package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// problem is a refused request: what is wrong with it, in words.
type problem string

func (p problem) Error() string { return string(p) }

// answer writes JSON. The numbers may be old: the body says so, not the code.
func (s *Server) answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.o.Logger.Debug("console answer was not delivered", zap.Error(err))
	}
}

type apiError struct {
	Error string `json:"error"`
}

func (s *Server) refuse(w http.ResponseWriter, err error) {
	if p, ok := err.(problem); ok { //nolint:errorlint // problems are made here and never wrapped
		s.answer(w, http.StatusBadRequest, apiError{string(p)})
		return
	}
	s.o.Logger.Warn("console cannot read from ClickHouse", zap.Error(err))
	title, advice := excuse(err)
	w.Header().Set("Retry-After", "5")
	s.answer(w, http.StatusServiceUnavailable, apiError{title + ". " + advice})
}

// listing is the frame of the two lists.
type listing struct {
	Window    string    `json:"window"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Demo      bool      `json:"demo"`
	Truncated bool      `json:"truncated"` // there are more than limit
}

// filter is what a list's query string asks for.
type filter struct {
	window   Window
	from, to time.Time
	limit    int
	where    []string
	args     []any
}

// newFilter refuses names it does not know: a typing error must not answer
// with everything.
func newFilter(r *http.Request, now time.Time, at string, equal map[string][]string) (*filter, error) {
	q := r.URL.Query()
	f := &filter{limit: defaultLimit}
	var ok bool
	if f.window, ok = findWindow(q.Get("window")); !ok {
		return nil, problem("window: choose 1h, 24h, 7d or 30d")
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxLimit {
			return nil, problem(fmt.Sprintf("limit: a number from 1 to %d", maxLimit))
		}
		f.limit = n
	}
	f.to = now.UTC()
	f.from = f.to.Add(-f.window.Span)
	f.where = []string{at + " >= toDateTime64(?, 3, 'UTC')", at + " <= toDateTime64(?, 3, 'UTC')"}
	f.args = []any{sqlTime(f.from), sqlTime(f.to)}
	for name, values := range q {
		if name == "window" || name == "limit" {
			continue
		}
		allowed, known := equal[name]
		if !known {
			return nil, problem(name + ": no such parameter")
		}
		if len(allowed) > 0 && !slices.Contains(allowed, values[0]) {
			return nil, problem(name + ": choose " + strings.Join(allowed, ", "))
		}
		// The name is one of ours, the value is quoted by the client.
		f.where, f.args = append(f.where, name+" = ?"), append(f.args, values[0])
	}
	return f, nil
}

// read returns one row more than the limit where there is one.
func (f *filter) read(ctx context.Context, db Warehouse, dest any, sql, order string) error {
	f.args = append(f.args, f.limit+1)
	return db.Read(ctx, readLimits, dest, sql+"WHERE "+strings.Join(f.where, " AND ")+" ORDER BY "+order+" LIMIT ?", f.args...)
}

func (f *filter) frame(s *Server, truncated bool) listing {
	return listing{f.window.Name, f.from, f.to, s.o.Demo, truncated}
}

func (s *Server) apiFailures(w http.ResponseWriter, r *http.Request) {
	f, err := newFilter(r, s.o.Now(), "occurred_at", map[string][]string{
		"class": event.Classes, "origin": {event.OriginError, event.OriginInferred},
		"tenant": nil, "integration": nil, "object": nil, "record_key": nil, "fingerprint": nil,
	})
	if err != nil {
		s.refuse(w, err)
		return
	}
	rows := []Failure{}
	if err := f.read(r.Context(), s.o.Warehouse, &rows, failuresSQL, "occurred_at DESC, failure_id"); err != nil {
		s.refuse(w, err)
		return
	}
	more := len(rows) > f.limit
	s.answer(w, http.StatusOK, struct {
		listing
		Failures []Failure `json:"failures"`
	}{f.frame(s, more), rows[:min(len(rows), f.limit)]})
}

func (s *Server) apiDeliveries(w http.ResponseWriter, r *http.Request) {
	f, err := newFilter(r, s.o.Now(), "changed_at", map[string][]string{
		"state": event.DeliveryStates, "tenant": nil, "integration": nil, "object": nil, "record_key": nil, "delivery_id": nil,
	})
	if err != nil {
		s.refuse(w, err)
		return
	}
	rows := []Delivery{}
	if err := f.read(r.Context(), s.o.Warehouse, &rows, deliveriesSQL, "changed_at DESC, delivery_id"); err != nil {
		s.refuse(w, err)
		return
	}
	more := len(rows) > f.limit
	s.answer(w, http.StatusOK, struct {
		listing
		Deliveries []Delivery `json:"deliveries"`
	}{f.frame(s, more), rows[:min(len(rows), f.limit)]})
}

// apiHealth answers 200 whenever the console can: what is wrong is in it.
func (s *Server) apiHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	c := Check{Name: "ClickHouse", OK: true, Detail: "answers"}
	if err := s.o.Warehouse.Ping(ctx); err != nil {
		c.OK, c.Detail = false, brief(err)
	}
	checks := append([]Check{c}, s.o.Health()...)
	status := "ok"
	if slices.ContainsFunc(checks, func(c Check) bool { return !c.OK }) {
		status = "degraded"
	}
	s.answer(w, http.StatusOK, struct {
		Status string    `json:"status"`
		Demo   bool      `json:"demo"`
		Now    time.Time `json:"now"`
		Checks []Check   `json:"checks"`
	}{status, s.o.Demo, s.o.Now().UTC(), checks})
}
