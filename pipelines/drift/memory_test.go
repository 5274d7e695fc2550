package drift

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// TestFlowsAreBounded: months of changes that all arrive, by an agent that names
// a run for each, leave a week of them, however many runs.
func TestFlowsAreBounded(t *testing.T) {
	d := New(integrations())
	var out stream.Out
	most := 0
	for hour := range 60 * 24 {
		ctx := stream.Ctx{Now: morning - morning%event.Hour + event.Time(hour)*event.Hour}
		d.Step(ctx, "t", &event.Partial{
			Tenant: "t", Integration: "hs-sf", Object: "contact", Actor: event.Actor{Kind: event.ActorAgent, ID: "bot", Run: fmt.Sprint(hour)},
			Changes: []event.ChangeCount{{Field: "email", Minute: ctx.Now - ctx.Now%event.Minute, N: 1}},
		}, &out)
		d.Tick(ctx, &out)
		most = max(most, len(d.flows.Keys()))
	}
	require.LessOrEqual(t, most, 2*9, "everybody's and the agent's, of the last days")
}
