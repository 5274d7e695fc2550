package resync

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/pipelines/ledger"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/hubspot"
	"plumbline.dev/services/simulate/salesforce"
)

func TestMain(m *testing.M) {
	code := warehousetest.Main(m)
	if code == 0 {
		if err := goleak.Find(goleak.IgnoreTopFunction("github.com/ClickHouse/clickhouse-go/v2.(*clickhouse).startAutoCloseIdleConnections")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

var (
	began    = time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	ends     = Systems{Source: "hubspot", Target: "salesforce"}
	mappings = []config.FieldMap{{Source: "city", Target: "MailingCity", Compare: "text"}, {Source: "jobtitle", Target: "Title", Compare: "text"}}
)

// world is two fake CRMs, a ledger that is shown what they hold, and its rows.
type world struct {
	sync.Mutex
	t              *testing.T
	source, target *crm.Table
	hubspot, force *httptest.Server
	calls          int64 // that the worker makes
	db             *warehouse.DB
	ledger         stream.Operator
	at             event.Time
	offset         int64
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, db: warehousetest.New(t), at: event.At(began)}
	w.source = crm.NewTable("contact", []crm.Field{{Name: "city"}, {Name: "jobtitle"}}, crm.HubSpotID(1000))
	w.target = crm.NewTable("Contact", []crm.Field{{Name: "MailingCity"}, {Name: "Title"}}, crm.SalesforceID("003"))
	now := func() int64 { return int64(w.at) }
	hs := hubspot.New(hubspot.Options{Lock: w, Tables: []*crm.Table{w.source}, Portal: "1", Token: "token", Now: now, Limit: 1e6, Daily: 250_000})
	sf := salesforce.New(salesforce.Options{
		Lock: w, Tables: []*crm.Table{w.target}, Org: &crm.Salesforce{Tables: map[string]*crm.Table{"Contact": w.target}},
		OrgID: "00D5f000001abcDEAQ", ClientID: "id", Secret: "secret", UserID: "005SYNC", Now: now, Daily: 100_000,
	})
	w.hubspot, w.force = httptest.NewServer(hs), httptest.NewServer(sf)
	t.Cleanup(func() {
		w.hubspot.Close()
		w.force.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	in := config.Integration{
		ID: "hs-sf", Tenant: "default", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "salesforce", SyncUser: "005SYNC"},
		Objects: []config.Object{{Name: "contact", Source: "contact", Target: config.List[string]{"Contact"}, Fields: mappings}},
	}
	w.ledger = ledger.New([]config.Integration{in}, nil)
	return w
}

// pair makes a record and its copy, which holds another city if wrong.
func (w *world) pair(n int, wrong bool) {
	s := w.source.Insert(map[string]string{"city": fmt.Sprint("city ", n), "jobtitle": "Engineer"}, "", "", int64(w.at))
	city := s.Values["city"]
	if wrong {
		city = "elsewhere"
	}
	w.target.Insert(map[string]string{"MailingCity": city, "Title": "Engineer"}, s.ID, "005SYNC", int64(w.at))
}

// compare shows the ledger both sides of every record, as a comparison does,
// and stores what it makes of them.
func (w *world) compare() {
	w.at += event.Hour
	var rows []warehouse.Row
	show := func(side, system, object string, r *crm.Row, key, external string) {
		w.offset++
		b := &event.Observation{
			ID: fmt.Sprint("o", w.offset), Tenant: "default", Integration: "hs-sf", Side: side, RecordKey: key, System: system, Object: object, RecordID: r.ID,
			ObservedAt: w.at, ReceivedAt: w.at, ModifiedAt: event.Time(r.Modified), FoundBy: event.FoundByReconcile, Whole: true, ExternalID: external,
		}
		for _, f := range mappings {
			name := map[string]string{event.Source: f.Source, event.Target: f.Target}[side]
			b.Fields = append(b.Fields, event.Field{Name: name, Value: event.Value{Text: r.Values[name]}})
		}
		var out stream.Out
		w.ledger.Step(stream.Ctx{Now: w.at, Version: uint64(w.offset)}, event.RecordKey("hs-sf", "contact", key), b, &out)
		for i, o := range out.List {
			if d, ok := o.Event.(*event.Divergence); ok {
				rows = append(rows, warehouse.Row{Topic: "t", Epoch: "e", Offset: w.offset*10 + int64(i), Event: d})
			}
		}
	}
	for i, s := range w.source.Rows {
		show(event.Source, "hubspot", "contact", s, s.ID, "")
		show(event.Target, "salesforce", "contact", w.target.Rows[i], s.ID, s.ID)
	}
	require.NoError(w.t, w.db.Insert(w.t.Context(), warehouse.Block{
		Table: warehouse.FindTable("divergences"), QueryID: fmt.Sprint(w.offset), Token: fmt.Sprint(w.offset), Rows: rows,
	}))
}

// call is one of the worker's, counted.
func (w *world) call(method, address, token string, body, into any) {
	w.t.Helper()
	b, err := json.Marshal(body)
	require.NoError(w.t, err)
	req, err := http.NewRequestWithContext(w.t.Context(), method, address, bytes.NewReader(b))
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer resp.Body.Close()
	w.calls++
	require.Less(w.t, resp.StatusCode, 300, address)
	require.NoError(w.t, json.NewDecoder(resp.Body).Decode(into))
}

func (w *world) session() string {
	resp, err := http.PostForm(w.force.URL+"/services/oauth2/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {"id"}, "client_secret": {"secret"}}) //nolint:noctx // a fake's
	require.NoError(w.t, err)
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	require.NoError(w.t, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.Token
}

// work carries a plan out as a sync's worker would: read the batch, write it.
func (w *world) work(plan []Batch) {
	session := w.session()
	for _, b := range plan {
		ids, names := []map[string]string{}, []string{"city", "jobtitle"}
		target := map[string]string{}
		for _, r := range b.Records {
			ids = append(ids, map[string]string{"id": r.SourceID})
			target[r.SourceID] = r.TargetID
		}
		var read struct {
			Results []struct {
				ID         string            `json:"id"`
				Properties map[string]string `json:"properties"`
			} `json:"results"`
		}
		w.call(http.MethodPost, w.hubspot.URL+"/crm/v3/objects/contacts/batch/read", "token", map[string]any{"inputs": ids, "properties": names}, &read)
		records := []map[string]any{}
		for _, x := range read.Results {
			records = append(records, map[string]any{
				"attributes": map[string]string{"type": "Contact"}, "id": target[x.ID], "MailingCity": x.Properties["city"], "Title": x.Properties["jobtitle"],
			})
		}
		var wrote []struct {
			Success bool `json:"success"`
		}
		w.call(http.MethodPatch, w.force.URL+"/services/data/v66.0/composite/sobjects", session, map[string]any{"allOrNone": false, "records": records}, &wrote)
		for _, x := range wrote {
			require.True(w.t, x.Success)
		}
	}
}

func (w *world) plan(q Query) (plan []Batch, cost Cost) {
	require.NoError(w.t, Each(w.t.Context(), w.db, ends, q, func(b Batch) error {
		plan = append(plan, b)
		cost.Add(&b)
		return nil
	}))
	return plan, cost
}

// A plan that a worker carries out brings the affected set, and nothing else,
// to verified, within the calls it said.
func TestPlanCarriedOutIsVerified(t *testing.T) {
	w := newWorld(t)
	for n := range 700 {
		w.pair(n, n%2 == 0)
	}
	w.compare()
	plan, cost := w.plan(Query{Integration: "hs-sf"})
	require.Equal(t, 350, cost.Records)
	require.Len(t, plan, 4)
	require.Equal(t, map[string]int64{"hubspot": 4, "salesforce": 4}, cost.Calls)
	for _, b := range plan {
		require.LessOrEqual(t, len(b.Records), 100)
		require.Equal(t, []string{"city"}, b.Records[0].Fields)
	}
	since := w.at.Std().Add(time.Minute)
	p, err := Verify(t.Context(), w.db, plan, since)
	require.NoError(t, err)
	require.Equal(t, 350, p.Unseen)
	require.False(t, p.Done())

	w.at += 10 * event.Minute
	w.work(plan)
	require.InEpsilon(t, cost.Calls["hubspot"]+cost.Calls["salesforce"], w.calls, 0.1)
	w.target.Rows[2].Values["MailingCity"] = "elsewhere again"
	w.target.Rows[2].Modified = int64(w.at)
	w.compare()
	p, err = Verify(t.Context(), w.db, plan, since)
	require.NoError(t, err)
	require.Equal(t, 349, p.Verified)
	require.Len(t, p.First, 1)

	again, _ := w.plan(Query{Integration: "hs-sf", Field: "city"})
	require.Len(t, again, 1, "what is left is planned, no more")
	w.work(again)
	w.compare()
	p, err = Verify(t.Context(), w.db, plan, since)
	require.NoError(t, err)
	require.True(t, p.Done(), "%+v", p)
}

func TestCostInWords(t *testing.T) {
	var c Cost
	for range 30 {
		c.Add(&Batch{Source: "hubspot", Target: "salesforce", Operation: Update, Records: make([]Record, 100)})
	}
	text := strings.Join(c.Lines(map[string]*Budget{
		"hubspot": {Used: 1000, Max: 1240}, "salesforce": {Used: 990, Max: 1000, Consumers: []string{"hs-sf: 900 writes a day"}},
	}, 1000), "\n")
	require.Equal(t, `3000 records in 30 batches
hubspot: 30 calls of up to 100 records, 12.5 % of the 240 left of 1240 a day
salesforce: 30 calls of up to 200 records; MORE than the 10 left of 1000 a day: it would starve hs-sf: 900 writes a day
spread over 30.0 h it takes no more than half of what is free
the runbook allows 1000 records at once: 3 rounds`, text)
	require.Zero(t, c.Hours(nil))
	require.Contains(t, strings.Join(c.Lines(nil, 0), "\n"), "not known")
}

func TestBudgetsAreTheAccountsOwn(t *testing.T) {
	db := warehousetest.New(t)
	at := event.At(began)
	number := func(name, v string) event.Field { return event.Field{Name: name, Value: event.Value{Text: v}} }
	insert := func(table string, ev ...event.Event) {
		b := warehouse.Block{Table: warehouse.FindTable(table), QueryID: table, Token: table}
		for i, e := range ev {
			b.Rows = append(b.Rows, warehouse.Row{Topic: "t", Epoch: "e", Offset: int64(i), Event: e})
		}
		require.NoError(t, db.Insert(t.Context(), b))
	}
	insert("signals", &event.Signal{
		ID: "u", Tenant: "t", Integration: "hs-sf", Kind: event.SignalUsage, System: "salesforce", StartedAt: at, ReceivedAt: at,
		Detail: []event.Field{number("max", "1000"), number("used", "400")},
	})
	insert("attempts", &event.Attempt{
		ID: "a", Tenant: "t", Integration: "hs-sf", System: "salesforce", Object: "contact", Operation: event.OpUpdate, OccurredAt: at, ReceivedAt: at, Outcome: event.OutcomeOK,
	})
	got, err := Budgets(t.Context(), db, began.Add(time.Hour), "salesforce", "hubspot")
	require.NoError(t, err)
	require.Equal(t, int64(400), got["salesforce"].Used)
	require.Equal(t, int64(1000), got["salesforce"].Max)
	require.Equal(t, []string{"hs-sf: 1 writes a day"}, got["salesforce"].Consumers)
	require.Zero(t, got["hubspot"].Max)
	_, err = Verify(t.Context(), db, nil, began)
	require.NoError(t, err)
	require.ErrorContains(t, Each(t.Context(), db, ends, Query{}, nil), "name the integration")
}
