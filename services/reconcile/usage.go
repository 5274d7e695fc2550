package reconcile

import (
	"context"
	"strconv"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// usageEvery is how often an account's own counter is told: a forecast needs
// no more, and a history of two weeks stays small.
const usageEvery = 10 * time.Minute

// usage tells what the account itself counts of calls, and how many of them
// were ours: the rest is the sync's, other people's, or a thief's.
func (r *Role) usage(ctx context.Context, a *account) error {
	now := r.o.Clock.Now()
	if now.Sub(a.told) < usageEvery {
		return nil
	}
	used, daily, ok := a.budget.Used()
	if !ok {
		return nil // this account does not say
	}
	a.told = now
	at := event.At(now)
	number := func(name string, n int64) event.Field {
		return event.Field{Name: name, Value: event.Value{Kind: event.KindNumber, Text: strconv.FormatInt(n, 10)}}
	}
	s := &event.Signal{
		ID: event.Hash("api_usage", a.conn.ID, strconv.FormatInt(int64(at), 10)), Kind: event.SignalUsage, Sender: "reconcile",
		System: a.conn.System, StartedAt: at, EndedAt: at, ReceivedAt: at,
		Summary: strconv.FormatInt(used, 10) + " of " + strconv.FormatInt(daily, 10) + " calls are used",
		Detail:  []event.Field{number("max", daily), number("own", a.budget.Calls()), number("used", used)},
	}
	return r.o.Producer.Produce(ctx, bus.Message{Topic: topic.Intake, Key: a.conn.System + "/signal", Time: at, Event: s})
}
