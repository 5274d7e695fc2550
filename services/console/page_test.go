package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console"
)

// One believable day, read as a person would: what is wrong comes first, with
// its number, its list, its reason and the step to take.
func TestOverview(t *testing.T) {
	w := believable(t)
	p := pageOf(t, w.start()+"/")
	require.Equal(t, "1 of 3 integrations misses a target", p.one("h1").text())
	require.Empty(t, p.all(".demo"))
	require.Equal(t, "24h", p.one(".windows").current())

	t.Run("silent failures lead", func(t *testing.T) {
		main := p.one("#live")
		var order []string
		for c := range main.ChildNodes() {
			if id := attribute(c, "id"); id != "" {
				order = append(order, id)
			}
		}
		require.Equal(t, []string{"verdict", "silent", "cards", "classes", "recent", "sources", "checks"}, order)
		s := p.one("#silent")
		require.Equal(t, "7", s.one(".big").text())
		rows := s.one("tbody").all("tr")
		require.Len(t, rows, 7)
		require.Regexp(t, `^hubspot-salesforce/contact/\d+ not applied 11:10:02 11:16:00$`, rows[0].text())
		require.Contains(t, rows[6].text(), "another value was written 09:00:02 09:06:00")
		require.Contains(t, s.text(), "All 1,447 delivered changes were looked up in the target.")
	})
	t.Run("the worst integration is the first", func(t *testing.T) {
		var names []string
		for _, c := range p.all(".card") {
			names = append(names, c.one("h2").text())
		}
		require.Equal(t, []string{"hubspot-salesforce", "events-attio", "billing-crm"}, names)
	})
	t.Run("a missed target", func(t *testing.T) {
		panel := p.one("#i-default-hubspot-salesforce-success")
		require.Equal(t, "Target missed · page now", panel.one(".chip").text())
		require.Len(t, panel.one(".chip").all(".icon"), 1, "never colour alone")
		require.Equal(t, "96.08 %", panel.one(".value").text())
		require.Equal(t, "1,152 of 1,199 write attempts succeeded", panel.one(".fraction").text())
		require.Equal(t, "Target > 99 % · warning < 97 % over any 24 h", panel.one(".lines").text())
		require.Regexp(t, "^Sync success rate over the last 24 hours: lowest [0-9.]+ %, latest 100 %$", attribute(panel.one(".spark").Node, "aria-label"))
		require.Equal(t, "Record success 97.36 % First try 98.07 % Attempts per record 1.00", panel.one("dl").text())
	})
	t.Run("latency and what waits", func(t *testing.T) {
		panel := p.one("#i-default-hubspot-salesforce-latency")
		require.Equal(t, "5.6 s", panel.one(".value").text())
		require.Equal(t, "p50 / p95 3.8 s / 5.6 s On time 97.36 % Waiting now 19 Oldest waiting 42 min", panel.one("dl").text())
		require.Contains(t, panel.one(".lines").text(), "Target < 5 min · warning > ")
	})
	t.Run("failures by class with the first step", func(t *testing.T) {
		rows := p.one("#classes").one("tbody").all("tr")
		require.Len(t, rows, 3)
		require.Equal(t, "Schema hubspot-salesforce 29 29 records customer needs somebody Compare the picklist map with Salesforce's "+
			"current values and add the missing option 1 other step for some of them 30 min ago", rows[0].text())
		require.Contains(t, rows[2].text(), "Rate limit")
		require.Contains(t, rows[2].text(), "passes by itself")
		require.Len(t, p.one("#recent").all("li"), 10)
		require.Contains(t, p.one("#recent").all("li")[0].text(), "HTTP 400 · INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")
	})
	t.Run("sources: flowing, quiet and stalled told apart", func(t *testing.T) {
		got := p.one("#sources").text()
		require.Contains(t, got, "Data through 12:00:00 UTC")
		require.Contains(t, got, "HubSpot changes by hubspot-main hubspot-salesforce Flowing 60 12:00:00")
		require.Contains(t, got, "events-attio Stalled: silent for 1 h 30 min, usually every 9 s 0 10:30:00")
		require.Contains(t, got, "Attempts reported by sync-worker billing-crm Quiet for 6 min 30 s 0 11:54:00")
	})
}

// current is the text of the link that stands for this page.
func (n node) current() string {
	for _, a := range n.all("a") {
		if attribute(a.Node, "aria-current") == "page" {
			return a.text()
		}
	}
	return ""
}

func TestUnknownReadsAsSomethingToDo(t *testing.T) {
	none := func(c *config.Integration) { c.Attempts = config.AttemptsNone }
	w := newWorld(t, integration("few"), integration("blind"), integration("learning"), integration("unseen", none), integration("idle"))
	w.attempts("few", 12, ago(time.Hour), event.OutcomeOK)
	w.attempts("few", 2, ago(time.Hour), event.OutcomeError)
	w.deliveries("blind", 40, ago(time.Hour), event.StateStalled, 0)
	w.attempts("learning", 100, ago(time.Hour), event.OutcomeOK)
	w.deliveries("learning", 100, ago(time.Hour), event.StateApplied, 3*time.Second)
	for _, d := range []int{26, 50} {
		w.deliveries("learning", 5, ago(time.Duration(d)*time.Hour), event.StateApplied, 3*time.Second)
	}
	w.deliveries("unseen", 50, ago(time.Hour), event.StateUnobserved, 0)
	base := w.start()
	p := pageOf(t, base)

	for id, want := range map[string]string{
		"few-success":      "To do Too few to judge: 2 of 14 failed, 30 are needed. A longer window may hold them.",
		"blind-success":    "To do 40 changes wait and no attempt was reported. Check that the sync runs, and that it reports to /v1/attempts.",
		"learning-latency": "To do Learning: 2 of 3 hours. Until then nobody knows what is normal here. Target met so far.",
		"unseen-success":   "To do Nobody looks at the target. Give Plumbline read access to it, so that it sees what arrived.",
		"idle-success":     "To do No write attempt was reported in this window. Let the sync worker send its attempts to /v1/attempts.",
		"idle-latency":     "To do No change was due in this window. If records do change, check that the source sends them.",
	} {
		panel := p.one("#i-default-" + id)
		require.Equal(t, want, panel.one(".todo").text(), id)
		require.Equal(t, "To do", panel.one(".chip").text(), id)
	}
	require.Equal(t, "–", p.one("#i-default-idle-success").one(".value").text(), "no number is no zero")
	require.Equal(t, "To do", p.one("#i-default-few-success").one(".chip").text(), "85.71 % of 14 is no verdict")
	require.Contains(t, p.one("#i-default-blind-latency").text(), "Nothing was delivered: this is the age of what waits")
	require.Regexp(t, `^≥ 1 h`, p.one("#i-default-blind-latency").one(".value").text())

	// Two of the three that nobody can judge are not above the one that breaches.
	require.Equal(t, "blind", p.all(".card")[0].one("h2").text())
	// Nothing failed silently as far as anybody knows, and the page says how far that is.
	require.Equal(t, "0", p.one("#silent").one(".big").text())
	require.Contains(t, p.one("#silent").text(), "100 of 150 delivered changes were looked up in the target.")
}

// A zero that nobody checked is not shown as good news.
func TestZeroWithoutProof(t *testing.T) {
	w := newWorld(t, integration("i"))
	w.deliveries("i", 50, ago(time.Hour), event.StateUnobserved, 0)
	s := pageOf(t, w.start()).one("#silent")
	require.Contains(t, attribute(s.Node, "class"), "unknown")
	require.Contains(t, s.text(), "Nobody looks at the target: 50 acknowledged changes went unchecked, so this number proves nothing yet.")
	require.NotContains(t, s.text(), "Every change")
}

func TestAllGreenNeedsEverything(t *testing.T) {
	green := func(t *testing.T, more func(*world)) node {
		w := newWorld(t, integration("i"))
		w.attempts("i", 400, ago(time.Hour), event.OutcomeOK)
		w.deliveries("i", 400, ago(time.Hour), event.StateApplied, 2*time.Second)
		for d := range 9 {
			w.deliveries("i", 5, ago(time.Duration(d+2)*24*time.Hour), event.StateApplied, 2*time.Second)
		}
		more(w)
		return pageOf(t, w.start())
	}
	p := green(t, func(*world) {})
	require.Equal(t, "1 of 1 integration cannot be judged yet", p.one("h1").text(), "nobody compared the records")
	require.Contains(t, p.one("#i-default-i-drift").one(".todo").text(), "Records were not compared as a whole yet.")

	p = green(t, func(w *world) { w.compared("i", 1000) })
	require.Equal(t, "All five KPIs are measured and on target", p.one("h1").text())
	require.Equal(t, "no incidents", p.one("#i-default-i-mttr").one(".value").text())
	require.Equal(t, "100 %", p.one("#i-default-i-coverage").one(".value").text())
	require.Contains(t, p.one("#i-default-i-coverage").text(), "Linking: contact 100 % (1,000 of 1,000)")
	require.Contains(t, p.one("#i-default-i-drift").text(), "0 of 1,000 compared records")
	require.Contains(t, p.one("#silent").text(), "Every change that was acknowledged and checked is really there.")

	p = green(t, func(w *world) {
		w.compared("i", 1000)
		w.deliveries("i", 2, ago(time.Hour), event.StateNotApplied, 0)
	})
	require.Equal(t, "Rates look fine, yet 2 changes never arrived", p.one("h1").text())
	require.Equal(t, "(2 silent) Plumbline", p.one("title").text())
}

// What is open stands above the numbers: incidents, stopped agents, strange
// tokens, and records that differ with both values.
func TestWhatIsOpenStandsFirst(t *testing.T) {
	w := newWorld(t, integration("i"))
	w.attempts("i", 400, ago(time.Hour), event.OutcomeOK)
	w.compared("i", 100)
	w.rows["incidents"] = append(w.rows["incidents"], &event.Incident{
		ID: "inc-1", Tenant: "default", Integration: "i", Fingerprint: "f", State: event.IncidentOpen, Priority: "P1", Class: event.ClassAuth,
		Attribution: event.ByVendor, Confidence: 0.7, Title: "HubSpot refuses every token", FirstStep: "hold, do not disconnect",
		OnsetAt: ago(2 * time.Hour), DetectedAt: ago(time.Hour), LastAt: ago(time.Minute), Affected: 12, Open: 7, UpdatedAt: ago(time.Minute), Version: 1,
	})
	w.rows["agent_states"] = append(w.rows["agent_states"], &event.AgentState{
		ID: "g", Tenant: "default", Kind: "agent", Agent: "enricher", State: event.AgentTripped, Since: ago(time.Minute), Rule: "loop",
		Reason: "wrote <b>the same</b> records again", UpdatedAt: ago(time.Minute), Version: 1,
	})
	w.rows["signals"] = append(w.rows["signals"], &event.Signal{
		ID: "s", Tenant: "default", Integration: "i", Kind: event.SignalToken, System: "salesforce", Token: "drift", StartedAt: ago(time.Minute),
		ReceivedAt: ago(time.Minute), Summary: "first used from 185.220.101.0/24",
		Detail: []event.Field{{Name: "findings", Value: event.Value{Text: "new_network"}}},
	})
	w.rows["divergences"] = append(w.rows["divergences"], &event.Divergence{
		ID: "d", Tenant: "default", Integration: "i", Object: "contact", RecordKey: "101", Field: "Stage__c", Kind: event.ValueMismatch,
		Difference: "picklist", State: event.DivergenceConfirmed, SourceValue: event.Value{Text: "customer"}, TargetValue: event.Value{Text: "Other"},
		TargetWriter: event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"}, FirstSeenAt: ago(time.Hour), ConfirmedAt: ago(time.Minute),
		UpdatedAt: ago(time.Minute), Version: 1,
	})
	p := pageOf(t, w.start())
	require.Contains(t, p.one("#incidents").text(), "P1 HubSpot refuses every token i 11:00:00 (1 h ago) 7 of 12 records not right yet probably the vendor's hold, do not disconnect")
	require.Contains(t, p.one("#machines").text(), "Agent stopped: enricher wrote <b>the same</b> records again")
	require.Contains(t, p.one("#machines").text(), "Token: salesforce/drift first used from 185.220.101.0/24")
	require.Contains(t, p.one("#differ").text(), "101 Stage__c another value, picklist customer Other integration:005SYNC")
	require.Contains(t, p.one("#i-default-i-drift").text(), "1 of 100 compared records")
	require.Equal(t, "breach", p.one("#i-default-i-drift").status(), "1 % is not under 1 %")
}

func TestEmptyInstallIsAList(t *testing.T) {
	w := newWorld(t, integration("hubspot-salesforce"))
	base := start(t, console.Options{Warehouse: w.db, Integrations: w.list, Ingest: "http://127.0.0.1:8081"})
	p := pageOf(t, base)
	require.Equal(t, "Nothing has arrived yet", p.one("h1").text())
	steps := p.one("#setup").all("li")
	require.Len(t, steps, 4)
	require.Contains(t, steps[0].text(), "Point HubSpot's webhook at /hooks/hubspot-main.")
	require.Equal(t, "http://127.0.0.1:8081/hooks/hubspot-main", steps[0].one("pre").text())
	require.Contains(t, steps[2].text(), "/v1/attempts")
	require.Empty(t, p.all(".value"), "no zeros")
	require.Empty(t, p.all("#silent"))

	empty := pageOf(t, start(t, console.Options{Warehouse: w.db}))
	require.Contains(t, empty.one("#setup").text(), "Add an integration to the config file")
}

// Data of an old day is not an empty install.
func TestOldDataIsNoEmptyInstall(t *testing.T) {
	w := newWorld(t, integration("i"))
	w.attempts("i", 5, ago(60*24*time.Hour), event.OutcomeOK)
	p := pageOf(t, w.start())
	require.Empty(t, p.all("#setup"))
	require.Contains(t, p.one("#sources").text(), "Nothing came in during the last 24 hours.")
}

func TestDemoIsBannered(t *testing.T) {
	w := believable(t)
	p := pageOf(t, start(t, console.Options{Warehouse: w.db, Integrations: w.list, Demo: true}))
	require.Equal(t, "DEMO Every record and number on this page is simulated.", p.one(".demo").text())
}

func TestHealthChecksAreShown(t *testing.T) {
	w := newWorld(t, integration("i"))
	p := pageOf(t, start(t, console.Options{Warehouse: w.db, Health: func() []console.Check {
		return []console.Check{{Name: "Sink", Detail: "40 s behind"}}
	}}))
	require.Equal(t, "System ClickHouse healthy: answers Sink needs attention: 40 s behind", p.one("#checks").text())
}

// What a vendor or a sender wrote is text, never markup.
func TestValuesAreEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	w := newWorld(t, integration("i"))
	w.failure("i", event.ClassSchema, ago(time.Minute), func(f *event.Failure) {
		f.Message, f.RecordKey, f.Code, f.Verdict.FirstStep, f.ID = evil, evil, evil, evil, evil
	})
	w.deliveries("i", 1, ago(time.Hour), event.StateNotApplied, 0, func(d *event.Delivery) { d.RecordKey = evil })
	base := w.start()
	for _, path := range []string{"/", "/?fragment=1"} {
		p := pageOf(t, base+path)
		require.Contains(t, p.one("#recent").text(), evil)
		require.Contains(t, p.one("#silent").text(), evil)
		for _, tag := range []string{"script", "img"} {
			for _, n := range p.all(tag) {
				require.True(t, strings.HasPrefix(attribute(n.Node, "src"), "/assets/"), "%s: only our own", tag)
			}
		}
	}
}

// The policy allows nothing inline, so nothing may be inline: it would be
// missing from the page.
func TestNothingIsInlineOrForeign(t *testing.T) {
	w := believable(t)
	base := w.start()
	_, h, _ := get(t, base)
	csp := h.Get("Content-Security-Policy")
	require.NotContains(t, csp, "unsafe")
	require.Contains(t, csp, "default-src 'none'")
	require.Contains(t, csp, "frame-ancestors 'none'")
	require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
	require.Equal(t, "no-referrer", h.Get("Referrer-Policy"))
	loaded := 0
	p := pageOf(t, base)
	for n := range p.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		require.NotEqual(t, "style", n.Data)
		if n.Data == "script" {
			require.Nil(t, n.FirstChild, "an inline script")
		}
		for _, a := range n.Attr {
			require.NotEqual(t, "style", a.Key)
			require.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			if a.Key == "src" || a.Key == "href" {
				require.Regexp(t, `^(/[^/]|/$|#)`, a.Val, "only this server")
			}
			if (a.Key == "src" || a.Key == "href") && strings.HasPrefix(a.Val, "/assets/") {
				loaded++
				code, h, body := get(t, base+a.Val)
				require.Equal(t, http.StatusOK, code)
				require.Contains(t, h.Get("Cache-Control"), "immutable")
				require.NotRegexp(t, `https?://|@import|url\(`, strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""))
			}
		}
	}
	require.Equal(t, 4, loaded)
}

// The script finds by id what changed: the page and its fragment must agree.
func TestFragmentIsThePagesLivePart(t *testing.T) {
	w := believable(t)
	base := w.start()
	render := func(n node) string {
		var b strings.Builder
		require.NoError(t, html.Render(&b, n.one("#live").Node))
		return b.String()
	}
	p := pageOf(t, base+"/?window=7d")
	src := attribute(p.one("#live").Node, "data-fetch")
	require.Equal(t, "/?fragment=1&window=7d", src)
	require.Equal(t, render(p), render(pageOf(t, base+src)))
	seen := map[string]bool{}
	for n := range p.Descendants() {
		if id := attribute(n, "id"); id != "" {
			require.False(t, seen[id], "id %s twice", id)
			seen[id] = true
		}
	}
	code, _, body := get(t, base+"/?window=2h")
	require.Equal(t, http.StatusBadRequest, code)
	require.Contains(t, body, "choose 1h, 24h, 7d or 30d")
}
