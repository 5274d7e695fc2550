package console

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"plumbline.dev/services/internal/acklink"
)

const pingTimeout = 2 * time.Second

func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	for _, p := range s.list {
		path := p.path
		if path == "/" {
			path = "/{$}"
		}
		m.HandleFunc("GET "+path, s.serve(p))
	}
	m.HandleFunc("GET /rows/{question}", s.rows)
	m.HandleFunc("GET /events", s.events)
	m.HandleFunc("POST /click", s.acts(s.click))
	m.HandleFunc("POST /letter", s.acts(s.replay))
	if s.o.AckKey != nil {
		m.HandleFunc("GET "+acklink.Path, s.take)
		m.HandleFunc("POST "+acklink.Path, s.take)
	}
	m.HandleFunc("GET /login", s.loginForm)
	m.HandleFunc("POST /login", s.acts(s.login))
	m.HandleFunc("POST /logout", s.acts(s.logout))
	m.HandleFunc("GET /assets/{file}", s.pages.asset)
	m.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	m.HandleFunc("GET /api/v1/kpis", s.apiKPIs)
	m.HandleFunc("GET /api/v1/health", s.apiHealth)
	m.HandleFunc("GET /api/v1/openapi.json", s.apiDocument)
	m.HandleFunc("GET /api/v1/{question}", s.apiRows)
	m.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	m.HandleFunc("GET /readyz", s.ready)
	if s.o.Gatherer != nil {
		m.Handle("GET /metrics", promhttp.HandlerFor(s.o.Gatherer, promhttp.HandlerOpts{}))
	}
	return m
}

// ready is false while there is nothing to read from.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	if err := s.o.Warehouse.Ping(ctx); err != nil {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "ClickHouse does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
