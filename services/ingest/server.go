package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
	"golang.org/x/net/netutil"
	"plumbline.dev/services/ingest/own"
	"plumbline.dev/services/ingest/verify"
)

const (
	maxHeaderBytes = 32 << 10
	stopTimeout    = 9 * time.Second // what kills us waits ten
	pingTimeout    = time.Second
)

// Server is the ingest role.
type Server struct {
	o        Options
	metrics  *metrics
	hooks    map[string]*hook
	unknown  routeMetrics     // hooks that do not exist
	burner   *verify.Verifier // works for them as long as for others
	senders  *senders
	own      *own.Decoder
	routes   map[string]*routeMetrics // own formats
	traces   routeMetrics
	scrape   http.Handler
	http     *http.Server
	addr     net.Addr
	done     chan struct{}
	inflight atomic.Int64
	closing  atomic.Bool
	quotaMu  sync.Mutex // of every hook's quota
	feedsMu  sync.Mutex
	feeds    []*hook // what we fetch ourselves
}

// New prepares the server: secrets are resolved, nothing listens yet.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("ingest: register metrics: %w", err)
	}
	s := &Server{o: o, metrics: m, routes: map[string]*routeMetrics{}, done: make(chan struct{})}
	if err := s.loadHooks(); err != nil {
		return nil, err
	}
	if s.senders, err = loadSenders(o.Config.Senders, o.Secrets); err != nil {
		return nil, err
	}
	s.own = own.New(own.NewIndex(o.Config.Integrations), o.Privacy)
	for _, kind := range own.Kinds {
		r := m.route("v1/" + kind)
		s.routes[kind] = &r
	}
	s.traces = m.route("v1/traces")
	if o.Gatherer != nil {
		s.scrape = promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{})
	}
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: o.Limits.Header, ReadTimeout: o.Limits.Read, WriteTimeout: 30 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: maxHeaderBytes, ErrorLog: zap.NewStdLog(o.Logger),
	}
	return s, nil
}

// Start listens and serves until Stop.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.o.Listen)
	if err != nil {
		return fmt.Errorf("ingest: listen on %s: %w; choose another listen.ingest or stop what uses it", s.o.Listen, err)
	}
	s.addr = l.Addr()
	if s.o.Quarantine != nil {
		s.reexamine()
	}
	go func() {
		defer close(s.done)
		err := s.http.Serve(netutil.LimitListener(l, connections(s.o.Limits.Connections)))
		if !errors.Is(err, http.ErrServerClosed) {
			s.closing.Store(true)
			s.o.Logger.Error("ingest no longer accepts connections", zap.Error(err))
		}
	}()
	s.o.Logger.Info("ingest listens", zap.String("addr", s.addr.String()))
	return nil
}

// Addr is where the server listens, once started.
func (s *Server) Addr() string {
	if s.addr == nil {
		return ""
	}
	return s.addr.String()
}

// Stop shuts the door and lets requests in flight finish. It may be called
// more than once, and before Start.
func (s *Server) Stop(ctx context.Context) error {
	s.closing.Store(true)
	if s.addr == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = fmt.Errorf("ingest: requests were cut off: %w", errors.Join(err, s.http.Close()))
	}
	<-s.done
	return err
}

// ServeHTTP routes. The paths are few and the hooks' is hot.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if id, ok := strings.CutPrefix(path, "/hooks/"); ok {
		if s.open(w, r) {
			s.serveHook(w, r, id)
		}
		return
	}
	if kind, ok := strings.CutPrefix(path, "/v1/"); ok && s.routes[kind] != nil {
		if s.open(w, r) {
			s.serveOwn(w, r, kind)
		}
		return
	}
	switch {
	case path == "/v1/traces":
		if s.open(w, r) {
			s.serveTraces(w, r)
		}
	case path == "/v1/sources":
		s.serveCards(w, r)
	case path == "/healthz":
		_, _ = w.Write([]byte("ok\n"))
	case path == "/readyz":
		s.ready(w, r)
	case path == "/metrics" && s.scrape != nil:
		s.scrape.ServeHTTP(w, r)
	default:
		refuse(w, http.StatusNotFound, "no such address: POST to /hooks/{hook} or /v1/attempts, changes, observations, signals, clicks or access")
	}
}

// open reports whether a request may come in.
func (s *Server) open(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.Method == http.MethodOptions && r.Header.Get("WebHook-Request-Origin") != "":
		handshake(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "expected POST")
	case s.closing.Load():
		w.Header().Set("Connection", "close")
		busy(w, "shutting down")
	default:
		return true
	}
	return false
}

// handshake allows a CloudEvents sender to deliver here. It proves nothing:
// each delivery has to carry the hook's secret.
func handshake(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WebHook-Allowed-Origin", r.Header.Get("WebHook-Request-Origin"))
	w.Header().Set("WebHook-Allowed-Rate", "*")
	w.Header().Set("Allow", http.MethodPost)
}

// ready is false while events could not be made durable.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	if s.closing.Load() {
		busy(w, "shutting down")
	} else if err := s.o.Producer.Ping(ctx); err != nil {
		s.o.Logger.Warn("not ready: the log does not answer", zap.Error(err))
		busy(w, "the log does not answer")
	} else {
		_, _ = w.Write([]byte("ok\n"))
	}
}
