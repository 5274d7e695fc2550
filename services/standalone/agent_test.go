package standalone

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

var tripRounds = flag.Int("trip.rounds", 0, "how many agents more run away, to measure from the last write to the topic")

// TestRunawayAgentIsTold follows an agent from its writes to the topic that a
// gateway reads, to the alert, and back to work when a person resets it.
func TestRunawayAgentIsTold(t *testing.T) {
	a, c := startApp(t, Options{})
	write := func(agent string, batch int) {
		var changes []map[string]any
		for i := range 100 {
			changes = append(changes, map[string]any{
				"id": fmt.Sprintf("%s-%d-%d", agent, batch, i), "integration": "hubspot-salesforce", "system": "hubspot", "object": "contact",
				"record_id": fmt.Sprint(1000 + batch*100 + i), "operation": "update", "changed_at": time.Now().Format(time.RFC3339Nano),
				"fields": map[string]any{"lifecyclestage": fmt.Sprint("s", i)},
				"actor":  map[string]any{"kind": "agent", "id": agent, "run": "r1"},
			})
		}
		code, answer := c.send(t.Context(), "changes", changes)
		require.Equal(t, http.StatusAccepted, code, answer)
	}
	runAway := func(agent string) (event.AgentState, time.Duration) {
		for batch := range 4 { // 400 writes at once: over 300 a minute
			write(agent, batch)
		}
		taken := time.Now()
		return awaitAgent(t, a.Addrs.Kafka, agent), time.Since(taken)
	}
	s, _ := runAway("runaway")
	var took []time.Duration
	for i := range *tripRounds {
		_, d := runAway(fmt.Sprint("agent-", i))
		took = append(took, d)
	}
	if slices.Sort(took); len(took) > 0 {
		t.Logf("from the last write to the topic: p50 %s, p99 %s, of %d", took[len(took)/2], took[len(took)*99/100], len(took))
	}
	require.Equal(t, "burst", s.Rule)
	require.Equal(t, "runaway", s.Agent)
	require.Equal(t, "r1", s.Run)
	c.eventually("tripped", "SELECT state FROM agent_states WHERE agent = 'runaway'")
	c.eventually("firing page", "SELECT concat(status, ' ', severity) FROM alerts WHERE rule = 'agent.tripped' ORDER BY seq DESC LIMIT 1")

	code, answer := c.send(t.Context(), "clicks", map[string]any{
		"kind": "reset", "subject": s.Tenant + "/agent/runaway", "tenant": s.Tenant, "by": "ana", "at": time.Now().Format(time.RFC3339Nano),
	})
	require.Equal(t, http.StatusAccepted, code, answer)
	c.eventually("ok ana", "SELECT concat(state, ' ', reset_by) FROM agent_states WHERE agent = 'runaway'")
	c.eventually("resolved", "SELECT status FROM alerts WHERE rule = 'agent.tripped' ORDER BY seq DESC LIMIT 1")
}

// awaitAgent reads agent-states as a gateway would, from offset 0.
func awaitAgent(t *testing.T, broker, agent string) event.AgentState {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(topic.AgentStates),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	require.NoError(t, err)
	defer cl.Close()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		for _, r := range cl.PollFetches(t.Context()).Records() {
			var s event.AgentState
			require.NoError(t, json.Unmarshal(r.Value, &s))
			if s.Agent == agent && s.State == event.AgentTripped {
				return s
			}
		}
	}
	t.Fatalf("%s was not stopped", agent)
	return event.AgentState{}
}
