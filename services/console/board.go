package console

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// A snapshot is read at most this often, and a costly one more seldom: pages
// never make the engine busier than one window at a time can.
const (
	freshFor   = 2 * time.Second
	costFactor = 4
	calmest    = time.Minute
	patience   = time.Second      // what a page waits for a newer snapshot before it shows the older
	forgetting = 10 * time.Second // so long an older one is shown without waiting
	firstWait  = 20 * time.Second // there is nothing to show before the first
)

// board keeps the newest snapshot of each window. Any number of viewers cost
// what one does, and a page can be shown when ClickHouse is away.
type board struct {
	ctx  context.Context // of the server: a refresh outlives the request that asked
	load func(context.Context, Window, time.Time) (*Snapshot, error)
	now  func() time.Time
	log  *zap.Logger
	m    *metrics

	mu      sync.Mutex
	windows map[string]*pane
	running sync.WaitGroup
	turn    chan struct{} // one refresh at a time
}

// pane is one window's state.
type pane struct {
	last     *Snapshot
	err      error
	failedAt time.Time
	next     time.Time     // no refresh before
	busy     chan struct{} // closed when the refresh in flight is done, nil when there is none
}

// State is what a page is made from: the newest snapshot, which may be nil or
// old, and why there is no newer one.
type State struct {
	Snapshot *Snapshot
	Err      error
	FailedAt time.Time
}

func newBoard(ctx context.Context, l *loader, now func() time.Time, log *zap.Logger, m *metrics) *board {
	b := &board{ctx: ctx, load: l.load, now: now, log: log, m: m, windows: map[string]*pane{}, turn: make(chan struct{}, 1)}
	for _, w := range windows {
		b.windows[w.Name] = &pane{}
	}
	return b
}

// get returns a window's state, as fresh as patience allows.
func (b *board) get(ctx context.Context, w Window) State {
	busy, wait := b.refresh(w)
	if busy != nil && wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-busy:
		case <-t.C:
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.windows[w.Name]
	return State{p.last, p.err, p.failedAt}
}

// refresh starts one where it is due, and says what is worth waiting for.
func (b *board) refresh(w Window) (busy chan struct{}, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, now := b.windows[w.Name], b.now()
	if p.busy == nil && !now.Before(p.next) && b.ctx.Err() == nil {
		p.busy = make(chan struct{})
		b.running.Add(1)
		go b.run(w, p)
	}
	switch {
	case p.last == nil && p.err == nil:
		wait = firstWait
	case p.last != nil && now.Sub(p.last.At) < forgetting:
		wait = 0
	default:
		wait = patience
	}
	return p.busy, wait
}

func (b *board) run(w Window, p *pane) {
	defer b.running.Done()
	at, began := b.now(), time.Now()
	s, err := b.read(w, at)
	took := time.Since(began)

	b.mu.Lock()
	defer b.mu.Unlock()
	close(p.busy)
	p.busy, p.next = nil, b.now().Add(min(max(freshFor, costFactor*took), calmest))
	if err != nil {
		p.err, p.failedAt = err, at
		b.m.failed.WithLabelValues(w.Name).Inc()
		if b.ctx.Err() == nil {
			b.log.Warn("console cannot read from ClickHouse", zap.String("window", w.Name), zap.Error(err))
		}
		return
	}
	p.last, p.err = s, nil
	b.m.refresh.WithLabelValues(w.Name).Observe(took.Seconds())
}

// read waits for its turn: windows are read one after the other.
func (b *board) read(w Window, at time.Time) (*Snapshot, error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
		return b.load(b.ctx, w, at)
	case <-b.ctx.Done():
		return nil, b.ctx.Err()
	}
}

// wait returns when no refresh runs any more; the context must be done.
func (b *board) wait() {
	b.mu.Lock()   // no Add may race with Wait
	b.mu.Unlock() //nolint:staticcheck // an empty section is the point: refreshes that began have been counted
	b.running.Wait()
}
