package login

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Pace lets each caller do so much a second, so that one page left open in a
// loop does not become everybody's.
type Pace struct {
	every rate.Limit
	burst int
	now   func() time.Time

	mu   sync.Mutex
	seen map[string]*caller
}

type caller struct {
	limit *rate.Limiter
	last  time.Time
}

const mostCallers = 4096

// NewPace allows perSecond on the long run and burst at once.
func NewPace(perSecond float64, burst int, now func() time.Time) *Pace {
	return &Pace{every: rate.Limit(perSecond), burst: burst, now: now, seen: map[string]*caller{}}
}

// Allow reports whether the caller may go on now.
func (p *Pace) Allow(who string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	c := p.seen[who]
	if c == nil {
		if len(p.seen) >= mostCallers {
			p.forget(now)
		}
		c = &caller{limit: rate.NewLimiter(p.every, p.burst)}
		p.seen[who] = c
	}
	c.last = now
	return c.limit.AllowN(now, 1)
}

// forget drops who has been silent, or everybody if nobody was: a flood of
// made-up callers must not fill memory.
func (p *Pace) forget(now time.Time) {
	for who, c := range p.seen {
		if now.Sub(c.last) > time.Minute {
			delete(p.seen, who)
		}
	}
	if len(p.seen) >= mostCallers {
		clear(p.seen)
	}
}
