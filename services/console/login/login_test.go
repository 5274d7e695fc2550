package login_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console/login"
)

var people = []login.Known{
	{Person: login.Person{Name: "anna", Role: login.Operator, Tenants: []string{"acme"}}, Token: "anna-0123456789abcdef"},
	{Person: login.Person{Name: "root", Role: login.Admin}, Token: "root-0123456789abcdef"},
	{Person: login.Person{Name: "eve@example.com", Role: login.Viewer}},
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func gate(t *testing.T) (*login.Gate, *clock) {
	c := &clock{time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	g, err := login.New(people, &login.Proxy{Header: "X-Auth-Request-Email", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")}}, c.now)
	require.NoError(t, err)
	return g, c
}

func request(change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.1:5000"
	for _, f := range change {
		f(r)
	}
	return r
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func TestWho(t *testing.T) {
	g, c := gate(t)
	_, ok := g.Who(request())
	require.False(t, ok)
	p, ok := g.Who(request(bearer("anna-0123456789abcdef")))
	require.True(t, ok)
	require.Equal(t, "anna", p.Name)
	for _, wrong := range []string{"", "anna", "anna-0123456789abcdeF", "anna-0123456789abcdef0"} {
		_, ok = g.Who(request(bearer(wrong)))
		require.False(t, ok, wrong)
	}

	cookie := g.Cookie(p, true)
	require.True(t, cookie.HttpOnly && cookie.Secure && cookie.SameSite == http.SameSiteStrictMode)
	with := func(value string) bool {
		_, ok := g.Who(request(func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookie.Name, Value: value}) }))
		return ok
	}
	require.True(t, with(cookie.Value))
	for i := range cookie.Value { // no character of it can be another
		other := "0"
		if cookie.Value[i] == '0' {
			other = "1"
		}
		require.False(t, with(cookie.Value[:i]+other+cookie.Value[i+1:]), "character %d", i)
	}
	c.at = c.at.Add(13 * time.Hour)
	require.False(t, with(cookie.Value), "it ends")
}

func TestProxyIsBelievedByItsAddress(t *testing.T) {
	g, _ := gate(t)
	named := func(from, name string) (login.Person, bool) {
		return g.Who(request(func(r *http.Request) { r.RemoteAddr = from; r.Header.Set("X-Auth-Request-Email", name) }))
	}
	p, ok := named("10.0.0.7:1", "eve@example.com")
	require.True(t, ok)
	require.Equal(t, login.Viewer, p.Role)
	_, ok = named("10.0.0.8:1", "eve@example.com")
	require.False(t, ok, "anybody can write a header")
	_, ok = named("10.0.0.7:1", "mallory@example.com")
	require.False(t, ok, "unknown people are nobody")
}

func TestRoles(t *testing.T) {
	for role, may := range map[login.Role][3]bool{
		login.Viewer: {true, false, false}, login.Operator: {true, true, false}, login.Admin: {true, true, true}, "": {false, false, false},
	} {
		for i, r := range login.Roles {
			require.Equal(t, may[i], login.Person{Role: role}.May(r), "%s %s", role, r)
		}
	}
	require.True(t, login.Person{}.Sees("any"))
	require.False(t, login.Person{Tenants: []string{}}.Sees("any"), "an empty list is nobody's")
}

func TestFormsAreThisPersons(t *testing.T) {
	g, c := gate(t)
	f := login.NewForm(g)
	anna, root := people[0].Person, people[1].Person
	post := func(token string, change ...func(*http.Request)) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/click", strings.NewReader(url.Values{"form": {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, x := range change {
			x(r)
		}
		return r
	}
	token := f.Token(anna)
	require.NoError(t, f.Check(post(token), anna))
	require.ErrorContains(t, f.Check(post(token), root), "reload", "somebody else's")
	require.ErrorContains(t, f.Check(post(""), anna), "reload")
	require.ErrorContains(t, f.Check(post(token, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }), anna), "another page")
	require.ErrorContains(t, f.Check(post(token, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example.com") }), anna), "another page")
	require.ErrorContains(t, login.NewForm(g).Check(post(token), anna), "reload", "another start")
	require.NoError(t, f.Check(post("", bearer("x")), anna), "no browser adds a bearer token")
	c.at = c.at.Add(14 * time.Hour)
	require.ErrorContains(t, f.Check(post(token), anna), "reload")
}

func TestConfigIsChecked(t *testing.T) {
	one := func(change func(*login.Known)) []login.Known {
		k := people[0]
		change(&k)
		return []login.Known{people[1], k}
	}
	for want, list := range map[string][]login.Known{
		"needs a name":           one(func(k *login.Known) { k.Name = "" }),
		"is there twice":         one(func(k *login.Known) { k.Name = "root" }),
		"choose viewer":          one(func(k *login.Known) { k.Role = "god" }),
		"needs a token":          one(func(k *login.Known) { k.Token = "" }),
		"shorter than":           one(func(k *login.Known) { k.Token = "short" }),
		"has somebody else's to": one(func(k *login.Known) { k.Token = people[1].Token }),
	} {
		_, err := login.New(list, nil, time.Now)
		require.ErrorContains(t, err, want)
	}
	_, err := login.New(people, &login.Proxy{Header: "X"}, time.Now)
	require.ErrorContains(t, err, "console.proxy")
	open, err := login.New(nil, nil, time.Now)
	require.NoError(t, err)
	require.True(t, open.Open())
	p, ok := open.Who(request())
	require.True(t, ok && p.Free && p.May(login.Admin))
}

func TestPace(t *testing.T) {
	_, c := gate(t)
	p := login.NewPace(2, 3, c.now)
	for range 3 {
		require.True(t, p.Allow("a"))
	}
	require.False(t, p.Allow("a"))
	require.True(t, p.Allow("b"), "each has an own")
	c.at = c.at.Add(500 * time.Millisecond)
	require.True(t, p.Allow("a"))
	require.False(t, p.Allow("a"))
	for i := range 10_000 { // made-up callers do not fill memory
		p.Allow(strings.Repeat("x", i%50) + time.Duration(i).String())
	}
}
