package reconcile

import (
	"context"
	"errors"
	"strconv"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/crm"
)

// probes tries every account with our own credential: when the sync's is
// refused, the difference says whose fault it is.
func (r *Role) probes(ctx context.Context) error {
	for {
		for _, a := range r.accounts {
			if err := r.probe(ctx, a); err != nil && ctx.Err() == nil {
				r.log.Warn("cannot tell what a probe met", zap.String("connection", a.conn.ID), zap.Error(err))
			}
			if err := r.usage(ctx, a); err != nil && ctx.Err() == nil {
				r.log.Warn("cannot tell what an account has used", zap.String("connection", a.conn.ID), zap.Error(err))
			}
		}
		if r.o.Clock.Sleep(ctx, r.o.ProbeEvery) != nil {
			return nil
		}
	}
}

func (r *Role) probe(ctx context.Context, a *account) error {
	m, ok := Probe(ctx, a.conn, a.reader, r.o.now)
	if !ok {
		return ctx.Err()
	}
	return r.o.Producer.Produce(ctx, m)
}

// Probe tries an account, and says what came of it; false: it was not tried.
func Probe(ctx context.Context, conn *config.Connection, reader crm.Reader, now func() event.Time) (bus.Message, bool) {
	began := now()
	err := reader.Probe(crm.In(ctx, crm.LaneProbe))
	if ctx.Err() != nil || crm.KindOf(err) == crm.KindBudget {
		return bus.Message{}, false
	}
	return probeSignal(conn, err, began, now()), true
}

func probeSignal(conn *config.Connection, err error, at, now event.Time) bus.Message {
	result, status, text := probed(err)
	s := &event.Signal{
		ID: event.Hash("probe", conn.ID, strconv.FormatInt(int64(at), 10)), Kind: event.SignalProbe, Sender: "reconcile",
		System: conn.System, StartedAt: at, EndedAt: now, ReceivedAt: now, Summary: text,
		Detail: []event.Field{
			{Name: "account", Value: event.Value{Text: conn.Account}},
			{Name: "credential", Value: event.Value{Text: conn.ID}},
			{Name: "ms", Value: event.Value{Kind: event.KindNumber, Text: strconv.FormatInt(int64(now-at), 10)}},
			{Name: "result", Value: event.Value{Text: result}},
			{Name: "status", Value: event.Value{Kind: event.KindNumber, Text: strconv.Itoa(status)}},
		},
	}
	return bus.Message{Topic: topic.Intake, Key: conn.System + "/signal", Time: now, Event: s}
}

// probed is what an error of a probe means.
func probed(err error) (result string, status int, text string) {
	if err == nil {
		return event.ProbeOK, 200, "our own read-only credential works"
	}
	if e, ok := errors.AsType[*crm.Error](err); ok {
		status = e.Status
	}
	switch crm.KindOf(err) {
	case crm.KindAuth, crm.KindScope:
		result = event.ProbeAuth
	case crm.KindLimit:
		result = event.ProbeLimit
	case crm.KindNetwork:
		result = event.ProbeNetwork
	default:
		result = event.ProbeOutage
	}
	return result, status, "our own read-only credential: " + err.Error()
}

// missed tells that a comparison did not happen in time.
func (r *Role) missed(ctx context.Context, s *subject, last, now event.Time, every time.Duration, why string) {
	text := "the comparison of " + s.Object.Name + " is overdue: every " + every.String() + " is planned"
	if why != "" {
		text += "; " + why
	}
	sig := &event.Signal{
		ID: event.Hash("missed_run", s.Integration.ID, s.Object.Name, strconv.FormatInt(int64(last), 10)), Kind: event.SignalMissedRun,
		Sender: "reconcile", Tenant: s.Integration.Tenant, Integration: s.Integration.ID, Object: s.Object.Name,
		StartedAt: max(last, 1), ReceivedAt: now, Summary: text,
	}
	err := r.o.Producer.Produce(ctx, bus.Message{Topic: topic.Intake, Key: s.Integration.ID + "/signal", Time: now, Event: sig})
	if err != nil && ctx.Err() == nil {
		r.log.Warn("cannot tell of a missed comparison", zap.Error(err))
	}
}
