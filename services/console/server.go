package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"
)

const (
	maxConnections = 256
	maxHeaderBytes = 16 << 10
	stopTimeout    = 5 * time.Second
)

// Server is the console role.
type Server struct {
	o       Options
	metrics *metrics
	pages   *pages
	board   *board
	http    *http.Server
	addr    net.Addr
	stop    context.CancelFunc // ends refreshes in flight
	done    chan struct{}
	once    sync.Once
}

// New prepares the console; nothing listens yet.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("console: register metrics: %w", err)
	}
	p, err := newPages()
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{o: o, metrics: m, pages: p, stop: stop, done: make(chan struct{})}
	s.board = newBoard(ctx, &loader{db: o.Warehouse, integrations: o.Integrations}, o.Now, o.Logger, m)
	s.http = &http.Server{
		Handler: s.guard(s.routes()), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: zap.NewStdLog(o.Logger),
	}
	return s, nil
}

// Start listens and serves until Stop.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.o.Listen)
	if err != nil {
		return fmt.Errorf("console: listen on %s: %w; choose another listen.console or stop what uses it", s.o.Listen, err)
	}
	s.addr = l.Addr()
	go func() {
		defer close(s.done)
		if err := s.http.Serve(netutil.LimitListener(l, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			s.o.Logger.Error("console no longer accepts connections", zap.Error(err))
		}
	}()
	if t, ok := s.addr.(*net.TCPAddr); ok && !t.IP.IsLoopback() {
		s.o.Logger.Warn("console is reachable from the network and has no login of its own: put a proxy with one in front",
			zap.String("addr", s.addr.String()))
	}
	s.o.Logger.Info("console listens", zap.String("addr", s.addr.String()))
	return nil
}

// Addr is where the console listens, once started.
func (s *Server) Addr() string {
	if s.addr == nil {
		return ""
	}
	return s.addr.String()
}

// Stop lets requests in flight finish and ends the queries. It may be called
// more than once, and before Start.
func (s *Server) Stop(ctx context.Context) error {
	var err error
	s.once.Do(func() {
		// Queries first: a page that waits for one is answered with what is there.
		s.stop()
		s.board.wait()
		if s.addr == nil {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, stopTimeout)
		defer cancel()
		if err = s.http.Shutdown(ctx); err != nil {
			err = fmt.Errorf("console: requests were cut off: %w", errors.Join(err, s.http.Close()))
		}
		<-s.done
	})
	return err
}
