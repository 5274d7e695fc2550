package standalone

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// TestRunawayAgentIsTold follows an agent from its writes to the topic that a
// gateway reads, to the alert, and back to work when a person resets it.
func TestRunawayAgentIsTold(t *testing.T) {
	a, c := startApp(t, Options{})
	began := time.Now()
	write := func(batch int) {
		var changes []map[string]any
		for i := range 100 {
			changes = append(changes, map[string]any{
				"id": fmt.Sprintf("w%d-%d", batch, i), "integration": "hubspot-salesforce", "system": "hubspot", "object": "contact",
				"record_id": fmt.Sprint(1000 + batch*100 + i), "operation": "update", "changed_at": time.Now().Format(time.RFC3339Nano),
				"fields": map[string]any{"lifecyclestage": fmt.Sprint("s", i)},
				"actor":  map[string]any{"kind": "agent", "id": "runaway", "run": "r1"},
			})
		}
		code, answer := c.send(t.Context(), "changes", changes)
		require.Equal(t, http.StatusAccepted, code, answer)
	}
	for batch := range 4 { // 400 writes at once: over 300 a minute
		write(batch)
	}
	s := awaitAgent(t, a.Addrs.Kafka, event.AgentTripped)
	t.Logf("on the topic %s after the last write was taken", time.Since(began).Round(time.Millisecond))
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
func awaitAgent(t *testing.T, broker, state string) event.AgentState {
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
			if s.State == state {
				return s
			}
		}
	}
	t.Fatalf("no agent became %s", state)
	return event.AgentState{}
}
