package reconcile

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/hubspot"
	"plumbline.dev/services/simulate/salesforce"
)

func TestMain(m *testing.M) {
	code := warehousetest.Main(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const worldYAML = `
connections:
  - { id: hs, system: hubspot, account: "62515", token: env:T, call_share: 1, base_url: %q, allow_private: true }
  - { id: sf, system: salesforce, account: 00D5f000001abcDEAQ, call_share: 1, base_url: %q, allow_private: true,
      auth: { flow: client_credentials, client_id: env:ID, client_secret: env:S } }
integrations:
  - id: hs-sf
    source: { system: hubspot, connection: hs, sync_user: "3849713" }
    target: { system: salesforce, connection: sf, sync_user: 005SYNC }
    objects:
      - name: contact
        target: %s
        key:
          - { source: hs_object_id, target: HubSpot_Id__c }
          - { source: email, target: Email, normalize: email }
        fields:
          - { source: email, target: Email, compare: email }
          - { source: lastname, target: LastName, compare: text }
          - { source: city, target: MailingCity, compare: text }
          - { source: score, target: Score__c, compare: number }
          - { source: stage, target: Stage__c, compare: picklist, map: { lead: Lead, customer: Customer } }
          - { source: owner, target: OwnerId, compare: picklist, map: { "1": 005ANNA, "2": 005BORIS } }
          - { source: signed, target: Signed__c, compare: datetime }
          - { source: topics, target: Topics__c, compare: multi }
          - { source: phone, target: Phone, compare: phone }
`

// world is two fake CRMs with one kind of record, and a role that reads them.
type world struct {
	sync.Mutex
	t        *testing.T
	source   *crm.Table
	target   *crm.Table
	leads    *crm.Table   // nil: the org has none
	others   []*crm.Table // of the portal
	daily    int
	yaml     string
	status   int // refuses every call with it
	hs       *hubspot.Server
	sf       *salesforce.Server
	during   func() // before each answer of either
	db       *warehouse.DB
	produced *recorder
	cfg      *config.Config
	policy   *privacy.Policy
}

// recorder keeps what was produced.
type recorder struct {
	sync.Mutex
	messages []bus.Message
}

func (r *recorder) Produce(_ context.Context, messages ...bus.Message) error {
	r.Lock()
	defer r.Unlock()
	for _, m := range messages {
		if err := m.Event.Validate(); err != nil {
			return err
		}
	}
	r.messages = append(r.messages, messages...)
	return nil
}

func (r *recorder) take() []bus.Message {
	r.Lock()
	defer r.Unlock()
	out := r.messages
	r.messages = nil
	return out
}

func of[E event.Event](messages []bus.Message) []E {
	var out []E
	for _, m := range messages {
		if e, ok := m.Event.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

var migrated sync.Once

// emptied is one database for all worlds, which come one after the other:
// applying the schema takes longer than most tests.
func emptied(t *testing.T) *warehouse.DB {
	t.Helper()
	db := warehousetest.Open(t, warehousetest.Addr(t), "worlds")
	migrated.Do(func() { require.NoError(t, db.Migrate(t.Context())) })
	for _, table := range []string{"crm_records", "reader_state", "api_calls_raw", "divergences_raw", "erasures_raw"} {
		require.NoError(t, db.Exec(t.Context(), "TRUNCATE TABLE "+table))
	}
	return db
}

func newWorld(t *testing.T, limits ...int) *world {
	t.Helper()
	w := &world{t: t, db: emptied(t), produced: &recorder{}}
	w.source = crm.NewTable("contact", []crm.Field{
		{Name: "email", Type: "email"},
		{Name: "lastname"},
		{Name: "city"},
		{Name: "score", Number: true},
		{Name: "stage", Type: "picklist", Options: []string{"lead", "customer"}},
		{Name: "owner"},
		{Name: "phone", Type: "phone"},
		{Name: "signed", Type: "datetime"},
		{Name: "topics"},
	}, crm.HubSpotID(1000))
	w.target = crm.NewTable("Contact", []crm.Field{
		{Name: "Email", Type: "email"},
		{Name: "LastName"},
		{Name: "MailingCity"},
		{Name: "Score__c", Number: true},
		{Name: "Stage__c", Type: "picklist", Options: []string{"Lead", "Customer"}},
		{Name: "OwnerId"},
		{Name: "Phone", Type: "phone"},
		{Name: "Signed__c"},
		{Name: "Topics__c"},
	}, crm.SalesforceID("003"))
	w.daily = 1_000_000
	if len(limits) > 0 {
		w.daily = limits[0]
	}
	w.serve("Contact")
	return w
}

// refuse makes both systems answer with a status; 0 ends that.
func (w *world) refuse(status int) {
	w.Lock()
	defer w.Unlock()
	w.status = status
}

// serve starts the two systems.
func (w *world) serve(targets string) {
	w.t.Helper()
	t, daily := w.t, w.daily
	now := func() int64 { return time.Now().UnixMilli() }
	tables := []*crm.Table{w.target}
	if w.leads != nil {
		tables = append(tables, w.leads)
	}
	w.hs = hubspot.New(hubspot.Options{Lock: w, Tables: append([]*crm.Table{w.source}, w.others...), Portal: "62515", Token: "token", Now: now, Limit: 1e6, Daily: daily})
	w.sf = salesforce.New(salesforce.Options{
		Lock: w, Tables: tables, Org: &crm.Salesforce{Tables: map[string]*crm.Table{"Contact": w.target}},
		OrgID: "00D5f000001abcDEAQ", ClientID: "id", Secret: "secret", UserID: "005READER", Now: now, Daily: daily,
	})
	wrap := func(h http.Handler) string {
		s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.Lock()
			if w.during != nil {
				w.during()
			}
			status := w.status
			w.Unlock()
			if status != 0 {
				http.Error(rw, "{}", status)
				return
			}
			h.ServeHTTP(rw, r)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	w.configure(fmt.Sprintf(worldYAML, wrap(w.hs), wrap(w.sf), targets))
}

func (w *world) configure(yaml string) {
	w.t.Helper()
	w.yaml = yaml
	var err error
	w.cfg, err = cfgload.Parse("world.yaml", []byte(yaml))
	require.NoError(w.t, err)
	key, err := privacy.NewKey(make([]byte, 32))
	require.NoError(w.t, err)
	w.policy = privacy.NewPolicy(key, w.cfg.Integrations)
}

func (w *world) role(edit ...func(*Options)) *Role {
	w.t.Helper()
	o := Options{
		Config: w.cfg, Producer: w.produced, Warehouse: w.db, Privacy: w.policy, Examples: 1 << 20,
		Clock: pace.Fast{From: time.Now(), Speed: 1},
		Resolve: func(s config.Secret) ([]byte, error) {
			return []byte(map[config.Secret]string{"env:T": "token", "env:ID": "id", "env:S": "secret"}[s]), nil
		},
	}
	if testing.Verbose() {
		o.Logger = zaptest.NewLogger(w.t, zaptest.Level(zap.InfoLevel))
	}
	for _, e := range edit {
		e(&o)
	}
	r, err := New(o)
	require.NoError(w.t, err)
	w.t.Cleanup(r.Close)
	return r
}

// old is long before anybody looks.
var old = time.Now().Add(-48 * time.Hour).UnixMilli()

// pair makes a record and its copy, equal and old.
func (w *world) pair(n int) (source, target *crm.Row) {
	stage, owner := "lead", "1"
	if n%3 == 0 {
		stage, owner = "customer", "2"
	}
	source = w.source.Insert(map[string]string{
		"email": fmt.Sprintf("p%d@example.com", n), "lastname": fmt.Sprintf("Lindgren the %dth", n), "city": "São Paulo",
		"score": fmt.Sprintf("%d.25", n), "stage": stage, "owner": owner, "phone": fmt.Sprintf("+1 415-555-%04d", n%10000),
		"signed": "2026-03-01T22:30:00Z", "topics": "news;events;offers",
	}, "", "", old)
	return source, w.copy(source, old)
}

// copy is what the sync would write.
func (w *world) copy(s *crm.Row, at int64) *crm.Row {
	v := s.Values
	return w.target.Insert(map[string]string{
		"Email": v["email"], "LastName": v["lastname"], "MailingCity": v["city"], "Score__c": v["score"],
		"Stage__c": map[string]string{"lead": "Lead", "customer": "Customer"}[v["stage"]],
		"OwnerId":  map[string]string{"1": "005ANNA", "2": "005BORIS"}[v["owner"]], "Phone": v["phone"],
		"Signed__c": v["signed"], "Topics__c": turned(v["topics"]),
	}, s.ID, "005SYNC", at)
}

// turned has the options in another order, which says nothing.
func turned(options string) string {
	parts := strings.Split(options, ";")
	slices.Reverse(parts)
	return strings.Join(parts, ";")
}
