package sink

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/warehouse"
)

// Sink fills the tables.
type Sink struct {
	opts    Options
	runners []*runner
	erased  *erased
	m       *metrics

	mu      sync.Mutex
	stopped []error
}

// New checks the options and the mappings; it does not connect yet.
func New(o Options) (*Sink, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	s := &Sink{opts: o, m: newMetrics(o.Registerer), erased: &erased{}}
	for _, spec := range topic.All {
		if len(spec.Tables) == 0 {
			continue
		}
		epoch := o.Topics.IDs[spec.Name]
		if epoch == "" {
			return nil, fmt.Errorf("sink: topic %s has no id: run `plumbline topics apply`", spec.Name)
		}
		dec, err := newDecoder(spec, epoch)
		if err != nil {
			return nil, err
		}
		again, err := newDecoder(spec, epoch)
		if err != nil {
			return nil, err
		}
		dec.erased, again.erased = s.erased, s.erased
		s.m.stopped.WithLabelValues(spec.Name).Set(0)
		s.runners = append(s.runners, &runner{
			opts: &s.opts, spec: spec, epoch: epoch, dec: dec, again: again, m: s.m,
			spare: map[*warehouse.Table][]*warehouse.Cells{}, rewound: map[int32]int64{}, restart: make(chan struct{}, 1), tell: s.signal,
			log: o.Logger.With(zap.String("topic", spec.Name)),
		})
	}
	return s, nil
}

// GroupName is the consumer group that fills a topic's tables.
func GroupName(prefix, topicName string) string {
	return prefix + "-" + strings.TrimPrefix(topicName, topic.Prefix)
}

// Run works until ctx ends. A topic that cannot go on without somebody's help
// stops alone: its error is logged, shown by Err and the metric, and returned
// in the end.
func (s *Sink) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { s.describe(ctx); return nil })
	g.Go(func() error { s.watch(ctx); return nil })
	known := make(chan struct{})
	g.Go(func() error { s.remember(ctx, known); return nil })
	for _, r := range s.runners {
		g.Go(func() error {
			select {
			case <-known:
			case <-ctx.Done():
				return nil
			}
			err := r.run(ctx)
			if err == nil || errors.Is(err, errCrash) {
				return err
			}
			err = fmt.Errorf("sink of %s stopped: %w", r.spec.Name, err)
			s.m.stopped.WithLabelValues(r.spec.Name).Set(1)
			r.log.Error("stopped until somebody acts", zap.Error(err))
			s.mu.Lock()
			s.stopped = append(s.stopped, err)
			s.mu.Unlock()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return s.Err()
}

// Err is what stopped topics stopped for; nil while all of them work.
func (s *Sink) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.stopped...)
}

// describe writes the configured integrations, however long ClickHouse is away.
func (s *Sink) describe(ctx context.Context) {
	if len(s.opts.Integrations) == 0 {
		return
	}
	for wait := s.opts.RetryMin; ; wait = min(2*wait, s.opts.RetryMax) {
		err := s.opts.Warehouse.WriteIntegrations(ctx, s.opts.Integrations)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.opts.Logger.Warn("the integrations are not written to ClickHouse yet", zap.Error(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
