package hubspot

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
	simcrm "plumbline.dev/services/simulate/crm"
	fake "plumbline.dev/services/simulate/hubspot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const day = int64(1_790_000_000_000)

type world struct {
	sync.Mutex
	table  *simcrm.Table
	bodies []string
	hook   func() // after each search
}

// open makes n contacts, of which those from bulk on share one instant.
func open(t *testing.T, n, bulk int, o fake.Options) (*world, *Reader) {
	t.Helper()
	w := &world{table: simcrm.NewTable("contact", []simcrm.Field{
		{Name: "email", Type: "email", Required: true}, {Name: "lastname"}, {Name: "lifecyclestage", Type: "picklist", Options: []string{"lead", "customer"}},
	}, simcrm.HubSpotID(1000))}
	for i := range n {
		at := day + int64(min(i, bulk))*1000
		w.table.Insert(map[string]string{"email": fmt.Sprintf("p%d@example.com", i), "lastname": fmt.Sprint(i)}, "", "", at)
	}
	o.Lock, o.Tables, o.Portal, o.Token = w, []*simcrm.Table{w.table}, "62515", "secret"
	o.Owners = []string{"51430001", "51430002"}
	o.Now = func() int64 { return day + 1e9 }
	server := fake.New(o)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
			w.bodies = append(w.bodies, string(b))
		}
		server.ServeHTTP(rw, r)
		if w.hook != nil && r.Method == http.MethodPost {
			w.hook()
		}
	}))
	t.Cleanup(s.Close)
	r, err := New(Options{
		BaseURL: s.URL, AllowPrivate: true, Token: "secret", Clock: pace.Fast{From: time.Now(), Speed: 1000},
		Budget: crm.NewBudget(crm.BudgetOptions{System: "HubSpot", Share: 1, Daily: LeastDaily}),
	})
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return w, r
}

var contacts = crm.Query{Object: "contact", Fields: []string{"email", "lifecyclestage", "nowhere"}}

// TestModifiedLeavesNothingOut: more records of one instant than a page, no
// page by number (they end at 10,000), and records that move while we read.
func TestModifiedLeavesNothingOut(t *testing.T) {
	w, r := open(t, 1100, 300, fake.Options{Limit: 1e6})
	moved := 0
	w.hook = func() { // the oldest unread ones are saved anew, and move to the end
		w.Lock()
		defer w.Unlock()
		if moved < 40 {
			row := w.table.Rows[200+moved]
			w.table.Update(row, map[string]string{"lastname": "moved"}, "", day+2e6+int64(moved))
			moved++
		}
	}
	seen := map[string]event.Time{}
	require.NoError(t, modifiedOf(t, r, contacts, func(records []crm.Record) error {
		for _, x := range records {
			require.Less(t, seen[x.ID], x.ModifiedAt, "twice with one modification")
			seen[x.ID] = x.ModifiedAt
		}
		return nil
	}))
	require.Len(t, seen, 1100)
	for _, body := range w.bodies {
		require.NotContains(t, body, `"after"`)
	}
	for i := range moved - 1 { // the last one moved after the last page
		require.Equal(t, event.Time(w.table.Rows[200+i].Modified), seen[w.table.Rows[200+i].ID], "the newest is seen")
	}

	q := contacts
	q.Since = event.Time(day + 2e6 + 10)
	n := 0
	require.NoError(t, modifiedOf(t, r, q, func(records []crm.Record) error { n += len(records); return nil }))
	require.Equal(t, moved-10, n)
}

func TestAllGoesOnWhereItStopped(t *testing.T) {
	_, r := open(t, 450, 450, fake.Options{Limit: 1e6})
	seen := map[string]bool{}
	q := contacts
	stop := fmt.Errorf("killed")
	read := func(p crm.Page) error {
		for _, x := range p.Records {
			require.False(t, seen[x.ID])
			seen[x.ID] = true
			require.Contains(t, x.Field("email").Text, "@example.com")
			require.True(t, x.Field("nowhere").Blank())
		}
		if q.After = p.Next; len(seen) == 200 {
			return stop
		}
		return nil
	}
	require.ErrorIs(t, r.All(t.Context(), q, read), stop)
	require.NoError(t, r.All(t.Context(), q, read))
	require.Len(t, seen, 450)
	n, err := r.Count(t.Context(), contacts)
	require.NoError(t, err)
	require.EqualValues(t, 450, n)
}

func TestGetFindDescribe(t *testing.T) {
	w, r := open(t, 250, 250, fake.Options{Limit: 1e6})
	ids := []string{w.table.Rows[3].ID, "1", w.table.Rows[7].ID}
	for _, row := range w.table.Rows[10:200] {
		ids = append(ids, row.ID)
	}
	w.table.Delete(w.table.Rows[7], "", day)
	got, err := r.Get(t.Context(), contacts, ids)
	require.NoError(t, err)
	require.Len(t, got, 191, "neither the deleted one nor the one that never was")

	got, err = r.Find(t.Context(), contacts, "email", []string{"p5@example.com", "p9@example.com", "nobody@example.com"})
	require.NoError(t, err)
	require.Len(t, got, 2)

	latest, err := r.Latest(t.Context(), contacts, 210)
	require.NoError(t, err)
	require.Len(t, latest, 210)
	require.Equal(t, w.table.Rows[249].ID, latest[0].ID)

	properties, err := r.Describe(t.Context(), "contact")
	require.NoError(t, err)
	kinds := map[string]string{}
	for _, p := range properties {
		kinds[p.Name] = p.Kind
	}
	require.Equal(t, "picklist", kinds["lifecyclestage"])
	require.Equal(t, "email", kinds["email"])
	a, err := r.Account(t.Context())
	require.NoError(t, err)
	require.Equal(t, "62515", a.ID)
	users, err := r.Users(t.Context())
	require.NoError(t, err)
	require.Len(t, users, 2)
}

func TestScopeIsAList(t *testing.T) {
	w, r := open(t, 30, 30, fake.Options{Limit: 1e6})
	q := contacts
	q.Scope = "hs_list:1" // every live contact
	got, err := r.Get(t.Context(), q, []string{w.table.Rows[3].ID})
	require.NoError(t, err)
	require.False(t, got[0].OutOfScope)
	r.members["1"] = members{ids: map[string]bool{}, at: r.clock.Now()}
	got, err = r.Get(t.Context(), q, []string{w.table.Rows[3].ID})
	require.NoError(t, err)
	require.True(t, got[0].OutOfScope)
	q.Scope = "something else"
	_, err = r.Get(t.Context(), q, []string{w.table.Rows[3].ID})
	require.Equal(t, crm.KindSchema, crm.KindOf(err))
}

func TestRefusalsCarryDecisions(t *testing.T) {
	_, r := open(t, 5, 5, fake.Options{Limit: 1e6})
	_, err := r.Find(t.Context(), contacts, "no_such_property", []string{"x"})
	require.Equal(t, crm.KindSchema, crm.KindOf(err))
	_, err = r.Describe(t.Context(), "butterfly")
	require.Equal(t, crm.KindSchema, crm.KindOf(err))

	w2, r2 := open(t, 900, 900, fake.Options{Limit: 12}) // a tight account: pauses, no failure
	n := 0
	require.NoError(t, r2.All(t.Context(), contacts, func(p crm.Page) error { n += len(p.Records); return nil }))
	require.Equal(t, 900, n)
	_ = w2

	_, r3 := open(t, 1, 1, fake.Options{Fault: func(*http.Request) (fake.Problem, bool) {
		return fake.Problem{
			HTTP: 403, Status: "error", Category: "MISSING_SCOPES", Message: "no",
			Context: map[string][]string{"requiredGranularScopes": {"crm.objects.contacts.read"}},
		}, true
	}})
	_, err = r3.Get(t.Context(), contacts, []string{"1"})
	require.Equal(t, crm.KindScope, crm.KindOf(err))
	require.ErrorContains(t, err, "lacks the scope crm.objects.contacts.read")
}

// TestMetadata is what a schema watch compares: equal while nothing changes,
// and each change shows where it was made.
func TestMetadata(t *testing.T) {
	w, r := open(t, 1, 1, fake.Options{Limit: 1e6})
	before, err := r.Metadata(t.Context(), "contact")
	require.NoError(t, err)
	email, ok := before.Property("email")
	require.True(t, ok)
	require.True(t, email.Required)
	stage, ok := before.Property("lifecyclestage")
	require.True(t, ok)
	require.Equal(t, crm.Property{
		Name: "lifecyclestage", Label: "lifecyclestage", Kind: "picklist", Type: "enumeration", Closed: true,
		Options: []crm.Option{{Value: "lead", Label: "lead"}, {Value: "customer", Label: "customer"}},
	}, stage)
	again, err := r.Metadata(t.Context(), "contact")
	require.NoError(t, err)
	require.Equal(t, before.Hash(), again.Hash())

	w.Lock()
	w.table.Fields[2].Options = []string{"lead"}
	w.table.Fields = append(w.table.Fields[:1], w.table.Fields[2:]...) // lastname is gone
	w.Unlock()
	after, err := r.Metadata(t.Context(), "contact")
	require.NoError(t, err)
	require.NotEqual(t, before.Hash(), after.Hash())
	_, ok = after.Property("lastname")
	require.False(t, ok)
	stage, _ = after.Property("lifecyclestage")
	require.Len(t, stage.Options, 1)
}

// TestMetadataWithoutTheSchemaScope still tells all but what is required.
func TestMetadataWithoutTheSchemaScope(t *testing.T) {
	_, r := open(t, 1, 1, fake.Options{Limit: 1e6, Fault: func(q *http.Request) (fake.Problem, bool) {
		return fake.Problem{HTTP: 403, Status: "error", Category: "MISSING_SCOPES", Message: "no"}, strings.Contains(q.URL.Path, "/schemas/")
	}})
	m, err := r.Metadata(t.Context(), "contact")
	require.NoError(t, err)
	email, ok := m.Property("email")
	require.True(t, ok)
	require.False(t, email.Required)
}

func modifiedOf(t *testing.T, r *Reader, q crm.Query, yield func([]crm.Record) error) error {
	t.Helper()
	return r.Modified(t.Context(), []crm.Query{q}, func(_ int, records []crm.Record) error { return yield(records) })[0]
}
