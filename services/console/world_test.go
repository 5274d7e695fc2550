package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// The console's clock stands half a minute after noon: windows end at noon.
var (
	noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	now  = noon.Add(30 * time.Second)
)

func ago(d time.Duration) event.Time { return event.At(noon.Add(-d)) }

func clockAt(t time.Time) func() time.Time { return func() time.Time { return t } }

// world is a database with integrations, and rows that wait to be stored.
type world struct {
	t    testing.TB
	db   *warehouse.DB
	list []config.Integration
	rows map[string][]event.Event
	n    int
}

func integration(id string, change ...func(*config.Integration)) config.Integration {
	c := config.Integration{
		ID: id, Tenant: "default", Mode: config.Realtime, Attempts: config.AttemptsFull, Priority: "P1",
		Source:  config.Endpoint{System: "hubspot", Hook: "hubspot-main"},
		Target:  config.Endpoint{System: "salesforce"},
		Objects: []config.Object{{Name: "contact"}},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func newWorld(t testing.TB, list ...config.Integration) *world {
	db := warehousetest.New(t)
	require.NoError(t, db.WriteIntegrations(t.Context(), list))
	return &world{t: t, db: db, list: list, rows: map[string][]event.Event{}}
}

// attempts adds n attempts of as many records.
func (w *world) attempts(id string, n int, at event.Time, outcome string) {
	for range n {
		w.n++
		w.rows["attempts"] = append(w.rows["attempts"], &event.Attempt{
			ID: fmt.Sprint("a", w.n), Tenant: "default", Integration: id, Object: "contact", Operation: event.OpUpdate, Outcome: outcome,
			RecordKey: fmt.Sprint(id, "/contact/", w.n), OccurredAt: at, ReceivedAt: at, Sender: "sync-worker", System: "salesforce",
		})
	}
}

// deliveries adds n that changed at a time and were due five minutes later.
func (w *world) deliveries(id string, n int, changed event.Time, state string, took time.Duration, change ...func(*event.Delivery)) {
	for range n {
		w.n++
		d := &event.Delivery{
			ID: fmt.Sprint("d", w.n), Tenant: "default", Integration: id, Object: "contact", RecordKey: fmt.Sprint(id, "/contact/", 40000+w.n),
			State: state, ChangedAt: changed, ReceivedAt: changed + 400, DueAt: changed + 5*event.Minute, UpdatedAt: changed + 6*event.Minute,
			StartBasis: event.TimeEvent, Attempts: 1, Version: 1,
		}
		if state != event.StateObserved && state != event.StateStalled {
			d.AcknowledgedAt = changed + 2*event.Second
		}
		if state == event.StateApplied {
			d.AppliedAt = changed + event.Time(took.Milliseconds())
			d.LatencyMS, d.LatencyBasis = took.Milliseconds(), event.BasisAppliedEvent
		}
		for _, f := range change {
			f(d)
		}
		w.rows["deliveries"] = append(w.rows["deliveries"], d)
	}
}

func (w *world) failure(id, class string, at event.Time, change ...func(*event.Failure)) {
	w.n++
	f := &event.Failure{
		ID: fmt.Sprint("f", w.n), Tenant: "default", Integration: id, RecordKey: fmt.Sprint(id, "/contact/", w.n), Provider: "salesforce",
		Object: "contact", Operation: event.OpUpdate, OccurredAt: at, ReceivedAt: at, Origin: event.OriginError, Status: 400, Version: 1,
		Verdict: event.Verdict{
			Class: class, Recoverability: event.Permanent, Attribution: event.ByCustomer, Confidence: .9, Rule: "r",
			Evidence: "the vendor's code says so", Fingerprint: class, FirstStep: "do the step of " + class, Version: "1",
		},
	}
	for _, c := range change {
		c(f)
	}
	w.rows["failures"] = append(w.rows["failures"], f)
}

func (w *world) change(id string, at event.Time) {
	w.n++
	w.rows["changes"] = append(w.rows["changes"], &event.Change{
		ID: fmt.Sprint("c", w.n), Tenant: "default", Integration: id, Side: "source", System: "hubspot", Object: "contact",
		RecordID: fmt.Sprint(w.n), Operation: event.OpUpdate, ChangedAt: at, ReceivedAt: at, Hook: "hubspot-main",
	})
}

// compared is a whole comparison of all records an hour ago, of the object and
// one field, all equal.
func (w *world) compared(id string, records int64) {
	for _, field := range []string{"", "stage"} {
		w.n++
		w.rows["reconciliations"] = append(w.rows["reconciliations"], &event.Reconciliation{
			ID: fmt.Sprint("r", w.n), Tenant: "default", Integration: id, Object: "contact", Field: field, Run: "run-1", State: event.RunComplete,
			Critical: true, ScheduleMS: event.Day, StartedAt: ago(time.Hour), EndedAt: ago(time.Hour), SourceRecords: records, TargetRecords: records,
			Compared: records, Equal: records, Share: 1, ComparedThrough: ago(time.Hour), EqualThrough: ago(time.Hour), UpdatedAt: ago(time.Hour), Version: 1,
		})
	}
}

func (w *world) store() {
	w.t.Helper()
	now := event.At(noon) + event.Time(w.n) // additions of another store are others
	maps.Copy(w.rows, warehousetest.Minutes(now, w.list, w.rows["attempts"], w.rows["failures"], w.rows["deliveries"]))
	for table, events := range w.rows {
		months := map[int][]event.Event{}
		for _, ev := range events {
			m := warehouse.FindTable(table).Month(ev)
			months[m] = append(months[m], ev)
		}
		for m, list := range months {
			name := fmt.Sprint(table, m, w.n)
			b := warehouse.Block{Table: warehouse.FindTable(table), QueryID: "q-" + name, Token: name}
			for i, ev := range list {
				b.Rows = append(b.Rows, warehouse.Row{Topic: "t", Epoch: "e", Offset: int64(i), Event: ev})
			}
			require.NoError(w.t, w.db.Insert(w.t.Context(), b))
		}
	}
	w.rows = map[string][]event.Event{}
}

// believable is a day of three integrations: one fails, one is fine, one is
// too young to judge.
func believable(t testing.TB) *world {
	w := newWorld(t, integration("hubspot-salesforce"), integration("billing-crm", func(c *config.Integration) {
		c.Source, c.Target, c.Priority = config.Endpoint{System: "stripe"}, config.Endpoint{System: "hubspot", Hook: "hubspot-main"}, "P2"
	}), integration("events-attio", func(c *config.Integration) { c.Source.System, c.Target.System = "intercom", "attio" }))
	for m := 0; m < 24*60; m += 15 {
		at := time.Duration(m)*time.Minute + 6*time.Minute
		wave := time.Duration(1200+m%420*4) * time.Millisecond
		w.attempts("hubspot-salesforce", 12, ago(at), event.OutcomeOK)
		w.deliveries("hubspot-salesforce", 10, ago(at), event.StateApplied, 2*wave)
		w.attempts("billing-crm", 6, ago(at), event.OutcomeOK)
		w.deliveries("billing-crm", 5, ago(at), event.StateApplied, wave)
	}
	for d := 2; d < 9; d++ { // what is usual
		w.deliveries("hubspot-salesforce", 4, ago(time.Duration(d)*24*time.Hour), event.StateApplied, 2*time.Second)
		w.deliveries("billing-crm", 4, ago(time.Duration(d)*24*time.Hour), event.StateApplied, time.Second)
	}
	for i := range 47 {
		at := ago(time.Duration(30+i*3) * time.Minute)
		w.attempts("hubspot-salesforce", 1, at, event.OutcomeError)
		w.failure("hubspot-salesforce", []string{"schema", "schema", "rate_limit", "schema", "auth"}[i%5], at, vendorWords(i))
	}
	w.deliveries("hubspot-salesforce", 6, ago(50*time.Minute), event.StateNotApplied, 0)
	w.deliveries("hubspot-salesforce", 1, ago(3*time.Hour), event.StateNotApplied, 0, func(d *event.Delivery) { d.Coerced = true })
	w.deliveries("hubspot-salesforce", 19, ago(42*time.Minute), event.StateStalled, 0)
	w.attempts("events-attio", 3, ago(20*time.Minute), event.OutcomeOK)
	for i := range 60 {
		w.change("hubspot-salesforce", ago(time.Duration(i*4)*time.Second))
		w.change("events-attio", ago(90*time.Minute+time.Duration(i)*time.Second*9))
	}
	w.store()
	return w
}

func vendorWords(i int) func(*event.Failure) {
	return func(f *event.Failure) {
		switch f.Verdict.Class {
		case "schema":
			f.Code, f.Message = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Lifecycle stage: bad value for restricted picklist field: Evangelist (<b>Lifecycle__c</b>)"
			f.Verdict.FirstStep = "compare the picklist map with Salesforce's current values and add the missing option"
		case "rate_limit":
			f.Status, f.Code, f.Message = 403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."
			f.Verdict.Recoverability, f.Verdict.FirstStep = event.Temporary, "back off and batch; the daily allocation ends at midnight Pacific"
		case "auth":
			f.Status, f.Code, f.Message = 401, "INVALID_SESSION_ID", "Session expired or invalid"
			f.Verdict.Attribution, f.Verdict.FirstStep = event.ByUnknown, "let the worker refresh and retry once; if the refresh fails too, reconnect"
		}
		if i%7 == 0 {
			f.Verdict.FirstStep = "open the sample: the message is the plug-in's; show it to its owner"
		}
	}
}

// start runs a console over a warehouse; it stops with the test.
func start(t testing.TB, o console.Options) string {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Now == nil {
		o.Now = clockAt(now)
	}
	o.Registerer = prometheus.NewPedanticRegistry()
	s, err := console.New(o)
	require.NoError(t, err)
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, s.Stop(context.Background()), "the test's context is done by now")
		require.NoError(t, s.Stop(context.Background()), "twice is as good")
	})
	return "http://" + s.Addr()
}

func (w *world) start() string {
	w.t.Helper()
	w.store()
	return start(w.t, console.Options{Warehouse: w.db, Integrations: w.list})
}

func get(t testing.TB, url string) (int, http.Header, string) {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, r.Header, string(b)
}

func getJSON(t testing.TB, url string, code int) map[string]any {
	t.Helper()
	got, h, body := get(t, url)
	require.Equal(t, code, got, body)
	require.Equal(t, "application/json; charset=utf-8", h.Get("Content-Type"))
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	return v
}

// node is a parsed page that can be asked by id and class.
type node struct {
	t testing.TB
	*html.Node
}

func pageOf(t testing.TB, url string) node {
	t.Helper()
	code, h, body := get(t, url)
	require.Equal(t, http.StatusOK, code, body)
	require.Equal(t, "text/html; charset=utf-8", h.Get("Content-Type"))
	n, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	return node{t, n}
}

// eventually asks for the page until it is as wanted: one that a busy machine
// cannot read in time is shown with older numbers first.
func eventually(t testing.TB, url string, wanted func(node) bool) node {
	t.Helper()
	var p node
	require.Eventually(t, func() bool { p = pageOf(t, url); return wanted(p) }, time.Minute, 20*time.Millisecond)
	return p
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// all returns the elements that match: #id, .class or a tag.
func (n node) all(what string) (out []node) {
	for d := range n.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		ok := d.Data == what
		switch what[0] {
		case '#':
			ok = attribute(d, "id") == what[1:]
		case '.':
			ok = strings.Contains(" "+attribute(d, "class")+" ", " "+what[1:]+" ")
		}
		if ok {
			out = append(out, node{n.t, d})
		}
	}
	return out
}

// status is the word that colours an element.
func (n node) status() string {
	for _, s := range []string{"breach", "warning", "unknown", "ok"} {
		if strings.Contains(" "+attribute(n.Node, "class")+" ", " "+s+" ") {
			return s
		}
	}
	return ""
}

func (n node) one(what string) node {
	n.t.Helper()
	all := n.all(what)
	require.Len(n.t, all, 1, "%s on %s", what, n.text())
	return all[0]
}

// text is what a person reads, spaces made one.
func (n node) text() string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
