// Package run holds what every role's life is made of: stops in reverse
// order of starts, background loops whose failure ends the whole, and the
// admin endpoint.
package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Stack collects the parts of a process as they start. Stop ends them last
// first; a failed start drains the same stack.
type Stack struct {
	log *zap.Logger

	mu     sync.Mutex
	stops  []stop
	failed chan error
}

type stop struct {
	name string
	fn   func(context.Context) error
}

// NewStack makes an empty stack.
func NewStack(log *zap.Logger) *Stack { return &Stack{log: log, failed: make(chan error, 1)} }

// OnStop registers how to end what was just started.
func (s *Stack) OnStop(name string, fn func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stops = append(s.stops, stop{name, fn})
}

// Go runs a loop until Stop cancels it. A loop that ends by itself with an
// error fails the process.
func (s *Stack) Go(name string, loop func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		err := loop(ctx)
		if err != nil && ctx.Err() == nil {
			s.fail(fmt.Errorf("%s: %w", name, err))
		}
		done <- err
	}()
	s.OnStop(name, func(stopping context.Context) error {
		cancel()
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		case <-stopping.Done():
			return errors.New("did not end in time")
		}
	})
}

func (s *Stack) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Failed delivers the first failure of a loop.
func (s *Stack) Failed() <-chan error { return s.failed }

// Stop ends every part, last started first, each within its share of time.
// It may be called more than once.
func (s *Stack) Stop(each time.Duration) error {
	s.mu.Lock()
	stops := s.stops
	s.stops = nil
	s.mu.Unlock()
	var errs []error
	for _, p := range slices.Backward(stops) {
		ctx, cancel := context.WithTimeout(context.Background(), each)
		started := time.Now()
		if err := p.fn(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", p.name, err))
		}
		cancel()
		s.log.Debug("stopped", zap.String("part", p.name), zap.Duration("took", time.Since(started)))
	}
	return errors.Join(errs...)
}
