package rehearse

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/revert"
	"plumbline.dev/services/simulate"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/standalone"
)

// An agent writes one value into every contact while people and another agent
// go on working. The plan that Plumbline makes of it, carried out through the
// CRM's own API, leaves the CRM as it would be if that agent had never been:
// the same seed played without it says how that is.
func TestPlanOfARunawayAgentRestoresTheWorld(t *testing.T) {
	scene, err := scenario.Load("../../../scenarios/agent_one_value.yaml")
	require.NoError(t, err)
	scene.Population, scene.Length = 60, config.Duration(6*time.Minute)
	scene.Faults[0].At, scene.Faults[0].For = config.Duration(2*time.Minute), config.Duration(90*time.Second)
	s := &stage{o: Options{Scenario: scene, Speed: 120, Dir: t.TempDir()}, truth: filepath.Join(t.TempDir(), "truth.ndjson")}
	t.Cleanup(func() { require.NoError(t, s.close()) })
	apis := s.setUp(t)
	db, err := warehouse.Open(warehouse.Options{DSN: "http://" + s.app.Addrs.ClickHouse + "/plumbline"})
	require.NoError(t, err)
	defer db.Close()

	real := "http://" + apis[0].hubspot.Addr().String()
	bare := *scene
	bare.Faults = nil
	without, damaged := contacts(t, untouched(t, &bare)), contacts(t, real)
	agent := agentOf(t, db)
	steps := planOf(t, s, db, revert.Query{Agent: agent})
	later, spoilt := editedSince(t, db, agent), 0
	for _, c := range damaged {
		if c["city"] == scene.Faults[0].Kind().Value {
			spoilt++
		}
	}
	require.Greater(t, spoilt, 20, "the agent did harm")
	require.Greater(t, len(later), 5, "others went on working")

	apply(t, real, steps)
	for id, c := range contacts(t, real) {
		require.NotEqual(t, scene.Faults[0].Kind().Value, c["city"], "%s still has what the agent wrote", id)
		if later[id] { // what they chose depends on what they saw: not as it would be, but theirs
			require.Equal(t, damaged[id], c)
		} else {
			require.Equal(t, without[id], c)
		}
	}
}

// setUp plays the scenario and keeps the product and the fakes running.
func (s *stage) setUp(t *testing.T) []api {
	apis, err := s.listen(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.configure(apis))
	clock := pace.NewGated(s.o.Speed, ahead)
	s.app, err = standalone.Start(t.Context(), s.options(clock))
	require.NoError(t, err)
	s.stops = append(s.stops, s.app.Stop)
	defer s.follow(t.Context(), clock)()
	require.NoError(t, s.simulate(t.Context(), clock, apis))
	require.NoError(t, s.score(t.Context(), clock))
	return apis
}

// untouched serves the CRM of a run that nobody listened to.
func untouched(t *testing.T, scene *scenario.Scenario) string {
	sim, err := simulate.New(simulate.Options{Scenario: scene})
	require.NoError(t, err)
	require.NoError(t, sim.Run(t.Context()))
	server := httptest.NewServer(sim.HubSpot())
	t.Cleanup(server.Close)
	return server.URL
}

// contacts are the fields that people and agents write, by record.
func contacts(t *testing.T, base string) map[string]map[string]string {
	fields := []string{"firstname", "lastname", "email", "phone", "city", "jobtitle", "lifecyclestage"}
	out := map[string]map[string]string{}
	for after := ""; ; {
		url := base + "/crm/v3/objects/contacts?limit=100&after=" + after
		for _, f := range fields {
			url += "&properties=" + f
		}
		var page struct {
			Results []struct {
				ID         string            `json:"id"`
				Properties map[string]string `json:"properties"`
			} `json:"results"`
			Paging struct {
				Next struct {
					After string `json:"after"`
				} `json:"next"`
			} `json:"paging"`
		}
		call(t, http.MethodGet, url, simulate.HubSpotToken, nil, &page)
		for _, r := range page.Results {
			kept := map[string]string{}
			for _, f := range fields {
				kept[f] = r.Properties[f]
			}
			out[r.ID] = kept
		}
		if after = page.Paging.Next.After; after == "" {
			require.NotEmpty(t, out)
			return out
		}
	}
}

// agentOf is the agent that wrote the most in the minutes of the fault.
func agentOf(t *testing.T, db *warehouse.DB) (agent string) {
	const sql = "SELECT actor_id FROM changes WHERE actor_kind = 'agent' AND has(mapValues(fields), 'Unknown') GROUP BY 1 ORDER BY count() DESC LIMIT 1"
	require.NoError(t, db.Each(t.Context(), sql, func(scan warehouse.Scan) error { return scan(&agent) }))
	return agent
}

// editedSince are the contacts whose city others wrote after the agent.
func editedSince(t *testing.T, db *warehouse.DB, agent string) map[string]bool {
	out := map[string]bool{}
	sql := `SELECT record_id FROM changes WHERE object = 'contact' AND system = 'hubspot' AND mapContains(fields, 'city')
GROUP BY record_id HAVING argMax(actor_id, changed_at) != '` + agent + `' AND has(groupArray(actor_id), '` + agent + `')`
	require.NoError(t, db.Each(t.Context(), sql, func(scan warehouse.Scan) error {
		var id string
		err := scan(&id)
		out[id] = true
		return err
	}))
	return out
}

func planOf(t *testing.T, s *stage, db *warehouse.DB, q revert.Query) (steps []revert.Step) {
	policy, err := standalone.OpenPolicy(s.options(nil))
	require.NoError(t, err)
	require.NoError(t, revert.Each(t.Context(), db, policy, q, func(step revert.Step) error {
		steps = append(steps, step)
		return nil
	}))
	return steps
}

// apply carries out a plan as a customer's script would, 100 records a call.
func apply(t *testing.T, base string, steps []revert.Step) {
	type input struct {
		ID         string            `json:"id"`
		Properties map[string]string `json:"properties"`
	}
	var inputs []input
	for _, step := range steps {
		if step.Action == revert.Set {
			inputs = append(inputs, input{step.RecordID, map[string]string{step.Field: step.To}})
		}
	}
	for len(inputs) > 0 {
		n := min(100, len(inputs))
		call(t, http.MethodPost, base+"/crm/v3/objects/contacts/batch/update", simulate.HubSpotToken, map[string]any{"inputs": inputs[:n]}, nil)
		inputs = inputs[n:]
	}
}

func call(t *testing.T, method, url, token string, in, out any) {
	body, err := json.Marshal(in)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Less(t, res.StatusCode, http.StatusMultiStatus, "%s %s: %s", method, url, answer)
	if out != nil {
		require.NoError(t, json.Unmarshal(answer, out))
	}
}
