package sink

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// flight is a batch that is being stored while the next one is read and
// decoded. No partition changes hands before it has landed.
type flight struct {
	over context.Context // ends when it landed, or with the sink
	done chan struct{}
	err  error // how it landed, once done is closed
}

// step stores what is due.
func (r *runner) step(ctx context.Context) error {
	if r.flight != nil {
		return r.whileStoring()
	}
	if r.current == nil {
		r.current, r.ahead = r.ahead, nil
	}
	if r.current == nil {
		b, err := r.due()
		if err != nil || b == nil {
			return err
		}
		r.current, r.retryAt = b, time.Time{}
	}
	if !time.Now().Before(r.retryAt) {
		r.launch(ctx)
	}
	return nil
}

func (r *runner) launch(ctx context.Context) {
	over, land := context.WithCancel(ctx)
	f := &flight{over: over, done: make(chan struct{})}
	r.flight = f
	b := r.current
	b.pieces = 1 << r.slow
	go func() {
		f.err = r.store(ctx, b)
		close(f.done)
		land()
	}()
}

// whileStoring makes the next batch, and looks whether the present one landed.
// Another may only be launched after a Poll that lets partitions go.
func (r *runner) whileStoring() (err error) {
	select {
	case <-r.flight.done:
		return r.land()
	default:
	}
	if r.ahead == nil {
		r.ahead, err = r.due()
	}
	return err
}

// land waits for what is in flight.
func (r *runner) land() error {
	<-r.flight.done
	err := r.flight.err
	r.flight = nil
	return r.landed(err)
}

func (r *runner) landed(err error) error {
	switch {
	case err == nil:
		r.recycle(r.current)
		r.current, r.fails, r.retryAt = nil, 0, time.Time{}
		r.slow = max(0, r.slow-1)
	case errors.Is(err, errCrash), errors.Is(err, bus.ErrFenced):
		return err
	default:
		r.fails++
		if tooMuchAtOnce(err) {
			r.slow = min(r.slow+1, maxSlow)
		}
		pause := r.backoff(r.fails)
		r.retryAt = time.Now().Add(pause)
		r.log.Warn("a batch is not stored yet", zap.Error(err), zap.Int("fails", r.fails), zap.Duration("again_in", pause))
	}
	return nil
}

// maxSlow: one 64th of a batch at once at least.
const maxSlow = 6

// tooMuchAtOnce: a smaller INSERT may pass where this one did not.
func tooMuchAtOnce(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || warehouse.CodeOf(err) == warehouse.CodeMemoryLimit
}

// await waits until nothing is in flight: storing is never left half-way.
func (r *runner) await() {
	if r.flight != nil {
		<-r.flight.done
	}
}

// recycle gives a batch's buffers to the next.
func (r *runner) recycle(b *batch) {
	for _, c := range b.chunks {
		r.release(c.table, c.cells)
		c.cells = nil
	}
}
