package salesforce

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
	simcrm "plumbline.dev/services/simulate/crm"
	fake "plumbline.dev/services/simulate/salesforce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = int64(1_790_000_000_000)

type world struct {
	sync.Mutex
	table  *simcrm.Table
	server *fake.Server
}

func open(t *testing.T, n int, auth Auth, o fake.Options, edit ...func(*Options)) (*world, *Reader) {
	t.Helper()
	w := &world{table: simcrm.NewTable("Contact", []simcrm.Field{
		{Name: "Email", Type: "email"}, {Name: "LastName", Required: true, Max: 80}, {Name: "Score__c", Type: "number", Number: true},
	}, simcrm.SalesforceID("003"))}
	for i := range n {
		w.table.Insert(map[string]string{"Email": fmt.Sprintf("p%d@example.com", i), "LastName": fmt.Sprintf("O'Neill %d", i), "Score__c": "9007199254740993"},
			fmt.Sprint(1000+i), "005SYNC", day+int64(i)*1000)
	}
	o.Lock, o.Tables, o.OrgID, o.ClientID, o.Secret = w, []*simcrm.Table{w.table}, "00D5f000001abcDEAQ", "id", "secret"
	o.Org = &simcrm.Salesforce{Tables: map[string]*simcrm.Table{"Contact": w.table}}
	o.Now = func() int64 { return day + 1e9 }
	w.server = fake.New(o)
	s := httptest.NewServer(w.server)
	t.Cleanup(s.Close)
	options := Options{
		BaseURL: s.URL, AllowPrivate: true, Auth: auth, Clock: pace.Fast{From: time.Now(), Speed: 1000},
		Budget: crm.NewBudget(crm.BudgetOptions{System: "Salesforce", Share: 1, Daily: LeastDaily}),
	}
	for _, e := range edit {
		e(&options)
	}
	r, err := New(options)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return w, r
}

var (
	good     = Auth{Flow: ClientCredentials, ClientID: "id", ClientSecret: "secret"}
	contacts = crm.Query{Object: "Contact", Fields: []string{"Email", "Score__c", "HubSpot_Id__c"}}
)

func TestAllAndModified(t *testing.T) {
	w, r := open(t, 4500, good, fake.Options{})
	n := 0
	q := contacts
	stop := fmt.Errorf("killed")
	read := func(p crm.Page) error {
		n += len(p.Records)
		if q.After = p.Next; n == 2000 {
			return stop
		}
		return nil
	}
	require.ErrorIs(t, r.All(t.Context(), q, read), stop)
	require.NoError(t, r.All(t.Context(), q, read))
	require.Equal(t, 4500, n)

	w.table.Delete(w.table.Rows[4400], "005X", day+4499*1000+1)
	q.Since = event.Time(day + 4400*1000)
	var got []crm.Record
	require.NoError(t, modifiedOf(t, r, q, func(records []crm.Record) error { got = append(got, records...); return nil }))
	require.Len(t, got, 100)
	last := got[len(got)-1]
	require.True(t, last.Deleted, "the deletion is the newest")
	require.Equal(t, "005X", last.Writer.ID)
	require.Equal(t, event.Value{Kind: event.KindNumber, Text: "9007199254740993"}, got[0].Field("Score__c"), "digits survive")
}

// TestCursorsExpire: an org keeps ten cursors a user; ours may be the eleventh.
func TestCursorsExpire(t *testing.T) {
	calls := 0
	_, r := open(t, 6500, good, fake.Options{Fault: func(q *http.Request) (simcrm.Answer, bool) {
		if calls++; calls == 2 {
			return simcrm.Refuse(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator"), true
		}
		return simcrm.Answer{}, false
	}})
	seen := map[string]bool{}
	require.NoError(t, r.All(t.Context(), contacts, func(p crm.Page) error {
		for _, x := range p.Records {
			require.False(t, seen[x.ID])
			seen[x.ID] = true
		}
		return nil
	}))
	require.Len(t, seen, 6500)
}

func TestGetFindScope(t *testing.T) {
	w, r := open(t, 900, good, fake.Options{})
	ids := []string{"003000000000000AAA"}
	for _, row := range w.table.Rows {
		ids = append(ids, row.ID)
	}
	got, err := r.Get(t.Context(), contacts, ids)
	require.NoError(t, err)
	require.Len(t, got, 900)
	got, err = r.Find(t.Context(), contacts, "LastName", []string{"O'Neill 7", `O'Neill 8'; DELETE \`})
	require.NoError(t, err)
	require.Len(t, got, 1)

	q := contacts
	q.Scope = "LastName LIKE 'O''Neill 1%'"
	q.Scope = `LastName LIKE 'O\'Neill 1%'`
	n, err := r.Count(t.Context(), q)
	require.NoError(t, err)
	require.EqualValues(t, 111, n)
	got, err = r.Get(t.Context(), q, []string{w.table.Rows[1].ID, w.table.Rows[2].ID})
	require.NoError(t, err)
	require.Len(t, got, 2)
	for _, x := range got {
		require.Equal(t, x.ID == w.table.Rows[2].ID, x.OutOfScope)
	}
	latest, err := r.Latest(t.Context(), contacts, 3)
	require.NoError(t, err)
	require.Equal(t, w.table.Rows[899].ID, latest[0].ID)
	m, err := r.Metadata(t.Context(), "Contact")
	require.NoError(t, err)
	name, ok := m.Property("LastName")
	require.True(t, ok)
	require.Equal(t, crm.Property{Name: "LastName", Label: "LastName", Kind: "text", Type: "string", Length: 80, Required: true, References: []string{}}, name)
	id, ok := m.Property("Id")
	require.True(t, ok)
	require.True(t, id.ReadOnly && id.Unique && !id.Required)
}

func TestSessionsEndAndAreRenewed(t *testing.T) {
	w, r := open(t, 5, good, fake.Options{})
	_, err := r.Count(t.Context(), contacts)
	require.NoError(t, err)
	w.server.Expire()
	_, err = r.Count(t.Context(), contacts)
	require.NoError(t, err)
	a, err := r.Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, "00D5f000001abcDEAQ", a.ID)
	require.EqualValues(t, 100_000, a.Daily)
}

func TestRefusalsCarryDecisions(t *testing.T) {
	bad := good
	bad.ClientSecret = "wrong"
	_, r := open(t, 5, bad, fake.Options{})
	_, err := r.Count(t.Context(), contacts)
	require.Equal(t, crm.KindAuth, crm.KindOf(err))
	require.ErrorContains(t, err, "invalid_client")

	_, r = open(t, 5, Auth{Token: "stale"}, fake.Options{})
	_, err = r.Count(t.Context(), contacts)
	require.Equal(t, crm.KindAuth, crm.KindOf(err))

	_, r = open(t, 5, good, fake.Options{Daily: 2})
	for range 2 {
		_, _ = r.Count(t.Context(), contacts)
	}
	_, err = r.Count(t.Context(), contacts)
	require.Contains(t, []crm.Kind{crm.KindLimit, crm.KindBudget}, crm.KindOf(err), "%v", err)

	spent := refusal(http.StatusForbidden, nil, []byte(`[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`))
	require.Equal(t, crm.KindLimit, spent.Kind)
	require.True(t, spent.Spent, "the same call is not tried again")
	require.LessOrEqual(t, spent.After, 30*time.Second, "what differs is over soon once the sync may write again")

	_, r = open(t, 5, good, fake.Options{})
	_, err = r.Find(t.Context(), contacts, "No__c", []string{"x"})
	require.Equal(t, crm.KindSchema, crm.KindOf(err))
	_, err = r.Count(t.Context(), crm.Query{Object: "Nothing__c"})
	require.Equal(t, crm.KindSchema, crm.KindOf(err))
}
