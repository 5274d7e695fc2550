package rehearse

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/resync"
	"plumbline.dev/services/simulate"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/standalone"
)

// repaired is a world in which little happens: a field of companies is renamed,
// and long after the next look at the schema an agent begins to write it; before, a
// trigger in the target cut short what another agent wrote into contacts.
const repaired = `
length: 5m
population: 60
seed: 3
traffic: { rate: 0.01 }
faults:
  - { fault: field_renamed, at: 20s, object: company, field: city }
  - { fault: coerced, at: 20s, for: 50s, share: 1 }
  - { fault: agent_one_value, at: 20s, for: 40s, rate: 1, object: contact, field: city, value: Nowhereville }
  - { fault: agent_one_value, at: 250s, for: 20s, rate: 0.5, object: company, field: city, value: Nowhere }
`

// A change of schema that will break writes is an alert before the first write
// fails by it; and a plan to write again what differs, carried out through the
// vendors' own APIs, brings the affected set, in the calls it said, to equal.
// All of it through the whole product.
func TestBreaksAreToldAheadAndPlansRepair(t *testing.T) {
	scene, err := scenario.Parse("repaired.yaml", []byte(repaired))
	require.NoError(t, err)
	s := &stage{o: Options{Scenario: scene, Speed: 120, Dir: t.TempDir()}, truth: filepath.Join(t.TempDir(), "truth.ndjson")}
	t.Cleanup(func() { require.NoError(t, s.close()) })
	apis, err := s.listen(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.configure(apis))
	s.cfg.Integrations[0].Deadline = config.Duration(time.Minute)
	clock := pace.NewGated(s.o.Speed, ahead)
	o := s.options(clock)
	o.SchemaEvery = time.Minute
	s.app, err = standalone.Start(t.Context(), o)
	require.NoError(t, err)
	s.stops = append(s.stops, s.app.Stop)
	defer s.follow(t.Context(), clock)()
	played := make(chan error, 1)
	go func() { played <- s.simulate(t.Context(), clock, apis) }()
	db, err := warehouse.Open(warehouse.Options{DSN: "http://" + s.app.Addrs.ClickHouse + "/plumbline"})
	require.NoError(t, err)
	defer db.Close()

	in := s.cfg.Integrations[0]
	count := func(sql string) (n uint64) {
		require.NoError(t, db.Each(t.Context(), sql, func(scan warehouse.Scan) error { return scan(&n) }))
		return n
	}
	require.Eventually(t, func() bool { // the deadline of the agent's last write has passed, and what differs was confirmed
		sent := count("SELECT uniqExact(record_id) FROM changes WHERE actor_kind = 'agent' AND object = 'contact' AND system = 'hubspot'")
		found := count("SELECT uniqExact(record_key) FROM divergences WHERE object = 'contact' AND field = 'city' AND state = 'confirmed'")
		t.Logf("%s: %d written, %d found", clock.Now().Format(time.TimeOnly), sent, found)
		return sent > 20 && found >= sent-2
	}, 4*time.Minute, time.Second, "what the trigger cut short is not found")

	var plan []resync.Batch
	var cost resync.Cost
	systems := resync.Systems{Source: in.Source.System, Target: in.Target.System}
	require.NoError(t, resync.Each(t.Context(), db, systems, resync.Query{Integration: in.ID, Object: "contact", Field: "city"}, func(b resync.Batch) error {
		plan = append(plan, b)
		cost.Add(&b)
		return nil
	}))
	require.Greater(t, cost.Records, 20)
	w := syncWorker{t: t, hubspot: "http://" + apis[0].hubspot.Addr().String(), force: "http://" + apis[0].salesforce.Addr().String()}
	since := s.app.StreamTime()
	w.work(plan, in.Objects[0].Fields)
	require.InEpsilon(t, cost.Calls["hubspot"]+cost.Calls["salesforce"], w.calls, 0.1)
	var proof resync.Proof
	require.Eventually(t, func() bool {
		proof, err = resync.Verify(t.Context(), db, plan, since)
		t.Logf("%s: %d of %d verified, %d differ", clock.Now().Format(time.TimeOnly), proof.Verified, proof.Records, proof.Differ)
		return err == nil && proof.Done()
	}, 4*time.Minute, time.Second, "%+v", &proof)

	require.NoError(t, <-played)
	const firstFailed = "SELECT toInt64(min(toUnixTimestamp64Milli(occurred_at))) FROM attempts WHERE object = 'company' AND outcome = 'error'"
	var failed, told int64
	scan := func(into *int64) func(warehouse.Scan) error {
		return func(scan warehouse.Scan) error { return scan(into) }
	}
	require.Eventually(t, func() bool {
		require.NoError(t, db.Each(t.Context(), firstFailed, scan(&failed)))
		return failed > 0
	}, time.Minute, 200*time.Millisecond, "the agent's writes of the renamed field did not fail")
	require.NoError(t, db.Each(t.Context(), `SELECT toInt64(min(toUnixTimestamp64Milli(observed_at))) FROM alerts
WHERE rule = 'schema.breaking' AND status = 'firing' AND positionCaseInsensitive(concat(subject, summary), 'city') > 0`, scan(&told)))
	require.NotZero(t, told, "no alert")
	require.Less(t, told, failed, "the alert came after the first write had failed")
}

// syncWorker carries a plan out as a sync's would: a read and a write a batch.
type syncWorker struct {
	t              *testing.T
	hubspot, force string
	calls          int64
}

func (w *syncWorker) work(plan []resync.Batch, fields []config.FieldMap) {
	session := w.session()
	for _, b := range plan {
		var ids []map[string]string
		copies, names := map[string]resync.Record{}, map[string]bool{}
		for _, r := range b.Records {
			ids = append(ids, map[string]string{"id": r.SourceID})
			copies[r.SourceID] = r
			for _, f := range r.Fields {
				names[f] = true
			}
		}
		var properties []string
		for f := range names {
			properties = append(properties, f)
		}
		var read struct {
			Results []struct {
				ID         string            `json:"id"`
				Properties map[string]string `json:"properties"`
			} `json:"results"`
		}
		w.call(http.MethodPost, w.hubspot+"/crm/v3/objects/contacts/batch/read", simulate.HubSpotToken, map[string]any{"inputs": ids, "properties": properties}, &read)
		var records []map[string]any
		for _, x := range read.Results {
			to := map[string]any{"attributes": map[string]string{"type": "Contact"}, "id": copies[x.ID].TargetID}
			for _, f := range fields {
				if v := x.Properties[f.Source]; names[f.Source] {
					if word, ok := f.Map[v]; ok {
						v = word
					}
					to[f.Target] = v
				}
			}
			records = append(records, to)
		}
		var wrote []struct {
			Success bool `json:"success"`
		}
		w.call(http.MethodPatch, w.force+"/services/data/v66.0/composite/sobjects", session, map[string]any{"allOrNone": false, "records": records}, &wrote)
		for _, x := range wrote {
			require.True(w.t, x.Success)
		}
	}
}

func (w *syncWorker) call(method, url, token string, in, out any) {
	w.t.Helper()
	w.calls++
	call(w.t, method, url, token, in, out)
}

func (w *syncWorker) session() string {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {simulate.SalesforceClientID}, "client_secret": {simulate.SalesforceSecret}}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.force+"/services/oauth2/token", strings.NewReader(form.Encode()))
	require.NoError(w.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer res.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&answer))
	return answer.Token
}
