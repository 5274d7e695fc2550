package sink

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// rewindTimeout bounds the look into ClickHouse when a partition comes.
const rewindTimeout = 10 * time.Second

// start chooses where to begin with a partition. A topic that was created
// again is read anew. A table that holds less than was committed lost rows,
// by a restored backup for one: the log still has them.
func (r *runner) start(id int32, committed bus.Position) int64 {
	n, err := readNote(committed)
	if err != nil || committed.Offset < 0 {
		return committed.Offset
	}
	if r.recreated(n) {
		return -1
	}
	ctx, cancel := context.WithTimeout(context.Background(), rewindTimeout)
	defer cancel()
	at, err := r.behind(ctx, id, n)
	if err != nil {
		r.log.Warn("nobody could look whether ClickHouse holds everything; the audit will", zap.Error(err))
		return committed.Offset
	}
	if at < 0 || at >= committed.Offset {
		return committed.Offset
	}
	r.mu.Lock()
	r.rewound[id] = at
	r.mu.Unlock()
	return at
}

// behind is the first offset that a table of the topic may miss, as far as the
// log still has it, or -1.
func (r *runner) behind(ctx context.Context, id int32, n note) (int64, error) {
	at := int64(-1)
	for _, fill := range r.spec.Tables {
		last, ok := n.Last[fill.Table]
		if !ok {
			continue
		}
		stored, err := r.opts.Warehouse.Newest(ctx, warehouse.FindTable(fill.Table), r.spec.Name, r.epoch)
		if err != nil {
			return -1, fmt.Errorf("look into %s: %w", fill.Table, err)
		}
		newest, ok := stored[id]
		if !ok {
			newest = -1
		}
		if newest < last && (at < 0 || newest+1 < at) {
			at = newest + 1
		}
	}
	if at < 0 {
		return -1, nil
	}
	starts, err := bus.Starts(ctx, r.opts.Bus, r.spec.Name)
	if err != nil {
		return -1, err
	}
	if start := starts[id]; at < start {
		r.log.Error("ClickHouse lost rows that the log no longer has",
			zap.Int32("partition", id), zap.Int64("from", at), zap.Int64("to", start-1))
		at = start
	}
	return at, nil
}

// resume makes what a found position says of a partition into its state.
func (r *runner) resume(p *partition, n note) {
	r.mu.Lock()
	at, back := r.rewound[p.id]
	delete(r.rewound, p.id)
	r.mu.Unlock()
	switch {
	case r.recreated(n):
		p.next, p.last = -1, nil
		r.m.epochs.WithLabelValues(r.spec.Name).Inc()
		r.log.Error("the topic was created again: reading its new records from the start",
			zap.Int32("partition", p.id), zap.String("was", n.Epoch), zap.String("is", r.epoch))
		r.tell(recreatedSignal(r.spec.Name, n.Epoch, r.epoch))
	case back:
		p.next, p.recheck = at, max(p.next, n.To+1)
		if n.open() {
			p.stale = n.Batch
		}
		r.m.rewinds.WithLabelValues(r.spec.Name).Inc()
		r.log.Warn("ClickHouse lost rows: reading them again", zap.Int32("partition", p.id), zap.Int64("from", at),
			zap.Int64("to", p.recheck-1))
	case n.open():
		p.found = &n
		r.log.Info("settling an open intent", zap.Int32("partition", p.id),
			zap.Int64("from", n.From), zap.Int64("to", n.To), zap.String("batch", n.Batch))
	}
}
