package pace

import (
	"context"
	"time"
)

// patience is how long, by the wall, one piece of work may keep time back: it
// may wait for something that only time brings.
const patience = 10 * time.Second

// hold is one piece of work that time waits for.
type hold struct {
	g      *Gated
	since  time.Time // of the clock; time goes Ahead of this
	wall   time.Time
	asleep int // of its goroutines
}

type holding struct{}

// Hold keeps fast time near a piece of work, until the returned func is called:
// what takes a second by the wall would take minutes of a day played in
// minutes. While the work sleeps by the same clock and with this context, time
// goes on. Other clocks hold nothing.
func Hold(ctx context.Context, c Clock) (context.Context, func()) {
	g, gated := c.(*Gated)
	if !gated {
		return ctx, func() {}
	}
	h := &hold{g: g}
	h.begin()
	return context.WithValue(ctx, holding{}, h), h.end
}

func (h *hold) begin() {
	now := h.g.Now()
	h.g.mu.Lock()
	defer h.g.mu.Unlock()
	h.since, h.wall = now, time.Now()
	h.g.holds[h] = struct{}{}
}

func (h *hold) end() {
	h.g.Now() // up to here it held
	h.g.mu.Lock()
	defer h.g.mu.Unlock()
	delete(h.g.holds, h)
}

// rest lets time go on until the returned func is called.
func rest(ctx context.Context) func() {
	h, ok := ctx.Value(holding{}).(*hold)
	if !ok {
		return func() {}
	}
	h.g.Now()
	h.g.mu.Lock()
	h.asleep++
	h.g.mu.Unlock()
	return func() {
		now := h.g.Now()
		h.g.mu.Lock()
		defer h.g.mu.Unlock()
		h.asleep--
		h.since, h.wall = now, time.Now()
	}
}

// bound is the earliest instant that work keeps time at, if any does.
func (g *Gated) bound(wall time.Time) (at time.Time, ok bool) {
	for h := range g.holds {
		if h.asleep == 0 && wall.Sub(h.wall) < patience && (!ok || h.since.Before(at)) {
			at, ok = h.since, true
		}
	}
	return at, ok
}
