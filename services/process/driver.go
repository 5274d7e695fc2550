package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
)

// Driver runs one stage until its context ends.
type Driver struct {
	o       Options
	metrics *metrics
}

// New makes the driver of a stage.
func New(o Options) *Driver {
	o = o.withDefaults()
	return &Driver{o: o, metrics: newMetrics(o.Registerer, o.Stage.Name)}
}

// How long a session that failed waits before the next, doubling.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 5 * time.Second
	// pollLimit bounds how much is folded at a time.
	pollLimit = 8192
	// behindEvery is how much longer a transaction stays open while more is
	// waiting than was folded: who is behind gains nothing from short ones, and
	// in a long one a change and its echo are one write of their record's state.
	behindEvery = 5
	// joiningEvery is the same while partitions move: those that stay are folded
	// on, and committed when all members of the group have said what they have.
	joiningEvery = 20
)

// Run folds until ctx ends, then commits what it has and returns nil. It
// returns an error only where going on would be wrong: state and offsets that
// do not belong together.
func (d *Driver) Run(ctx context.Context) error {
	backoff := firstBackoff
	for ctx.Err() == nil {
		started := time.Now()
		err := d.session(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, stream.ErrUnreconciled):
			return fmt.Errorf("stage %s refuses to run: %w; to rebuild its state from the input, "+
				"stop it, delete topic %s and the offsets of group %s", d.o.Stage.Name, err, d.o.Stage.Changelog, d.group())
		}
		if time.Since(started) > 10*lastBackoff {
			backoff = firstBackoff
		}
		d.metrics.restarts.Inc()
		d.o.Logger.Warn("session ended, restoring", zap.Error(err), zap.Duration("in", backoff))
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, lastBackoff)
	}
	return nil
}

func (d *Driver) group() string { return "plumbline-" + d.o.Stage.Name }

// session runs one group membership, from joining to the first doubt.
func (d *Driver) session(ctx context.Context) error {
	log, err := bus.NewChangelog(d.o.Bus)
	if err != nil {
		return err
	}
	defer log.Close()
	tasks := newTasks(d.o, d.metrics, log)
	s, err := bus.NewSession(d.o.Bus, bus.SessionConfig{
		Group: d.group(), Instance: d.o.Instance, Input: d.o.Stage.Input, Changelog: d.o.Stage.Changelog,
		ConfigHash: d.o.ConfigHash, Plain: d.o.Stage.Plain, Resume: tasks.resume, Restore: tasks.restore, Revoked: tasks.forget,
	})
	if err != nil {
		return err
	}
	defer s.Close()
	return d.loop(ctx, s, tasks)
}

// loop polls, folds and commits. A transaction is open from its first record
// until CommitEvery has passed, and longer where much is waiting.
func (d *Driver) loop(ctx context.Context, s *bus.Session, tasks *tasks) error {
	var opened time.Time
	for {
		wait := d.o.CommitEvery
		if !opened.IsZero() {
			wait = max(time.Until(opened.Add(wait)), time.Millisecond)
		}
		records, err := s.Poll(ctx, wait, pollLimit)
		if err != nil {
			return err
		}
		if opened.IsZero() && s.Moved() {
			if err := s.Settle(ctx); err != nil {
				return err
			}
			records = nil // they come again, without those of the lost partitions
		}
		if len(records) > 0 {
			d.o.Failpoint(FailAfterPoll)
			if opened.IsZero() {
				if err := s.Begin(); err != nil {
					return err
				}
				opened = time.Now()
			}
			if err := d.fold(s, tasks, records); err != nil {
				return err
			}
		}
		if !opened.IsZero() && (time.Since(opened) >= d.every(s, len(records)) || ctx.Err() != nil) {
			if err := d.commit(s, tasks); err != nil {
				return err
			}
			opened = time.Time{}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// every is how long a transaction stays open, by what the last poll brought and
// whether it can be committed now.
func (d *Driver) every(s *bus.Session, polled int) time.Duration {
	switch {
	case s.Joining():
		return joiningEvery * d.o.CommitEvery
	case polled >= pollLimit/2:
		return behindEvery * d.o.CommitEvery
	}
	return d.o.CommitEvery
}

func (d *Driver) fold(s *bus.Session, tasks *tasks, records []stream.Record) error {
	var out stream.Out
	for i := range records {
		r := &records[i]
		t := tasks.get(r.Partition)
		if t == nil {
			return fmt.Errorf("a record of partition %d arrived before its task", r.Partition)
		}
		if r.Offset < t.task.Next() {
			return fmt.Errorf("%w: offset %d of partition %d arrived again", stream.ErrUnreconciled, r.Offset, r.Partition)
		}
		t.task.Process(r, &out)
		t.dirty = true
		for j := range out.List {
			if err := s.Write(&out.List[j]); err != nil {
				return err
			}
		}
		d.metrics.outputs.Add(float64(len(out.List)))
	}
	d.metrics.inputs.Add(float64(len(records)))
	return nil
}

// commit saves the state of every task that moved and ends the transaction.
// It is not cut short by shutdown: what was folded is worth keeping.
func (d *Driver) commit(s *bus.Session, tasks *tasks) error {
	started := time.Now()
	prev, err := tasks.save(s)
	if err != nil {
		return err
	}
	d.o.Failpoint(FailBeforeCommit)
	if err := s.Commit(context.Background(), prev); err != nil {
		return err
	}
	d.o.Failpoint(FailAfterCommit)
	d.metrics.commit.Observe(time.Since(started).Seconds())
	d.metrics.time.Set(float64(tasks.slowest()) / float64(event.Second))
	tasks.trim(context.Background())
	return nil
}
