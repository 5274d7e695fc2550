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
	"plumbline.dev/services/console/login"
)

const (
	maxConnections = 256
	maxHeaderBytes = 16 << 10
	stopTimeout    = 5 * time.Second
)

// boards keep what was read: overviews by window, other pages by address.
type boards struct {
	overviews *board[*Snapshot]
	pages     *board[*content]
}

// Server is the console role.
type Server struct {
	o       Options
	metrics *metrics
	pages   *pages
	boards  boards
	list    []page
	form    *login.Form
	looking *login.Pace // how often somebody may look
	acting  *login.Pace // how often somebody may click, or try a token
	streams chan struct{}
	ctx     context.Context // ends with the server
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
	if o.Registerer != nil {
		if err := o.Registerer.Register(&gauges{db: o.Warehouse, now: o.Now, log: o.Logger}); err != nil {
			return nil, fmt.Errorf("console: register the KPIs: %w", err)
		}
	}
	p, err := newPages()
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		o: o, metrics: m, pages: p, ctx: ctx, stop: stop, done: make(chan struct{}), form: login.NewForm(o.Gate),
		looking: login.NewPace(50, 200, time.Now), acting: login.NewPace(0.5, 10, time.Now), streams: make(chan struct{}, maxStreams),
		boards: boards{
			overviews: newBoard[*Snapshot](ctx, 1, o.Now, o.Logger, m), // windows are read one after the other
			pages:     newBoard[*content](ctx, parallelReads, o.Now, o.Logger, m),
		},
	}
	s.list = s.pageList()
	s.http = &http.Server{
		Handler: s.guard(s.enter(s.routes())), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
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
		s.boards.overviews.wait()
		s.boards.pages.wait()
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
