package sink

import (
	"context"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// erased are the records of people who were removed. Whatever the log still
// says of them, and whoever replays it, no row of them is stored again.
type erased struct {
	keys atomic.Pointer[map[string]bool] // digests of record keys
}

func (e *erased) has(recordKey string) bool {
	if e == nil || recordKey == "" {
		return false
	}
	keys := e.keys.Load()
	return keys != nil && len(*keys) > 0 && (*keys)[warehouse.ErasedDigest(recordKey)]
}

// isErased tells whether a row is about a person who was removed.
func (d *decoder) isErased(t *warehouse.Table, ev event.Event) bool {
	return d.erased.has(t.RecordKey(ev))
}

// erasedEvery is how soon a removal holds for what is read from then on.
const erasedEvery = 5 * time.Second

// remember keeps the list as it is in ClickHouse. Nothing is stored before it
// was read once.
func (s *Sink) remember(ctx context.Context, first chan<- struct{}) {
	for wait := s.opts.RetryMin; ; wait = min(2*wait, erasedEvery) {
		keys, err := s.opts.Warehouse.Erased(ctx)
		if err == nil {
			s.erased.keys.Store(&keys)
			wait = erasedEvery
			if first != nil {
				close(first)
				first = nil
			}
		} else if ctx.Err() == nil {
			s.opts.Logger.Warn("the list of erased records cannot be read yet", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
