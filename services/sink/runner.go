package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
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
	m     *metrics
	log   *zap.Logger

	group   *bus.Group
	parts   map[int32]*partition
	ends    map[int32]int64
	current *batch
	fails   int
	retryAt time.Time
	oldest  time.Time // when the oldest waiting record was read
	paused  bool
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

func fatal(err error) bool {
	return errors.Is(err, bus.ErrGone) || errors.Is(err, ErrDamaged) || errors.Is(err, errNote)
}

// member works as one member of the group until something ends it.
func (r *runner) member(ctx context.Context) error {
	group, err := bus.NewGroup(bus.GroupOptions{
		Options: r.opts.Bus, Group: r.groupName(), Topic: r.spec.Name, Start: r.start,
	})
	if err != nil {
		return err
	}
	defer group.Close()
	r.group, r.parts, r.ends, r.current, r.fails, r.paused = group, map[int32]*partition{}, map[int32]int64{}, nil, 0, false
	for ctx.Err() == nil {
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

// start begins anew where the topic is not the one the offsets belong to.
func (r *runner) start(_ int32, committed bus.Position) int64 {
	if n, err := readNote(committed); err == nil && r.recreated(n) {
		return -1
	}
	return committed.Offset
}

func (r *runner) recreated(n note) bool { return n.Epoch != "" && n.Epoch != r.epoch }

// poll waits for records, but not past the next thing to do.
func (r *runner) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.pollTime())
	defer cancel()
	polled, err := r.group.Poll(ctx, r.opts.MaxRows)
	if err != nil {
		return err
	}
	for _, c := range polled.Changes {
		if err := r.own(c); err != nil {
			return err
		}
	}
	if _, waiting := r.waiting(); waiting == 0 {
		r.oldest = time.Now()
	}
	for i := range polled.Records {
		r.take(&polled.Records[i])
	}
	maps.Copy(r.ends, polled.Ends)
	r.throttle()
	return nil
}

const idlePoll = time.Second

func (r *runner) pollTime() time.Duration {
	wait := idlePoll
	if r.current != nil {
		wait = time.Until(r.retryAt)
	} else if rows, waiting := r.waiting(); waiting > 0 {
		wait = time.Until(r.oldest.Add(r.patience(rows)))
	}
	return min(max(wait, time.Millisecond), idlePoll)
}

func (r *runner) own(c bus.Ownership) error {
	delete(r.parts, c.Partition)
	delete(r.ends, c.Partition)
	if r.current != nil {
		r.current.drop(c.Partition)
		if len(r.current.spans) == 0 {
			r.current, r.fails = nil, 0
		}
	}
	if !c.Owned {
		return nil
	}
	n, err := readNote(c.Committed)
	if err != nil {
		return fmt.Errorf("%w: topic %s partition %d: %w", errNote, r.spec.Name, c.Partition, err)
	}
	p := &partition{id: c.Partition, epoch: r.epoch, next: c.Committed.Offset, last: n.Last}
	switch {
	case r.recreated(n):
		p.next, p.last = -1, nil
		r.m.epochs.WithLabelValues(r.spec.Name).Inc()
		r.log.Error("the topic was created again: reading its new records from the start",
			zap.Int32("partition", c.Partition), zap.String("was", n.Epoch), zap.String("is", r.epoch))
	case n.open():
		p.found = &n
		r.log.Info("settling an open intent", zap.Int32("partition", c.Partition),
			zap.Int64("from", n.From), zap.Int64("to", n.To), zap.String("batch", n.Batch))
	}
	r.parts[c.Partition] = p
	return nil
}

func (r *runner) take(rec *bus.Fetched) {
	p := r.parts[rec.Partition]
	if p == nil {
		return // of a partition that is gone already
	}
	f, result := r.dec.fate(rec)
	r.m.records.WithLabelValues(r.spec.Name, result).Inc()
	p.add(f)
}

// step stores what is due.
func (r *runner) step(ctx context.Context) error {
	if r.current == nil {
		if !r.due() {
			return nil
		}
		b, err := r.gather()
		if err != nil || b == nil {
			return err
		}
		r.current, r.retryAt = b, time.Time{}
	}
	if time.Now().Before(r.retryAt) {
		return nil
	}
	err := r.store(ctx, r.current)
	switch {
	case err == nil:
		r.current, r.fails = nil, 0
	case errors.Is(err, errCrash), errors.Is(err, bus.ErrFenced):
		return err
	default:
		r.fails++
		pause := r.backoff(r.fails)
		r.retryAt = time.Now().Add(pause)
		r.log.Warn("a batch is not stored yet", zap.Error(err), zap.Int("fails", r.fails), zap.Duration("again_in", pause))
	}
	return nil
}

func (r *runner) backoff(fails int) time.Duration {
	d := r.opts.RetryMin << min(fails-1, 16)
	if d <= 0 || d > r.opts.RetryMax {
		d = r.opts.RetryMax
	}
	return d/2 + rand.N(d/2+1) //nolint:gosec // jitter, not a secret
}
