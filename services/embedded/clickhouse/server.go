package clickhouse

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Server is a running child and what keeps it running.
type Server struct {
	opts   Options
	ln     *net.TCPListener
	socket *os.File
	token  string

	pid      atomic.Int64
	restarts atomic.Int64

	stop context.CancelFunc // no restart any more
	over chan struct{}
	term chan struct{} // closed: end the child gracefully
	once atomic.Bool
}

// Start starts the child and waits until it answers. The context bounds this wait only.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if err := opts.setDefaults(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.Data, 0o700); err != nil {
		return nil, err
	}
	s := &Server{opts: opts, token: rand.Text(), over: make(chan struct{}), term: make(chan struct{})}
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	s.stop = stop
	c, err := s.launch(ctx)
	if err != nil {
		stop()
		s.closeSocket()
		return nil, fmt.Errorf("start the embedded ClickHouse: %w", err)
	}
	go s.supervise(run, c)
	return s, nil
}

// addressWait is how long a child whose parent was killed may take to let go
// of the address: it ends at once, and the kernel then takes its memory apart.
const addressWait = 5 * time.Second

// listen binds in the parent. Children inherit the socket, so the address survives them, and clients
// that connect while one is replaced wait in the queue and are not refused.
func (s *Server) listen(ctx context.Context) error {
	const again = 50 * time.Millisecond
	ln, err := net.Listen("tcp", s.opts.Listen)
	for until := time.Now().Add(addressWait); errors.Is(err, syscall.EADDRINUSE) && time.Now().Before(until) && ctx.Err() == nil; {
		time.Sleep(again)
		ln, err = net.Listen("tcp", s.opts.Listen)
	}
	if err != nil {
		return fmt.Errorf("listen.clickhouse: %w", err)
	}
	s.ln = ln.(*net.TCPListener)
	s.socket, err = s.ln.File()
	return err
}

func (s *Server) closeSocket() {
	_ = s.socket.Close()
	_ = s.ln.Close()
}

// Addr is the address it really listens on.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// DSN is for clickhouse-go and the like.
func (s *Server) DSN() string {
	u := url.URL{Scheme: "http", Host: s.dialAddr(), User: url.User("default"), Path: "/default"}
	if s.opts.Password != "" {
		u.User = url.UserPassword("default", s.opts.Password)
	}
	return u.String()
}

// dialAddr replaces the address that means "all" by one that can be called.
func (s *Server) dialAddr() string {
	a := s.ln.Addr().(*net.TCPAddr)
	if a.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", a.Port)
	}
	return a.String()
}

// Pid of the current child, 0 while there is none.
func (s *Server) Pid() int { return int(s.pid.Load()) }

// Restarts counts the children that had to be replaced.
func (s *Server) Restarts() int { return int(s.restarts.Load()) }

// Stop ends the child: running queries get a few seconds, then it is killed. A second call waits too.
func (s *Server) Stop(ctx context.Context) error {
	if s.once.CompareAndSwap(false, true) {
		close(s.term)
		s.stop()
	}
	select {
	case <-s.over:
		return nil
	case <-ctx.Done():
	}
	if pid := s.Pid(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	select {
	case <-s.over:
	case <-time.After(5 * time.Second):
	}
	return fmt.Errorf("the embedded ClickHouse was killed: %w", ctx.Err())
}
