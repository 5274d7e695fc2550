package sink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// watch audits for as long as the sink runs. A gap that two audits agree on is
// told as a signal, and what ClickHouse lost is read again.
func (s *Sink) watch(ctx context.Context) {
	var before []Gap
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(s.opts.AuditInterval):
		}
		s.auditViews(ctx)
		gaps, err := s.auditAll(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.m.audits.WithLabelValues("failed").Inc()
			s.opts.Logger.Warn("the audit could not look", zap.Error(err))
			continue
		case len(gaps) == 0:
			s.m.audits.WithLabelValues("ok").Inc()
		default:
			s.m.audits.WithLabelValues("gap").Inc()
			s.act(gaps, before)
		}
		before = gaps
	}
}

// auditAll is Audit and a sample of the log.
func (s *Sink) auditAll(ctx context.Context) ([]Gap, error) {
	gaps, err := s.Audit(ctx)
	if err != nil {
		return nil, err
	}
	missing, err := s.Sample(ctx)
	return append(gaps, missing...), err
}

// auditViews tells of views that are not counted any more. They say so
// themselves, to whoever reads them: their state is unknown.
func (s *Sink) auditViews(ctx context.Context) {
	views, err := s.opts.Warehouse.Unrefreshed(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.opts.Logger.Warn("the audit could not look whether views are counted", zap.Error(err))
		}
		return
	}
	s.m.stale.Set(float64(len(views)))
	for _, v := range views {
		s.opts.Logger.Error("a KPI view is not counted any more", zap.Stringer("view", v))
	}
}

func (s *Sink) act(gaps, before []Gap) {
	for _, g := range gaps {
		known := slices.ContainsFunc(before, func(b Gap) bool {
			return b.Table == g.Table && b.Partition == g.Partition && b.Kind() == g.Kind()
		})
		if !known {
			continue
		}
		s.opts.Logger.Error("ClickHouse does not hold what the log says", zap.Any("gap", g))
		s.signal(gapSignal(g))
		if !g.Behind() {
			continue
		}
		for _, r := range s.runners {
			if r.spec.Name == g.Topic {
				select {
				case r.restart <- struct{}{}:
				default:
				}
			}
		}
	}
}

// signal tells everybody, as one more thing that may explain what they see.
func (s *Sink) signal(sig *event.Signal) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	err := s.opts.DeadLetters.Produce(ctx, bus.Message{Topic: topic.Signals, Key: sig.Integration, Time: sig.ReceivedAt, Event: sig})
	if err != nil {
		s.opts.Logger.Error("a signal is lost", zap.String("kind", sig.Kind), zap.Error(err))
	}
}

func gapSignal(g Gap) *event.Signal {
	now := event.At(time.Now())
	return &event.Signal{
		ID: event.Hash("store_gap", g.Topic, g.Table, fmt.Sprint(g.Partition), g.Kind(), fmt.Sprint(g.Committed)), Sender: "sink",
		Kind: event.SignalStoreGap, System: "clickhouse", StartedAt: now, ReceivedAt: now, Summary: g.String(),
	}
}

func recreatedSignal(topicName, was, is string) *event.Signal {
	now := event.At(time.Now())
	return &event.Signal{
		ID: event.Hash("topic_recreated", topicName, was, is), Sender: "sink", Kind: event.SignalTopicRecreated, System: "kafka",
		StartedAt: now, ReceivedAt: now,
		Summary: fmt.Sprintf("topic %s was deleted and created again: what was in it and not yet stored is lost", topicName),
	}
}
