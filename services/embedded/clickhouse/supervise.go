package clickhouse

import (
	"context"
	"errors"
	"net/http"
	"syscall"
	"time"

	"go.uber.org/zap"

	"plumbline.dev/services/embedded/clickhouse/internal/server"
)

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
	// healthyAfter is how long a child must have lived for the backoff to begin anew.
	healthyAfter = time.Minute
)

// supervise replaces the child until Stop.
func (s *Server) supervise(run context.Context, c *child) {
	defer close(s.over)
	defer s.closeSocket()
	for backoff := firstBackoff; ; {
		born := time.Now()
		s.watch(run, c)
		s.pid.Store(0)
		if run.Err() != nil {
			return
		}
		s.opts.Logger.Error("the ClickHouse child died and is started again",
			zap.NamedError("exit", c.err), zap.String("last_words", c.lastWords()), zap.Duration("backoff", backoff))
		if time.Since(born) > healthyAfter {
			backoff = firstBackoff
		}
		for c = nil; c == nil; backoff = min(2*backoff, lastBackoff) {
			if !sleep(run, backoff) {
				return
			}
			var err error
			if c, err = s.launch(run); err != nil {
				c = nil
				s.opts.Logger.Error("the ClickHouse child does not start", zap.Error(err))
			}
		}
		s.restarts.Add(1)
	}
}

// watch returns when the child is gone: by itself, by its heart stopping, or by Stop.
func (s *Server) watch(run context.Context, c *child) {
	heart, stop := context.WithCancel(context.Background())
	wedged, deaf := make(chan struct{}), make(chan struct{})
	go func() { defer close(deaf); s.listenToHeart(heart, wedged) }()
	defer func() { stop(); <-deaf }()
	select {
	case <-c.exited:
		return
	case <-wedged:
		s.opts.Logger.Error("the ClickHouse child does not answer and is killed", zap.Duration("for", s.opts.Wedged))
		c.signal(syscall.SIGKILL)
	case <-run.Done():
		c.signal(syscall.SIGTERM)
		select {
		case <-c.exited:
			return
		case <-time.After(2 * drainTime):
			c.signal(syscall.SIGKILL)
		}
	}
	<-c.exited
}

// listenToHeart closes wedged when no query was answered for too long. A native fault can leave the
// process running with its locks held; no exit code ever tells.
func (s *Server) listenToHeart(ctx context.Context, wedged chan<- struct{}) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: s.opts.Wedged}
	last := time.Now()
	for sleep(ctx, s.opts.Heartbeat) {
		// A fresh timeout each time: one slow answer is not the end, only none for the whole time is.
		beat, cancel := context.WithTimeout(ctx, max(s.opts.Wedged-time.Since(last), s.opts.Heartbeat))
		err := s.beat(beat, client)
		cancel()
		if err == nil {
			last = time.Now()
		} else if ctx.Err() == nil && time.Since(last) >= s.opts.Wedged {
			close(wedged)
			return
		}
	}
}

func (s *Server) beat(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.dialAddr()+server.AlivePath, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", s.token)
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
