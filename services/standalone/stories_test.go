package standalone

import (
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/browsertest"
)

var stories = flag.Bool("stories", false, "walk the console's stories in a real Chromium, with the whole product behind")

// story is a trouble as a sync worker meets it, and what the console has to
// say about it.
type story struct {
	name, code, message string
	status              int
	class, step         string
}

var troubles = []story{
	{"an auth token expired", "INVALID_SESSION_ID", "Session expired or invalid", 401, "auth", ""},
	{"the vendor is down", "", "Service Unavailable", 503, "vendor outage", "old"},
	{"a picklist value was removed", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Lifecycle stage: bad value for restricted picklist field: Evangelist", 400, "schema", "ompare"},
}

func requireStories(t *testing.T) {
	if !*stories {
		t.Skip("these run for minutes: make stories asks for them")
	}
	browsertest.Need(t)
}

// From the first failure to the closed incident, by clicks alone: each goes
// through ingest, the log and the stages before the page shows it.
func TestStoriesOfAnIncident(t *testing.T) {
	requireStories(t)
	for _, s := range troubles {
		t.Run(s.name, func(t *testing.T) {
			a, c := startApp(t, Options{})
			base := "http://" + a.Addrs.Console
			c.trouble(s, 12)
			b := browsertest.Open(t, 1280, 900)
			b.Go(base, "#live")
			b.Until("#incidents a[href^='/incident?']", "")
			b.Click("#incidents a[href^='/incident?']")
			b.Until("#s-incident", s.class)
			b.Until("#steps", s.step)
			b.Until("#s-failures", s.message[:12])
			b.Type("#act input[name=by]", "anna")
			b.Click("#act button[value=acknowledge]")
			b.Until(".said", "Noted")
			b.Until("#s-incident", "anna")
			b.Until("#done", "acknowledge")
			b.Type("#steps input[name=by]", "anna")
			b.Click("#steps button[value=worked]")
			b.Until("#steps .done", "worked")
			b.Type("#act form:nth-of-type(3) input[name=by]", "anna")
			b.Type("#act form:nth-of-type(3) input[name=reason]", "reconnected and checked")
			b.Click("#act button[value=resolve]")
			b.Until("#verdict", "resolved")
			b.Fine(base)
			c.eventually("resolved\tanna", "SELECT state, resolved_by FROM incidents LIMIT 1")
		})
	}
}

// trouble reports failures of as many records.
func (c client) trouble(s story, n int) {
	c.t.Helper()
	var list []map[string]any
	for i := range n {
		list = append(list, map[string]any{
			"id": fmt.Sprint("fail-", i), "integration": "hubspot-salesforce", "occurred_at": time.Now().Add(-time.Duration(n-i) * time.Second).Format(time.RFC3339Nano),
			"system": "salesforce", "object": "contact", "operation": "update", "source_id": fmt.Sprint(100 + i), "target_id": fmt.Sprint("003A", i),
			"status": s.status, "code": s.code, "message": s.message,
		})
	}
	code, answer := c.send(c.t.Context(), "attempts", list)
	require.Equal(c.t, http.StatusAccepted, code, answer)
}

// An agent runs away, is stopped, looked at, and let go on by an admin.
func TestStoriesOfAnAgent(t *testing.T) {
	requireStories(t)
	cfg := testConfig(t)
	cfg.Agents = []config.Agent{{ID: "enricher", Limits: config.AgentLimits{Burst: 20, Repeats: -1}}}
	a, c := startApp(t, Options{Config: cfg})
	base := "http://" + a.Addrs.Console
	var list []map[string]any
	for i := range 60 {
		list = append(list, map[string]any{
			"id": fmt.Sprint("write-", i), "integration": "hubspot-salesforce", "system": "hubspot", "object": "contact", "record_id": fmt.Sprint(i % 5),
			"operation": "update", "changed_at": time.Now().Format(time.RFC3339Nano), "fields": map[string]any{"lifecyclestage": fmt.Sprint("stage", i)},
			"actor": map[string]any{"kind": "agent", "id": "enricher"},
		})
	}
	code, answer := c.send(t.Context(), "changes", list)
	require.Equal(t, http.StatusAccepted, code, answer)
	b := browsertest.Open(t, 1280, 900)
	b.Go(base, "#live")
	b.Until("#machines", "enricher")
	b.Click("#machines a[href^='/agent?']")
	b.Until("#verdict", "enricher is stopped")
	b.Type("#act input[name=by]", "anna")
	b.Click("#act button[value=reset]")
	b.Until(".said", "Noted")
	b.Until("#s-agents", "anna")
	b.Fine(base)
	c.eventually("ok\tanna", "SELECT state, reset_by FROM agent_states WHERE agent = 'enricher'")
}

// The first day: nothing is connected, and the page is a list of what to do;
// a refused request says why, a right one turns the list into numbers.
func TestStoriesOfTheFirstDay(t *testing.T) {
	requireStories(t)
	a, c := startApp(t, Options{})
	base := "http://" + a.Addrs.Console
	b := browsertest.Open(t, 390, 844)
	b.Go(base, "#live")
	b.Until("#verdict", "Nothing has arrived yet")
	b.Until("#setup", "/hooks/hubspot-main")
	code, _ := c.hook("/hooks/hubspot-main", "another secret", []byte(`[]`))
	require.Equal(t, http.StatusUnauthorized, code)
	b.Go(base+"/setup", "#live")
	b.Until("#hook-hubspot-main", "signed with a secret that is not configured")
	b.Until("#snippets", "TEST_SENDER_TOKEN")
	c.trouble(troubles[2], 1)
	b.Go(base, "#live")
	b.Until("#classes", "Schema")
	b.Go(base+"/try?"+url.Values{"system": {"salesforce"}, "status": {"401"}, "code": {"INVALID_SESSION_ID"}}.Encode(), "#result")
	b.Until("#result", "Authentication")
	b.Fine(base)
}
