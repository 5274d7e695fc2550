package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/console/ask"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

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
	if p, ok := errors.AsType[ask.Problem](err); ok {
		s.answer(w, http.StatusBadRequest, apiError{string(p)})
		return
	}
	s.o.Logger.Warn("console cannot read from ClickHouse", zap.Error(err))
	title, advice := excuse(err)
	w.Header().Set("Retry-After", "5")
	s.answer(w, http.StatusServiceUnavailable, apiError{title + ". " + advice})
}

// frameOf reads the window and the limit of a request.
func frameOf(q url.Values) (Window, int, error) {
	win, ok := findWindow(q.Get("window"))
	if !ok {
		return win, 0, ask.Problem("window: choose 1h, 24h, 7d or 30d")
	}
	limit := defaultLimit
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxLimit {
			return win, 0, ask.Problem(fmt.Sprintf("limit: a number from 1 to %d", maxLimit))
		}
		limit = n
	}
	return win, limit, nil
}

type healthAnswer struct {
	Status string    `json:"status"`
	Demo   bool      `json:"demo"`
	Now    time.Time `json:"now"`
	Checks []Check   `json:"checks"`
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
	s.answer(w, http.StatusOK, healthAnswer{status, s.o.Demo, s.o.Now().UTC(), checks})
}
