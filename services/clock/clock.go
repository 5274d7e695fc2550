// Package clock is the role that makes time data: once a second it appends a
// tick with the wall time to every partition that operators fold. Ticks stay
// in the log, so a replay sees the same time, and a silent partition still
// notices that nothing came. Several clocks do no harm: stream time is the
// highest tick seen.
package clock

import (
	"context"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// Options of a clock.
type Options struct {
	Bus    bus.Options
	Topics bus.Topics
	Every  time.Duration    // default a second
	Now    func() time.Time // default time.Now
	// Hold, while true, keeps ticks back: a spool is draining, and time must
	// not run ahead of events accepted earlier.
	Hold func() bool
	// Grace is how long ticks are kept back after the log was away, where
	// nobody can tell Hold: spools elsewhere drain first. A spool that takes
	// longer delivers late, and what it delivers may heal what has stalled.
	Grace  time.Duration
	Logger *zap.Logger
}

// Run appends ticks until ctx ends. A broker that is away only delays them.
func Run(ctx context.Context, o Options) error {
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	b, err := bus.NewBroadcast(o.Bus, o.Topics)
	if err != nil {
		return err
	}
	defer b.Close()
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	w, topics := watch{o: &o, log: b}, tickedTopics()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if o.Hold != nil && o.Hold() || w.holds(ctx) {
			continue
		}
		at := event.At(o.Now())
		if err := b.Send(ctx, at, &event.Tick{At: at}, topics...); err != nil && ctx.Err() == nil {
			o.Logger.Warn("tick not written", zap.Error(err))
			w.away = true
		}
	}
}

// watch sees the log go and come back.
type watch struct {
	o    *Options
	log  interface{ Ping(context.Context) error }
	away bool
	back time.Time
}

// holds reports whether ticks wait for others' spools.
func (w *watch) holds(ctx context.Context) bool {
	if !w.away || w.o.Grace == 0 {
		return false
	}
	if err := w.log.Ping(ctx); err != nil {
		w.back = time.Time{}
		return true
	}
	now := time.Now()
	if w.back.IsZero() {
		w.back = now
	}
	if now.Sub(w.back) < w.o.Grace {
		return true
	}
	w.away, w.back = false, time.Time{}
	return false
}

func tickedTopics() []string {
	var names []string
	for _, s := range topic.All {
		if s.Ticked {
			names = append(names, s.Name)
		}
	}
	return names
}
