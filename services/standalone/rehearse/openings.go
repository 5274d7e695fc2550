package rehearse

import (
	"context"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/evaluate"
	"plumbline.dev/services/internal/bus"
)

const (
	openingsWait = time.Second
	openingsIdle = 4 // waits in which nothing came
)

// openings reads every divergence that was ever confirmed from its public
// topic, with its cause: in the table, one that comes back takes the row of the
// one before.
func openings(ctx context.Context, brokers []string) ([]evaluate.Divergence, error) {
	said, err := all(ctx, brokers, topic.Verdicts)
	if err != nil {
		return nil, err
	}
	confirmed, err := all(ctx, brokers, topic.Divergences)
	if err != nil {
		return nil, err
	}
	causes, out := lastOf(said), []evaluate.Divergence(nil)
	for _, e := range confirmed {
		if d, ok := e.(*event.Divergence); ok && d.ConfirmedAt != 0 {
			row := opening(d)
			row.Cause = causes.of(d)
			out = append(out, row)
		}
	}
	return out, nil
}

// all reads a topic to its end.
func all(ctx context.Context, brokers []string, name string) (out []event.Event, err error) {
	g, err := bus.NewGroup(bus.GroupOptions{
		Options: bus.Options{Brokers: brokers, ClientID: "evaluate"}, Group: topic.Prefix + "evaluate-" + name, Topic: name,
		Start: func(int32, bus.Position) int64 { return -1 }, // all of it
	})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	for idle := 0; idle < openingsIdle && ctx.Err() == nil; {
		wait, cancel := context.WithTimeout(ctx, openingsWait)
		polled, err := g.Poll(wait, 10_000)
		cancel()
		if err != nil {
			return nil, err
		}
		idle++
		for i := range polled.Records {
			idle = 0
			out = append(out, polled.Records[i].Event)
		}
	}
	return out, ctx.Err()
}

func opening(d *event.Divergence) evaluate.Divergence {
	return evaluate.Divergence{
		ID: d.ID, Integration: d.Integration, Object: d.Object, SourceID: d.SourceID, TargetID: d.TargetID, Field: d.Field, Kind: d.Kind,
		Difference: d.Difference, State: d.State, FirstSeen: int64(d.FirstSeenAt), Confirmed: int64(d.ConfirmedAt), Resolved: int64(d.ResolvedAt),
	}
}
