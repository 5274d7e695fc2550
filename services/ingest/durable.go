package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/spool"
	"plumbline.dev/services/internal/bus"
)

// Durable is a Producer that does not need the log to be there: what the log
// does not take in time is kept in a spool, and goes to the log in the order
// it came. While the spool holds anything, new events queue behind it, so
// that those of one key never overtake each other.
type Durable struct {
	log    Producer
	spool  *spool.Spool
	logger *zap.Logger
	// gate is held by requests while they look at the spool and append to it,
	// and shut by the drain for its last part: under steady load the spool
	// would never be found empty otherwise.
	gate sync.RWMutex
}

// NewDurable puts a spool behind a log.
func NewDurable(log Producer, s *spool.Spool, logger *zap.Logger) *Durable {
	return &Durable{log: log, spool: s, logger: logger}
}

// drainBytes is how much goes to the log at once.
const drainBytes = 256 << 10

// Backoff of the drain while the log is away.
const (
	minBackoff   = 100 * time.Millisecond
	maxBackoff   = 5 * time.Second
	drainTimeout = 10 * time.Second
	idle         = 50 * time.Millisecond
)

// Produce implements Producer. Half of the time ctx allows is the log's.
func (d *Durable) Produce(ctx context.Context, messages ...bus.Message) error {
	queued, err := d.queue(ctx, messages, false)
	if queued || err != nil {
		return err
	}
	err = d.produce(ctx, messages)
	if err == nil {
		return nil
	}
	d.logger.Warn("the log did not take events in time: they go to the local spool", zap.Error(err), zap.Int("events", len(messages)))
	_, err = d.queue(ctx, messages, true)
	return err
}

// queue appends to the spool where something waits in it already, or always.
func (d *Durable) queue(ctx context.Context, messages []bus.Message, always bool) (queued bool, err error) {
	d.gate.RLock()
	defer d.gate.RUnlock()
	if !always && d.spool.Empty() {
		return false, nil
	}
	frame, err := packMessages(messages)
	if err != nil {
		return false, err
	}
	return true, d.spool.Append(ctx, frame)
}

func (d *Durable) produce(ctx context.Context, messages []bus.Message) error {
	if at, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(at)/2)
		defer cancel()
	}
	return d.log.Produce(ctx, messages...)
}

// Ping reports whether events can be made durable: by the log, or here.
func (d *Durable) Ping(ctx context.Context) error {
	err := d.log.Ping(ctx)
	if err == nil {
		return nil
	}
	if full := d.spool.Check(); full != nil {
		return errors.Join(err, full)
	}
	return nil
}

// Holding reports whether accepted events wait for the log: until they are in
// it, the clock must not tell the stages behind that time went on.
func (d *Durable) Holding() bool { return !d.spool.Empty() }

// Stats are the spool's.
func (d *Durable) Stats() spool.Stats { return d.spool.Stats() }

// Run drains until ctx ends.
func (d *Durable) Run(ctx context.Context) error {
	backoff := minBackoff
	for ctx.Err() == nil {
		wait := idle
		if n, err := d.drain(ctx); err != nil && ctx.Err() == nil {
			d.logger.Warn("the spool waits for the log", zap.Error(err), zap.Int("records", d.spool.Stats().Records))
			wait, backoff = backoff, min(2*backoff, maxBackoff)
		} else if backoff = minBackoff; n > 0 {
			d.handover(ctx)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
	return nil
}

// The last part goes to the log while requests wait for it: milliseconds, and
// never longer than this.
const (
	handoverRecords = 2048
	handoverTimeout = time.Second
)

// handover empties a spool that is nearly so, with the gate shut.
func (d *Durable) handover(ctx context.Context) {
	if d.spool.Stats().Records > handoverRecords {
		return
	}
	d.gate.Lock()
	defer d.gate.Unlock()
	ctx, cancel := context.WithTimeout(ctx, handoverTimeout)
	defer cancel()
	for {
		if n, err := d.drain(ctx); n == 0 || err != nil {
			return // done, or the drain goes on as before
		}
	}
}

// drain moves one part of the spool to the log, and tells how many records.
func (d *Durable) drain(ctx context.Context) (int, error) {
	records, err := d.spool.Next(drainBytes)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	var messages []bus.Message
	for _, r := range records {
		m, err := parseMessages(r)
		if err != nil {
			d.spool.SetAside(r, err)
			continue
		}
		messages = append(messages, m...)
	}
	if err := d.deliver(ctx, messages); err != nil {
		return 0, err
	}
	return len(records), d.spool.Commit()
}

// deliver writes the messages; one that the log will never take is set aside
// and does not hold up the others.
func (d *Durable) deliver(ctx context.Context, messages []bus.Message) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	err := d.log.Produce(ctx, messages...)
	if !bus.Permanent(err) {
		return err
	}
	for i := range messages {
		err := d.log.Produce(ctx, messages[i])
		if bus.Permanent(err) {
			frame, _ := packMessages(messages[i : i+1]) // it was read from one
			d.spool.SetAside(frame, err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// packMessages writes a request's messages as one record: all or none.
func packMessages(messages []bus.Message) ([]byte, error) {
	b := appendUint(nil, uint64(len(messages)))
	for i := range messages {
		m := &messages[i]
		value, err := event.Encode(nil, m.Event)
		if err != nil {
			return nil, err
		}
		b = appendBytes(appendBytes(appendBytes(b, m.Topic), m.Key), string(m.Event.EventType()))
		b = appendBytes(appendUint(b, uint64(m.Time)), string(value))
	}
	return b, nil
}

var errRecord = errors.New("spool record cannot be read")

func parseMessages(b []byte) ([]bus.Message, error) {
	r := reader{b: b}
	n := r.uint()
	if n > uint64(len(b)) {
		return nil, errRecord
	}
	out := make([]bus.Message, 0, n)
	for range n {
		m := bus.Message{Topic: r.text(), Key: r.text()}
		kind := event.Type(r.text())
		m.Time = event.Time(r.uint())
		value := r.text()
		if r.bad {
			return nil, errRecord
		}
		e, err := event.Decode(kind, []byte(value))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRecord, err)
		}
		m.Event = e
		out = append(out, m)
	}
	if r.bad || len(r.b) > 0 {
		return nil, errRecord
	}
	return out, nil
}
