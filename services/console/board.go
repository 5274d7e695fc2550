package console

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// An answer is read at most this often, and a costly one more seldom: however
// many people look, pages never keep the engine busy.
const (
	freshFor   = 2 * time.Second
	costFactor = 4
	calmest    = time.Minute
	patience   = time.Second      // what a page waits for a newer snapshot before it shows the older
	forgetting = 10 * time.Second // so long an older one is shown without waiting
	firstWait  = 20 * time.Second // there is nothing to show before the first
	mostPages  = 512
	keepPages  = 10 * time.Minute // an answer nobody asks for is dropped
)

// board keeps the newest answer to each thing that pages ask for. Any number of
// viewers cost what one does, and a page can be shown when ClickHouse is away.
type board[T any] struct {
	ctx context.Context // of the server: a refresh outlives the request that asked
	now func() time.Time
	log *zap.Logger
	m   *metrics

	mu      sync.Mutex
	panes   map[string]*pane[T]
	running sync.WaitGroup
	turn    chan struct{} // so many refreshes at a time
}

// pane is the state of one of them.
type pane[T any] struct {
	name     string // of the route or window, for the metrics
	load     func(context.Context, time.Time) (T, error)
	last     *reading[T]
	err      error
	failedAt time.Time
	asked    time.Time
	next     time.Time     // no refresh before
	busy     chan struct{} // closed when the refresh in flight is done, nil when there is none
}

type reading[T any] struct {
	value T
	at    time.Time
}

// State is what a page is made from: the newest answer, if there ever was one,
// and why there is no newer.
type State[T any] struct {
	Value    T
	Has      bool
	At       time.Time
	Err      error
	FailedAt time.Time
}

func newBoard[T any](ctx context.Context, turns int, now func() time.Time, log *zap.Logger, m *metrics) *board[T] {
	return &board[T]{ctx: ctx, now: now, log: log, m: m, panes: map[string]*pane[T]{}, turn: make(chan struct{}, turns)}
}

// get returns a key's state, as fresh as patience allows.
func (b *board[T]) get(ctx context.Context, key, name string, load func(context.Context, time.Time) (T, error)) State[T] {
	p, busy, wait := b.refresh(key, name, load)
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
	st := State[T]{Err: p.err, FailedAt: p.failedAt}
	if p.last != nil {
		st.Value, st.At, st.Has = p.last.value, p.last.at, true
	}
	return st
}

// refresh starts one where it is due, and says what is worth waiting for.
func (b *board[T]) refresh(key, name string, load func(context.Context, time.Time) (T, error)) (p *pane[T], busy chan struct{}, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	p = b.panes[key]
	if p == nil {
		b.forget(now)
		p = &pane[T]{name: name, load: load}
		b.panes[key] = p
	}
	p.asked = now
	if p.busy == nil && !now.Before(p.next) && b.ctx.Err() == nil {
		p.busy = make(chan struct{})
		b.running.Add(1)
		go b.run(p)
	}
	switch {
	case p.last == nil && p.err == nil:
		wait = firstWait
	case p.last != nil && now.Sub(p.last.at) < forgetting:
		wait = 0
	default:
		wait = patience
	}
	return p, p.busy, wait
}

// forget drops what nobody looks at, and any other where there are too many.
func (b *board[T]) forget(now time.Time) {
	for key, p := range b.panes {
		if p.busy == nil && (now.Sub(p.asked) > keepPages || len(b.panes) >= mostPages) {
			delete(b.panes, key)
		}
	}
}

func (b *board[T]) run(p *pane[T]) {
	defer b.running.Done()
	at, began := b.now(), time.Now()
	v, err := b.read(p, at)
	took := time.Since(began)

	b.mu.Lock()
	defer b.mu.Unlock()
	close(p.busy)
	p.busy, p.next = nil, b.now().Add(min(max(freshFor, costFactor*took), calmest))
	if err != nil {
		p.err, p.failedAt = err, at
		b.m.failed.WithLabelValues(p.name).Inc()
		if b.ctx.Err() == nil {
			b.log.Warn("console cannot read from ClickHouse", zap.String("page", p.name), zap.Error(err))
		}
		return
	}
	p.last, p.err = &reading[T]{v, at.UTC()}, nil
	b.m.refresh.WithLabelValues(p.name).Observe(took.Seconds())
}

// read waits for its turn.
func (b *board[T]) read(p *pane[T], at time.Time) (v T, err error) {
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
		return p.load(b.ctx, at)
	case <-b.ctx.Done():
		return v, b.ctx.Err()
	}
}

// wait returns when no refresh runs any more; the context must be done.
func (b *board[T]) wait() {
	b.mu.Lock()   // no Add may race with Wait
	b.mu.Unlock() //nolint:staticcheck // an empty section is the point: refreshes that began have been counted
	b.running.Wait()
}
