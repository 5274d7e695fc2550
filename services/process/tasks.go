package process

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
)

// tasks holds the tasks of the partitions this session was given. Each is
// restored on a goroutine of its own; everything else runs on the driver's.
type tasks struct {
	o       Options
	metrics *metrics
	log     *bus.Changelog

	restoring atomic.Int32 // partitions
	read      atomic.Int64 // bytes of state logs, since none was

	mu sync.Mutex
	of map[int32]*running
}

// running is a task and what is known of its changelog.
type running struct {
	task  *stream.Task
	dirty bool

	first     int64 // changelog offset where the open transaction starts, -1 until known
	walkStart int64 // where the walk under way started
	trimNext  int64 // a finished walk's start: to trim to, one commit later
	trimNow   int64
	trimmed   time.Time
}

// trimEvery bounds how often a state log is trimmed: each is a request and,
// on disk, a new segment boundary.
const trimEvery = 10 * time.Second

func newTasks(o Options, m *metrics, log *bus.Changelog) *tasks {
	return &tasks{o: o, metrics: m, log: log, of: map[int32]*running{}}
}

func (t *tasks) get(partition int32) *running {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[partition]
}

// resume reads where a partition's state stands from the end of its log.
func (t *tasks) resume(ctx context.Context, a bus.Assignment) (int64, error) {
	first, err := t.log.Start(ctx, t.o.Stage.Input, a.Partition)
	if err != nil {
		return 0, err
	}
	if t.o.TrustLast {
		return t.resumeTrusting(ctx, a, first)
	}
	var tail stream.Tail
	for n, more := int64(1024), true; more && (tail.Last == nil || a.Committed < 0); n *= 16 {
		tail = stream.Tail{}
		if more, err = t.log.Tail(ctx, t.o.Stage.Changelog, a.Partition, n, tail.Add); err != nil {
			return 0, err
		}
	}
	return stream.Resume(tail.Last, tail.Only(), first, a.Committed, a.Prev)
}

// restore rebuilds the task of a partition, which goes on at next.
func (t *tasks) restore(ctx context.Context, a bus.Assignment, next int64) error {
	t.restoring.Add(1)
	defer t.restored()
	started := time.Now()
	task, entries, err := t.load(ctx, a)
	if err != nil {
		return err
	}
	if task.Next() != next {
		return fmt.Errorf("the state of partition %d stands at input offset %d, its end said %d", a.Partition, task.Next(), next)
	}
	t.o.Logger.Info("restored", zap.Int32("partition", a.Partition), zap.Int("entries", entries),
		zap.Int64("next", next), zap.Int64("committed", a.Committed), zap.Duration("took", time.Since(started)))
	t.mu.Lock()
	defer t.mu.Unlock()
	if ctx.Err() == nil {
		t.of[a.Partition] = &running{task: task, walkStart: -1, trimNext: -1, trimNow: -1}
		t.metrics.restored.Inc()
	}
	return ctx.Err()
}

// restored lets go what the restores left over, once no other is under way:
// reading makes as much garbage as state, and little is allocated from then on.
func (t *tasks) restored() {
	if t.restoring.Add(-1) == 0 && t.read.Swap(0) > muchRead {
		debug.FreeOSMemory()
	}
}

const muchRead = 64 << 20

func (t *tasks) load(ctx context.Context, a bus.Assignment) (*stream.Task, int, error) {
	first, err := t.log.Start(ctx, t.o.Stage.Input, a.Partition)
	if err != nil {
		return nil, 0, err
	}
	task := stream.NewTask(t.o.Stage.Operator(), first)
	task.AcceptRepeats = t.o.AcceptRepeats
	restore := stream.NewRestore(task)
	restore.TrustLast = t.o.TrustLast
	entries := 0
	err = t.log.Read(ctx, t.o.Stage.Changelog, a.Partition, func(key string, value []byte) error {
		entries++
		t.read.Add(int64(len(value)))
		return restore.Add(key, value)
	})
	if err != nil {
		return nil, 0, err
	}
	t.o.Failpoint(FailInRestore)
	return task, entries, restore.Finish(a.Committed, a.Prev)
}

// resumeTrusting goes on where the newest transaction says, committed or not:
// the protection that a mutation check switches off.
func (t *tasks) resumeTrusting(ctx context.Context, a bus.Assignment, first int64) (int64, error) {
	task, _, err := t.load(ctx, a)
	if err != nil {
		return first, err
	}
	return task.Next(), nil
}

// forget lets go the task of a partition that went to another member.
func (t *tasks) forget(partition int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.of, partition)
}

// save writes the state of every task that moved and returns where each stood.
func (t *tasks) save(s *bus.Session) (map[int32]int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	prev := map[int32]int64{}
	for partition, r := range t.of {
		if !r.dirty {
			continue
		}
		prev[partition] = r.task.Prev()
		if err := r.save(s, partition); err != nil {
			return nil, err
		}
	}
	return prev, nil
}

func (r *running) save(s *bus.Session, partition int32) error {
	r.first, r.dirty = -1, false
	at := func(offset int64) { // the first of the transaction is told first
		if r.first < 0 {
			r.first = offset
		}
	}
	walk, err := r.task.Save(func(key string, value []byte) error {
		s.WriteState(partition, key, value, at)
		return nil
	})
	if err != nil {
		return err
	}
	if walk.Started {
		r.walkStart = -1 // this transaction's first offset, known after the commit
	}
	r.trimNow, r.trimNext = r.trimNext, -1
	if walk.Done {
		r.trimNext = pendingWalk
	}
	return nil
}

// pendingWalk marks a walk whose start is read off after the commit.
const pendingWalk = -2

// slowest is the stream time that every partition has reached.
func (t *tasks) slowest() event.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	slowest := event.Time(math.MaxInt64)
	for _, r := range t.of {
		slowest = min(slowest, r.task.Now())
	}
	return slowest
}

// trim lets go what finished walks made superfluous, one commit late.
// It is no part of any promise: an error leaves a longer log, no more.
func (t *tasks) trim(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	for partition, r := range t.of {
		if r.first < 0 {
			continue
		}
		if r.walkStart < 0 {
			r.walkStart = r.first
		}
		if r.trimNext == pendingWalk {
			r.trimNext = r.walkStart
		}
		r.first = -1
		if r.trimNow < 0 || time.Since(r.trimmed) < trimEvery {
			continue
		}
		if err := t.log.Trim(ctx, t.o.Stage.Changelog, partition, r.trimNow); err != nil {
			t.o.Logger.Warn("state log not trimmed", zap.Error(err))
		}
		r.trimNow, r.trimmed = -1, time.Now()
	}
}
