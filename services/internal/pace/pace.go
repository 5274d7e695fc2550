// Package pace is the time that roles go by: the wall's, or a faster one in
// which the evaluation plays hours in minutes. Time stays data (ticks,
// receipts): only its source changes, and every role of a process has the same.
package pace

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clock tells time and waits.
type Clock interface {
	Now() time.Time
	// Sleep waits that long by this clock, or until ctx ends.
	Sleep(ctx context.Context, d time.Duration) error
	// Wall is how long a span of this clock takes on the wall.
	Wall(d time.Duration) time.Duration
}

// Real is wall time.
var Real Clock = real{}

type real struct{}

func (real) Now() time.Time { return time.Now() }

func (real) Wall(d time.Duration) time.Duration { return d }

func (real) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

// Fast runs so many times faster than the wall, from an instant on at which
// both agree. Two processes with the same Fast share one time.
type Fast struct {
	From  time.Time
	Speed float64
}

// Now implements Clock.
func (f Fast) Now() time.Time { return f.at(time.Now()) }

func (f Fast) at(wall time.Time) time.Time {
	return f.From.Add(time.Duration(float64(wall.Sub(f.From)) * f.Speed))
}

// Wall implements Clock.
func (f Fast) Wall(d time.Duration) time.Duration { return time.Duration(float64(d) / f.Speed) }

// Sleep implements Clock.
func (f Fast) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, f.Wall(d)) }

// Gated is fast time that waits for whoever cannot follow: it is never further
// than Ahead beyond what is Done, nor beyond the beginning of work under Hold.
type Gated struct {
	Speed float64
	Ahead time.Duration

	mu    sync.Mutex
	at    time.Time // time at
	wall  time.Time // this instant
	done  time.Time
	holds map[*hold]struct{}
}

// NewGated starts at the wall's time, at which nothing is to be done.
func NewGated(speed float64, ahead time.Duration) *Gated {
	now := time.Now()
	return &Gated{Speed: speed, Ahead: ahead, at: now, wall: now, done: now, holds: map[*hold]struct{}{}}
}

// Now implements Clock.
func (g *Gated) Now() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	wall := time.Now()
	at := g.at.Add(time.Duration(float64(wall.Sub(g.wall)) * g.Speed))
	limit := g.done
	if held, ok := g.bound(wall); ok && held.Before(limit) {
		limit = held
	}
	if limit = limit.Add(g.Ahead); at.After(limit) {
		at = limit
	}
	if at.After(g.at) {
		g.at = at
	}
	g.wall = wall
	return g.at
}

// Done says that everything up to an instant was done.
func (g *Gated) Done(at time.Time) {
	g.Now() // up to here the old limit holds
	g.mu.Lock()
	defer g.mu.Unlock()
	if at.After(g.done) {
		g.done = at
	}
}

// Turn sets another speed from now on.
func (g *Gated) Turn(speed float64) {
	g.Now() // up to here the old one holds
	g.mu.Lock()
	defer g.mu.Unlock()
	g.Speed = speed
}

// Wall implements Clock. While time waits, it takes longer.
func (g *Gated) Wall(d time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Duration(float64(d) / g.Speed)
}

// Sleep implements Clock.
func (g *Gated) Sleep(ctx context.Context, d time.Duration) error {
	const again = time.Millisecond
	defer rest(ctx)()
	for until := g.Now().Add(d); ; {
		left := until.Sub(g.Now())
		if left <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, max(g.Wall(left), again)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// maxSpeed bounds how little wall time a virtual second may take.
const maxSpeed = 1000

// Parse reads SPEED or SPEED@RFC3339: "60", "60@2026-03-02T09:00:00Z".
// Without an instant, now is where both agree.
func Parse(s string, now time.Time) (Fast, error) {
	factor, at, dated := strings.Cut(s, "@")
	f := Fast{From: now}
	var err error
	if f.Speed, err = strconv.ParseFloat(factor, 64); err != nil || !(f.Speed >= 1 && f.Speed <= maxSpeed) {
		return Fast{}, fmt.Errorf("pace %q: write a speed from 1 to %d, as 60 or 60@2026-03-02T09:00:00Z", s, maxSpeed)
	}
	if dated {
		if f.From, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return Fast{}, fmt.Errorf("pace %q: %q is no RFC 3339 instant", s, at)
		}
	}
	return f, nil
}

// String is what Parse reads.
func (f Fast) String() string {
	return strconv.FormatFloat(f.Speed, 'g', -1, 64) + "@" + f.From.UTC().Format(time.RFC3339Nano)
}
