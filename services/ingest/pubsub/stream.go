package pubsub

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/pubsub/pubsubpb"
)

// Taker is where events go.
type Taker interface {
	// Take makes the events of a JSON array durable, or dead-letters what
	// cannot be one.
	Take(body []byte) error
	// Mark keeps the place, after what was taken.
	Mark(p *event.Position) error
	// Lost tells that what followed a place is gone from the stream.
	Lost(p *event.Position) error
	// Refused notes why nothing comes.
	Refused(why string)
}

// Options of a stream. All are required but Roots, Dialer's meaning and Logger.
type Options struct {
	Name    string // of the stream: connection and channel
	Channel string
	Tenant  string // the org's id
	Base    *url.URL
	Dialer  Dialer
	Roots   *x509.CertPool // nil: the system's
	Session Session
	Taker   Taker
	From    *event.Position // nil: from now on
	Metrics *Metrics
	Logger  *zap.Logger

	idle, backoff time.Duration
}

const (
	// batch is how many events may be on their way: Salesforce sends no more
	// than were asked for.
	batch = 100
	// idle is longer than the 270 s within which a quiet stream says so.
	idle       = 5 * time.Minute
	minBackoff = time.Second
	maxBackoff = 2 * time.Minute
)

// Stream is one subscription. Its methods are for one goroutine.
type Stream struct {
	o       Options
	cc      *grpc.ClientConn
	shapes  map[string]*shape
	at      *event.Position
	preset  pubsubpb.ReplayPreset
	fresh   bool
	trailer metadata.MD
}

// New prepares a stream; it calls nobody yet.
func New(o Options) (*Stream, error) {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	if o.idle == 0 {
		o.idle, o.backoff = idle, minBackoff
	}
	cc, err := dial(o.Base, o.Dialer, o.Roots)
	if err != nil {
		return nil, err
	}
	s := &Stream{o: o, cc: cc, shapes: map[string]*shape{}, at: o.From}
	if s.at != nil {
		s.preset = pubsubpb.ReplayPreset_CUSTOM
	}
	return s, nil
}

// Run reads until ctx ends; what fails is tried again, ever more patiently.
func (s *Stream) Run(ctx context.Context) error {
	defer s.cc.Close()
	wait := s.o.backoff
	for ctx.Err() == nil {
		progress, err := s.subscribe(ctx)
		if ctx.Err() != nil {
			break
		}
		if progress {
			wait = s.o.backoff
		}
		k := kindOf(err, s.trailer)
		s.o.Metrics.failures.WithLabelValues(s.o.Name, string(k)).Inc()
		s.o.Taker.Refused(k.words(err))
		s.o.Logger.Warn(k.words(err), zap.String("stream", s.o.Name), zap.String("kind", string(k)), zap.Duration("again_in", wait))
		switch k {
		case auth:
			s.fresh = true
		case expired:
			if err := s.restart(); err != nil {
				s.o.Logger.Warn("cannot tell that a part of the stream is gone", zap.Error(err))
			}
		}
		s.sleep(ctx, wait)
		wait = min(2*wait, maxBackoff)
	}
	return nil
}

// sleep waits, a little unevenly: readers that broke off together come back apart.
func (s *Stream) sleep(ctx context.Context, d time.Duration) {
	d += rand.N(d/4 + 1) //nolint:gosec // nobody gains by guessing it
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// restart goes on with the oldest that is left, once it is told what is not.
func (s *Stream) restart() error {
	if s.at == nil {
		s.preset = pubsubpb.ReplayPreset_LATEST
		return nil
	}
	if err := s.o.Taker.Lost(s.at); err != nil {
		return err
	}
	s.at, s.preset = nil, pubsubpb.ReplayPreset_EARLIEST
	return nil
}

func (s *Stream) first() (*pubsubpb.FetchRequest, error) {
	r := &pubsubpb.FetchRequest{TopicName: s.o.Channel, ReplayPreset: s.preset, NumRequested: batch}
	if s.preset == pubsubpb.ReplayPreset_CUSTOM {
		var err error
		if r.ReplayId, err = hex.DecodeString(s.at.At); err != nil {
			return nil, fmt.Errorf("the place kept for %s cannot be read: %w", s.o.Name, err)
		}
	}
	return r, nil
}

// subscribe reads until something fails. More is asked for only when what
// came is durable: a log that is away stops the stream, and nothing piles up.
func (s *Stream) subscribe(ctx context.Context) (progress bool, err error) {
	s.trailer = nil
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if ctx, err = s.signed(ctx); err != nil {
		return false, err
	}
	st, err := s.cc.NewStream(ctx, &subscribeStream, subscribeMethod)
	if err != nil {
		return false, err
	}
	request, err := s.first()
	if err != nil {
		return false, err
	}
	silent := time.AfterFunc(s.o.idle, cancel)
	defer silent.Stop()
	if err := st.SendMsg(request); err != nil {
		return false, s.ended(st, err)
	}
	for open := batch; ; {
		var got pubsubpb.FetchResponse
		if err := st.RecvMsg(&got); err != nil {
			s.trailer = st.Trailer()
			return progress, err
		}
		silent.Reset(s.o.idle)
		if err := s.take(ctx, &got); err != nil {
			return progress, err
		}
		progress = true
		if open -= len(got.GetEvents()); open <= batch/2 {
			if err := st.SendMsg(&pubsubpb.FetchRequest{NumRequested: int32(batch - open)}); err != nil { //nolint:gosec // at most batch and a bit
				return progress, s.ended(st, err)
			}
			open = batch
		}
	}
}

// ended is why a stream did, where sending only said that it has.
func (s *Stream) ended(st grpc.ClientStream, err error) error {
	if e := st.RecvMsg(new(pubsubpb.FetchResponse)); e != nil {
		err = e
	}
	s.trailer = st.Trailer()
	return err
}

// take makes what came durable, then the place after it.
func (s *Stream) take(ctx context.Context, got *pubsubpb.FetchResponse) error {
	events := got.GetEvents()
	s.o.Metrics.seen.WithLabelValues(s.o.Name).SetToCurrentTime()
	for part := range chunks(events) {
		body, err := s.body(ctx, part)
		if err != nil {
			return err
		}
		if err := s.o.Taker.Take(body); err != nil {
			return fmt.Errorf("%w: %w", errNotDurable, err)
		}
		s.o.Metrics.events.WithLabelValues(s.o.Name).Add(float64(len(part)))
		if err := s.mark(part[len(part)-1].GetReplayId()); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return s.mark(got.GetLatestReplayId())
	}
	return nil
}

func (s *Stream) mark(replay []byte) error {
	at := hex.EncodeToString(replay)
	if at == "" || s.at != nil && s.at.At == at {
		return nil
	}
	p := &event.Position{Stream: s.o.Name, At: at, SeenAt: event.At(time.Now())}
	if err := s.o.Taker.Mark(p); err != nil {
		return fmt.Errorf("%w: %w", errNotDurable, err)
	}
	s.at, s.preset = p, pubsubpb.ReplayPreset_CUSTOM
	return nil
}

// chunks bounds what becomes one body.
func chunks(events []*pubsubpb.ConsumerEvent) func(yield func([]*pubsubpb.ConsumerEvent) bool) {
	return func(yield func([]*pubsubpb.ConsumerEvent) bool) {
		for len(events) > 0 {
			n := min(len(events), batch)
			if !yield(events[:n]) {
				return
			}
			events = events[n:]
		}
	}
}
