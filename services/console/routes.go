package console

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

const pingTimeout = 2 * time.Second

func (s *Server) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("/{$}", s.page("page"))
	m.HandleFunc("/fragment", s.page("live"))
	m.HandleFunc("/assets/{file}", s.pages.asset)
	m.HandleFunc("/favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	m.HandleFunc("/api/v1/kpis", s.apiKPIs)
	m.HandleFunc("/api/v1/failures", s.apiFailures)
	m.HandleFunc("/api/v1/deliveries", s.apiDeliveries)
	m.HandleFunc("/api/v1/health", s.apiHealth)
	m.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	m.HandleFunc("/readyz", s.ready)
	if s.o.Gatherer != nil {
		m.Handle("/metrics", promhttp.HandlerFor(s.o.Gatherer, promhttp.HandlerOpts{}))
	}
	return m
}

// page renders the whole page, or the part of it that refreshes.
func (s *Server) page(template string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		win, ok := findWindow(r.URL.Query().Get("window"))
		if !ok {
			http.Error(w, "no such window: choose 1h, 24h, 7d or 30d", http.StatusBadRequest)
			return
		}
		o := s.overview(win, s.board.get(r.Context(), win))
		if err := s.pages.write(w, template, o); err != nil {
			s.o.Logger.Warn("console page was not delivered", zap.Error(err))
		}
	}
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
