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
// topic: in the table, one that comes back takes the row of the one before.
func openings(ctx context.Context, brokers []string) ([]evaluate.Divergence, error) {
	g, err := bus.NewGroup(bus.GroupOptions{
		Options: bus.Options{Brokers: brokers, ClientID: "evaluate"}, Group: topic.Prefix + "evaluate", Topic: topic.Divergences,
		Start: func(int32, bus.Position) int64 { return -1 }, // all of it
	})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	var out []evaluate.Divergence
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
			if d, ok := polled.Records[i].Event.(*event.Divergence); ok && d.ConfirmedAt != 0 {
				out = append(out, opening(d))
			}
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
