package console_test

import (
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console"
	"plumbline.dev/services/console/ask"
	"plumbline.dev/services/console/login"
)

var rounds = flag.Int("tenants.rounds", 1, "how often each question is asked with random parameters of another tenant")

// secret stands in every row of tenant other; nobody of acme may ever read it.
const secret = "xOTHERx"

const (
	acmeToken = "acme-0123456789abcdef"
	rootToken = "root-0123456789abcdef"
	viewToken = "view-0123456789abcdef"
)

func people(t testing.TB) *login.Gate {
	g, err := login.New([]login.Known{
		{Person: login.Person{Name: "anna", Role: login.Operator, Tenants: []string{"acme"}}, Token: acmeToken},
		{Person: login.Person{Name: "vera", Role: login.Viewer}, Token: viewToken},
		{Person: login.Person{Name: "root", Role: login.Admin}, Token: rootToken},
	}, nil, time.Now)
	require.NoError(t, err)
	return g
}

// twoTenants fills every table with rows of two tenants; those of the other
// bear its mark in every word.
func twoTenants(t testing.TB) *world {
	of := func(tenant, id string) config.Integration {
		return integration(id, func(c *config.Integration) { c.Tenant = tenant })
	}
	w := newWorld(t, of("acme", "acme-sync"), of(secret, secret+"-sync"))
	for i, tenant := range []string{"acme", secret} {
		in, mark := w.list[i].ID, ""
		if i == 1 {
			mark = secret
		}
		actor := event.Actor{Kind: event.ActorAgent, ID: "agent" + mark}
		key := in + "/contact/1"
		w.add("changes", &event.Change{
			ID: "c" + mark, Tenant: tenant, Integration: in, Side: "source", System: "hubspot", Object: "contact", RecordID: "1" + mark, RecordKey: key,
			Operation: event.OpUpdate, ChangedAt: ago(time.Minute), ReceivedAt: ago(time.Minute), Hook: "h" + mark, Actor: actor, Token: "t" + mark,
			Fields: []event.Field{text("f"+mark, "v"+mark)},
		})
		w.add("attempts", &event.Attempt{
			ID: "a" + mark, Tenant: tenant, Integration: in, Object: "contact", Operation: event.OpUpdate, Outcome: event.OutcomeError, RecordKey: key,
			OccurredAt: ago(time.Minute), ReceivedAt: ago(time.Minute), Sender: "s" + mark, System: "salesforce", Actor: actor, Token: "t" + mark, Message: "m" + mark,
		})
		w.add("observations", &event.Observation{
			ID: "o" + mark, Tenant: tenant, Integration: in, Side: "target", System: "salesforce", Object: "contact", RecordID: "2" + mark, RecordKey: key,
			ObservedAt: ago(time.Minute), ReceivedAt: ago(time.Minute), FoundBy: "poll", Fields: []event.Field{text("f"+mark, "v"+mark)},
		})
		w.deliveries(in, 3, ago(10*time.Minute), event.StateNotApplied, 0, func(d *event.Delivery) { d.Tenant, d.RecordKey = tenant, key })
		w.failure(in, "auth", ago(time.Minute), func(f *event.Failure) {
			f.Tenant, f.RecordKey, f.Message, f.Verdict.Fingerprint = tenant, key, "m"+mark, "fp"+mark
		})
		w.incident("inc"+mark, func(x *event.Incident) { x.Tenant, x.Integration, x.Title = tenant, in, "title"+mark })
		w.add("divergences", &event.Divergence{
			ID: "v" + mark, Tenant: tenant, Integration: in, Object: "contact", RecordKey: key, Field: "f" + mark, Kind: event.ValueMismatch,
			State: event.DivergenceConfirmed, SourceValue: event.Value{Text: "v" + mark}, FirstSeenAt: ago(time.Hour), ConfirmedAt: ago(time.Minute),
			UpdatedAt: ago(time.Minute), Version: 1,
		})
		w.add("agent_states", &event.AgentState{
			ID: "g" + mark, Tenant: tenant, Kind: "agent", Agent: "agent" + mark, State: event.AgentTripped, Reason: "r" + mark, Since: ago(time.Minute),
			UpdatedAt: ago(time.Minute), Version: 1,
		})
		w.add("signals", &event.Signal{
			ID: "s" + mark, Tenant: tenant, Integration: in, Kind: event.SignalToken, System: "salesforce", Token: "t" + mark, StartedAt: ago(time.Minute),
			ReceivedAt: ago(time.Minute), Summary: "x" + mark,
		})
		w.add("dead_letters", &event.DeadLetter{
			ID: "l" + mark, Tenant: tenant, Origin: "hook:h" + mark, Reason: "r" + mark, ReceivedAt: ago(time.Minute), Bytes: []byte("b" + mark),
		})
		w.add("reconciliations", &event.Reconciliation{
			ID: "r" + mark, Tenant: tenant, Integration: in, Object: "contact", Run: "run" + mark, State: event.RunComplete, Critical: true,
			ScheduleMS: event.Day, StartedAt: ago(time.Hour), EndedAt: ago(time.Hour), Compared: 9, Share: 1, UpdatedAt: ago(time.Hour), Version: 1,
		})
	}
	w.store()
	return w
}

func (w *world) startWithPeople() string {
	return start(w.t, console.Options{Warehouse: w.db, Integrations: w.list, Gate: people(w.t)})
}

// as asks with somebody's token.
func as(t testing.TB, token, u string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	for { // a fuzzer is as fast as it may be
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		if resp.StatusCode != http.StatusTooManyRequests {
			return resp.StatusCode, string(b)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// rowsOf are the rows of an answer: of the API's lists, or of a page's tables.
func rowsOf(t testing.TB, body string) string {
	var answer map[string]any
	if json.Unmarshal([]byte(body), &answer) == nil {
		delete(answer, "sql")
		b, err := json.Marshal(answer)
		require.NoError(t, err)
		return string(b)
	}
	root, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	var out strings.Builder
	for _, tag := range []string{"td", "dd", "h2", "th"} {
		for _, n := range (node{t, root}).all(tag) {
			out.WriteString(n.text())
		}
	}
	return out.String()
}

// Whatever somebody of one tenant asks for, by page or API, with whatever
// parameters, nothing of another comes back: not a row, not a word, not a count.
func TestNobodyCrossesTenants(t *testing.T) {
	w := twoTenants(t)
	base := w.startWithPeople()
	code, body := as(t, rootToken, base+"/api/v1/failures")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, secret, "it is there to be found")

	foreign := []string{
		secret, secret + "-sync", "inc" + secret, secret + "-sync/contact/1", "agent" + secret, "t" + secret, "l" + secret, "v" + secret, "run" + secret,
		"fp" + secret, "h" + secret, "hook:h" + secret, "' OR tenant = '" + secret + "' OR '1'='", `\' UNION ALL SELECT * FROM failures_raw -- `,
		"acme' SETTINGS additional_table_filters = {} -- ", "{from}", "?", "acme", "acme-sync", "inc", "acme-sync/contact/1", "",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var addresses []string
	for _, name := range ask.Names() {
		q := ask.All[name]
		for range *rounds {
			v := url.Values{"window": {"30d"}}
			for _, n := range q.Needs {
				v.Set(n, foreign[rng.IntN(len(foreign))])
			}
			for _, f := range q.Filters {
				if rng.IntN(3) == 0 {
					v.Set(f.Name, foreign[rng.IntN(len(foreign))])
				}
			}
			addresses = append(addresses, "/api/v1/"+name+"?"+v.Encode(), "/rows/"+name+"?"+v.Encode())
		}
	}
	pages := [][2]string{
		{"/incident", "incident_id"},
		{"/record", "record_key"},
		{"/agent", "agent"},
		{"/letter", "dead_letter_id"},
		{"/integration", "integration"},
		{"/tokens", "token"},
		{"/incidents", "integration"},
		{"/records", "field"},
		{"/runs", "integration"},
		{"/surface", "system"},
		{"/api/v1/kpis", "integration"},
	}
	for i, f := range foreign {
		for j, page := range pages {
			if *rounds > 1 || (i+j)%4 == 0 { // every value and every page, but not each with each
				addresses = append(addresses, page[0]+"?"+url.Values{page[1]: {f}}.Encode())
			}
		}
	}
	addresses = append(addresses, "/", "/?window=7d", "/agents", "/letters", "/setup", "/api/v1/kpis", "/api/v1/openapi.json")
	for _, a := range addresses {
		_, body := as(t, acmeToken, base+a)
		asked, err := url.QueryUnescape(a)
		require.NoError(t, err)
		if strings.Contains(asked, secret) {
			body = rowsOf(t, body) // what was asked for may be shown back, as a filter or in the SQL: no row may hold it
		}
		require.NotContains(t, body, secret, a)
	}

	// Counts and KPIs hold only their own.
	_, body = as(t, acmeToken, base+"/api/v1/deliveries")
	require.Equal(t, 3, strings.Count(body, `"delivery_id":`))
	_, body = as(t, rootToken, base+"/api/v1/deliveries")
	require.Equal(t, 6, strings.Count(body, `"delivery_id":`))
}

// The numbers on a shared page are read once for each scope, and never shown
// to another.
func TestScopesDoNotShare(t *testing.T) {
	w := twoTenants(t)
	base := w.startWithPeople()
	_, all := as(t, rootToken, base+"/")
	require.Contains(t, all, secret)
	_, mine := as(t, acmeToken, base+"/")
	require.NotContains(t, mine, secret)
	require.Contains(t, mine, "acme-sync")
}
