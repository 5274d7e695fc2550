package console_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console"
)

// fakeDoor keeps what would go to ingest.
type fakeDoor struct {
	mu    sync.Mutex
	got   []map[string]any
	cards []console.DoorCard
	err   error
}

func (d *fakeDoor) Click(_ context.Context, e map[string]any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, e)
	return d.err
}

func (d *fakeDoor) Cards(context.Context) ([]console.DoorCard, error) { return d.cards, d.err }

// browser keeps cookies and follows nothing.
func browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func submit(t *testing.T, c *http.Client, u string, form url.Values, change ...func(*http.Request)) (int, string, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, f := range change {
		f(r)
	}
	resp, err := c.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header.Get("Location"), string(b)
}

// formOf is the hidden proof on a page.
func formOf(p node) string {
	for _, i := range p.all("input") {
		if attribute(i.Node, "name") == "form" {
			return attribute(i.Node, "value")
		}
	}
	return ""
}

func TestClicksGoThroughIngest(t *testing.T) {
	w := rich(t)
	door := &fakeDoor{}
	base := w.startRich(func(o *console.Options) { o.Door = door })
	c := browser(t)
	form := formOf(pageOf(t, base+"/incident?incident_id=inc-1"))
	require.NotEmpty(t, form)
	click := func(values ...string) (int, string, string) {
		f := url.Values{"form": {form}, "subject": {"inc-1"}, "by": {"anna"}, "back": {"/incident?incident_id=inc-1"}}
		for i := 0; i+1 < len(values); i += 2 {
			f.Set(values[i], values[i+1])
		}
		return submit(t, c, base+"/click", f)
	}
	code, to, body := click("kind", "acknowledge")
	require.Equal(t, http.StatusSeeOther, code, body)
	require.Equal(t, "/incident?incident_id=inc-1&said=taken", to)
	require.Contains(t, pageOf(t, base+to).one(".said").text(), "Noted")
	require.Equal(t, map[string]any{
		"kind": "acknowledge", "subject": "inc-1", "by": "anna", "at": "2026-11-01T12:00:30Z", "tenant": "default", "integration": "hubspot-salesforce", "object": "contact",
	}, door.got[0])

	click("kind", "silence", "for", "4h")
	require.Equal(t, "2026-11-01T16:00:30Z", door.got[1]["until"])
	click("kind", "tick", "step", "step-1", "result", "worked")
	require.Equal(t, "step-1", door.got[2]["step"])

	for want, f := range map[string][]string{
		"write why": {"kind", "resolve"}, "write your name": {"kind", "acknowledge", "by", ""}, "no such click": {"kind", "drop"},
		"no such thing": {"kind", "acknowledge", "subject", "inc-9"}, "for how long": {"kind", "silence"}, "reload": {"kind", "acknowledge", "form", "0.abc"},
	} {
		code, _, body := click(f...)
		require.GreaterOrEqual(t, code, 400, want)
		require.Contains(t, body, want)
	}
	require.Len(t, door.got, 3, "what was refused went nowhere")
	_, to, _ = click("kind", "acknowledge", "back", "https://evil.example.com/")
	require.Equal(t, "/?said=taken", to, "back leads nowhere else")
	door.err = errors.New("connection refused")
	code, _, body = click("kind", "acknowledge")
	require.Equal(t, http.StatusBadGateway, code)
	require.Contains(t, body, "ingest did not take it")
}

func TestClicksOfOtherPagesAreRefused(t *testing.T) {
	w := rich(t)
	door := &fakeDoor{}
	base := w.startRich(func(o *console.Options) { o.Door = door })
	f := url.Values{"form": {formOf(pageOf(t, base+"/incident?incident_id=inc-1"))}, "subject": {"inc-1"}, "by": {"anna"}, "kind": {"acknowledge"}}
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
		code, _, _ := submit(t, browser(t), base+"/click", f, func(r *http.Request) { r.Header.Set(name, value) })
		require.Equal(t, http.StatusForbidden, code, name)
	}
	require.Empty(t, door.got)
}

func TestLoginAndRoles(t *testing.T) {
	w := twoTenants(t)
	door := &fakeDoor{}
	base := start(t, console.Options{Warehouse: w.db, Integrations: w.list, Gate: people(t), Door: door})
	c := browser(t)
	resp, err := c.Get(base + "/incidents")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "/login?back=%2Fincidents", resp.Header.Get("Location"))
	getJSON(t, base+"/api/v1/kpis", http.StatusUnauthorized)
	code, _, _ := get(t, base+"/healthz")
	require.Equal(t, http.StatusOK, code, "probes need no token")

	form := formOf(pageOf(t, base+"/login?back=/incidents"))
	code, _, body := submit(t, c, base+"/login", url.Values{"form": {form}, "token": {"nobody-0123456789abcdef"}})
	require.Equal(t, http.StatusUnauthorized, code)
	require.Contains(t, body, "nobody&#39;s token")
	code, to, _ := submit(t, c, base+"/login", url.Values{"form": {form}, "token": {viewToken}, "back": {"/incidents"}})
	require.Equal(t, http.StatusSeeOther, code)
	require.True(t, strings.HasPrefix(to, "/incidents"))

	look := func(c *http.Client, path string) string {
		resp, err := c.Get(base + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		return string(b)
	}
	require.NotContains(t, look(c, "/incident?incident_id=inc"), `action="/click"`, "a viewer has nothing to click")
	code, _, _ = submit(t, http.DefaultClient, base+"/click", url.Values{"subject": {"inc"}, "kind": {"acknowledge"}}, bearer(viewToken))
	require.Equal(t, http.StatusForbidden, code, "and may not")
	code, _, _ = submit(t, http.DefaultClient, base+"/click", url.Values{"subject": {"inc" + secret}, "kind": {"acknowledge"}}, bearer(acmeToken))
	require.Equal(t, http.StatusNotFound, code, "what is another tenant's is not there")
	code, _, _ = submit(t, http.DefaultClient, base+"/click", url.Values{"subject": {"agent"}, "kind": {"reset"}}, bearer(acmeToken))
	require.Equal(t, http.StatusForbidden, code, "an operator lets no agent go on")
	code, _, body = submit(t, browser(t), base+"/click", url.Values{"subject": {"inc"}, "kind": {"acknowledge"}, "by": {"somebody else"}}, bearer(acmeToken))
	require.Equal(t, http.StatusSeeOther, code, body)
	require.Equal(t, "anna", door.got[0]["by"], "the name is the token's")
}

// An agent is named as on agent-states: the stages know it by nothing else.
func TestResetNamesTheAgent(t *testing.T) {
	w := rich(t)
	door := &fakeDoor{}
	base := w.startRich(func(o *console.Options) { o.Door = door })
	form := formOf(pageOf(t, base+"/agent?agent=enricher"))
	code, _, body := submit(t, browser(t), base+"/click", url.Values{"form": {form}, "subject": {"enricher"}, "by": {"anna"}, "kind": {"reset"}})
	require.Equal(t, http.StatusSeeOther, code, body)
	require.Equal(t, "default/agent/enricher", door.got[0]["subject"])
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func TestTheNetworkNeedsALogin(t *testing.T) {
	w := newWorld(t)
	_, err := console.New(console.Options{Warehouse: w.db, Listen: "0.0.0.0:8080"})
	require.ErrorContains(t, err, "nobody has to log in: add console.people")
	_, err = console.New(console.Options{Warehouse: w.db, Listen: "0.0.0.0:8080", Gate: people(t)})
	require.NoError(t, err)
}
