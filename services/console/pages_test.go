package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console"
	"plumbline.dev/services/console/ask"
)

// everyPage is an address of every page there is, with something on it.
var everyPage = []string{
	"/", "/incidents", "/incident?incident_id=inc-1", "/integration?integration=hubspot-salesforce", "/records",
	"/record?record_key=" + url.QueryEscape(richKey), "/agents", "/agent?agent=enricher", "/tokens?window=30d", "/runs", "/letters",
	"/letter?dead_letter_id=letter-1", "/surface", "/checklists", "/setup", "/try?system=salesforce&status=400&code=INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
	"/rows/failures?class=schema", "/rows/kpi_success",
}

func (w *world) startRich(change ...func(*console.Options)) string {
	w.t.Helper()
	o := console.Options{Warehouse: w.db, Integrations: w.list, Ingest: "http://127.0.0.1:8081"}
	for _, f := range change {
		f(&o)
	}
	return start(w.t, o)
}

func TestEveryPage(t *testing.T) {
	w := rich(t)
	base := w.startRich()
	t.Run("each is whole, and its links lead to pages", func(t *testing.T) {
		seen := map[string]bool{}
		for _, path := range everyPage {
			p := pageOf(t, base+path)
			require.Len(t, p.all("h1"), 1, path)
			require.Empty(t, p.all("#trouble"), path)
			require.NotContains(t, p.text(), "ZgotmplZ", path)
			for _, a := range p.all("a") {
				href := attribute(a.Node, "href")
				route, _, _ := strings.Cut(href, "?")
				if !strings.HasPrefix(href, "/") || seen[route] {
					continue
				}
				seen[route] = true
				code, _, body := get(t, base+href)
				require.Equal(t, http.StatusOK, code, "%s on %s: %s", href, path, body[:min(len(body), 200)])
			}
		}
		require.Greater(t, len(seen), 25)
	})
	t.Run("an incident", func(t *testing.T) {
		p := pageOf(t, base+"/incident?incident_id=inc-1")
		require.Equal(t, "Lifecycle stage: bad value for restricted picklist field", p.one("h1").text())
		require.Contains(t, p.one("#verdict").text(), "P1 hubspot-salesforce · open · since 11:00:00 (1 h ago) · Yours")
		require.Contains(t, p.one("#why").text(), "Compare the picklist map")
		require.Contains(t, p.one("#s-incident_records").text(), richKey)
		require.Contains(t, p.one("#s-incident").text(), "Records affected 29 Not right yet 21")
		require.Contains(t, p.one("#done").text(), "anna acknowledge")
		require.Contains(t, p.one("#predicate").text(), "fingerprint = 'schema'")
	})
	t.Run("a record in both systems", func(t *testing.T) {
		p := pageOf(t, base+"/record?record_key="+url.QueryEscape(richKey))
		values := p.one("#s-record_values").all("tr")
		require.Contains(t, values[1].text(), "lifecyclestage evangelist Other yes", "the target's field stands under the source's name")
		require.Contains(t, values[2].text(), "email #a1b2 #a1b2")
		story := p.one("#s-record_story").text()
		for _, what := range []string{"change", "echo", "attempt", "observation", "delivery", "difference", "failure"} {
			require.Contains(t, story, what)
		}
	})
	t.Run("numbers lead to their rows and show their SQL", func(t *testing.T) {
		p := pageOf(t, base+"/integration?integration=hubspot-salesforce")
		classes := p.one("#s-failures_by_class")
		link := classes.one("tbody").all("a")[0]
		rows := pageOf(t, base+attribute(link.Node, "href"))
		require.Equal(t, "30", rows.one(".count").text())
		require.Contains(t, classes.one("pre").text(), "WHERE f.integration = 'hubspot-salesforce'")
		value := p.one("#i-default-hubspot-salesforce-success").one(".value").one("a")
		require.Contains(t, pageOf(t, base+attribute(value.Node, "href")).one("pre").text(), "FROM kpi_sync_success_rate_at(from = toDateTime64(")
	})
	t.Run("try an error", func(t *testing.T) {
		r := pageOf(t, base+"/try?system=salesforce&status=400&code=INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST").one("#result").text()
		require.Contains(t, r, "Schema Needs somebody")
		require.Contains(t, pageOf(t, base+"/try?status=ok").text(), "The status is a number like 400")
	})
}

func TestWhatIsNotThere(t *testing.T) {
	w := newWorld(t, integration("i"))
	base := w.start()
	for _, path := range []string{
		"/incident?incident_id=none", "/record?record_key=none", "/agent?agent=none", "/letter?dead_letter_id=none", "/integration?integration=none",
		"/rows/none", "/api/v1/none", "/integration",
	} {
		code, _, _ := get(t, base+path)
		require.Equal(t, http.StatusNotFound, code, path)
	}
	for _, path := range []string{"/incident", "/record", "/rows/failures?class=none", "/rows/token_hours"} {
		code, _, body := get(t, base+path)
		require.Equal(t, http.StatusBadRequest, code, "%s %s", path, body)
	}
	require.Len(t, ask.Names(), 43, "a new question belongs on a page")
}
