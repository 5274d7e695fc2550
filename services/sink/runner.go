package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// ErrDamaged means that a range whose insert is uncertain cannot be read as it
// was: the log lost records. Nobody can tell what is missing in ClickHouse.
var ErrDamaged = errors.New("the log changed below an open intent")

// errCrash is a failpoint's end of the process, as far as a test can see it.
var errCrash = errors.New("failpoint")

func crash(err error) error { return fmt.Errorf("%w: %w", errCrash, err) }

// runner is one topic's loop.
type runner struct {
	opts  *Options
	spec  topic.Spec
	epoch string
	dec   *decoder
	again *decoder // of the goroutine that stores
	m     *metrics
	log   *zap.Logger

	group   *bus.Group
	parts   map[int32]*partition
	ends    map[int32]int64
	current *batch  // to be stored
	flight  *flight // storing current, beside this loop
	ahead   *batch  // made meanwhile
	fails   int
	slow    int // how often to halve what is inserted at once
	retryAt time.Time
	oldest  time.Time // when the oldest waiting record was read
	paused  bool

	tell    func(*event.Signal)
	restart chan struct{} // asks for a new start: the audit found lost rows

	mu      sync.Mutex
	rewound map[int32]int64 // where to begin instead, of partitions that come
	spare   map[*warehouse.Table][]*warehouse.Cells
}

func (r *runner) groupName() string { return GroupName(r.opts.GroupPrefix, r.spec.Name) }

// run joins, works, and joins again after anything that a new start mends.
func (r *runner) run(ctx context.Context) error {
	for fails := 0; ; {
		began := time.Now()
		err := r.member(ctx)
		if ctx.Err() != nil && !errors.Is(err, errCrash) {
			return nil
		}
		if errors.Is(err, errCrash) || fatal(err) {
			return err
		}
		if time.Since(began) > r.opts.RetryMax {
			fails = 0
		}
		fails++
		r.m.rejoins.WithLabelValues(r.spec.Name).Inc()
		r.log.Warn("sink joins its group again", zap.Error(err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.backoff(fails)):
		}
	}
}

// errNote is metadata that nobody can act on.
var errNote = errors.New("committed position")

// errLost ends a membership: the next one begins where ClickHouse stands.
var errLost = errors.New("the audit found that ClickHouse lost rows")

func fatal(err error) bool {
	return errors.Is(err, bus.ErrGone) || errors.Is(err, ErrDamaged) || errors.Is(err, errNote)
}

// member works as one member of the group until something ends it.
func (r *runner) member(ctx context.Context) error {
	group, err := bus.NewGroup(bus.GroupOptions{
		Options: r.opts.Bus, Group: r.groupName(), Topic: r.spec.Name, Start: r.start, Undecoded: true,
	})
	if err != nil {
		return err
	}
	defer group.Close()
	r.group, r.parts, r.ends, r.fails, r.paused = group, map[int32]*partition{}, map[int32]int64{}, 0, false
	r.current, r.flight, r.ahead = nil, nil, nil
	defer r.await()
	for ctx.Err() == nil {
		select {
		case <-r.restart:
			return errLost
		default:
		}
		if err := r.poll(ctx); err != nil {
			return err
		}
		if err := r.step(ctx); err != nil {
			return err
		}
		r.report()
	}
	return nil
}

func (r *runner) recreated(n note) bool { return n.Epoch != "" && n.Epoch != r.epoch }

// poll waits for records, but not past the next thing to do.
func (r *runner) poll(ctx context.Context) error {
	read := r.group.Poll
	if r.flight != nil {
		ctx, read = r.flight.over, r.group.More
	}
	ctx, cancel := context.WithTimeout(ctx, r.pollTime())
	defer cancel()
	polled, err := read(ctx, min(maxPoll, max(minPoll, r.opts.MaxRows-r.total())))
	if err != nil {
		return err
	}
	for _, c := range polled.Changes {
		// A batch is not changed while it is stored. Partitions come meanwhile, and
		// go where this member was thrown out.
		if r.flight != nil && r.current.holds(c.Partition) {
			if err := r.land(); err != nil {
				return err
			}
		}
		if err := r.own(c); err != nil {
			return err
		}
	}
	if _, waiting := r.waiting(); waiting == 0 {
		r.oldest = time.Now()
	}
	r.take(polled.Records)
	maps.Copy(r.ends, polled.Ends)
	r.throttle()
	return nil
}

const (
	idlePoll = time.Second
	minPoll  = 100 // records
	maxPoll  = 4000
)

func (r *runner) pollTime() time.Duration {
	wait := idlePoll
	rows, waiting := r.waiting()
	switch {
	case r.ahead != nil && r.flight == nil:
		wait = 0
	case r.current != nil && r.flight == nil:
		wait = time.Until(r.retryAt)
	case r.ahead == nil && waiting > 0:
		wait = time.Until(r.oldest.Add(r.patience(rows)))
	}
	return min(max(wait, time.Millisecond), idlePoll)
}

func (r *runner) own(c bus.Ownership) error {
	delete(r.parts, c.Partition)
	delete(r.ends, c.Partition)
	r.current, r.ahead = r.without(r.current, c.Partition), r.without(r.ahead, c.Partition)
	if !c.Owned {
		return nil
	}
	n, err := readNote(c.Committed)
	if err != nil {
		return fmt.Errorf("%w: topic %s partition %d: %w", errNote, r.spec.Name, c.Partition, err)
	}
	p := &partition{id: c.Partition, epoch: r.epoch, next: c.Committed.Offset, last: n.Last}
	r.resume(p, n)
	r.parts[c.Partition] = p
	return nil
}

// without takes a partition out of a batch, which may leave nothing of it.
func (r *runner) without(b *batch, partition int32) *batch {
	if b == nil || !b.holds(partition) {
		return b
	}
	b.drop(partition)
	if len(b.spans) == 0 {
		r.recycle(b)
		return nil
	}
	return b
}

func (r *runner) take(records []bus.Fetched) {
	results := map[string]int{}
	for i := range records {
		p := r.parts[records[i].Partition]
		if p == nil {
			continue // of a partition that is gone already
		}
		f, result := r.dec.fate(&records[i])
		if result != resultRow { // which is only known when its batch is made
			results[result]++
		}
		p.add(f)
	}
	r.count(results)
}

func (r *runner) count(results map[string]int) {
	for result, n := range results {
		r.m.records.WithLabelValues(r.spec.Name, result).Add(float64(n))
	}
}

func (r *runner) backoff(fails int) time.Duration {
	d := r.opts.RetryMin << min(fails-1, 16)
	if d <= 0 || d > r.opts.RetryMax {
		d = r.opts.RetryMax
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter, not a secret
}
