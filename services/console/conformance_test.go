package console_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console/ask"
)

// api is a running console held against its own OpenAPI document.
type api struct {
	t      *testing.T
	base   string
	routes routers.Router
}

func conformance(t *testing.T, base string) *api {
	_, _, body := get(t, base+"/api/v1/openapi.json")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(body))
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	routes, err := legacy.NewRouter(doc)
	require.NoError(t, err)
	return &api{t, base, routes}
}

// ask sends a request and holds the answer against what the document promises
// for its code, to the last member.
func (a *api) ask(path string, q url.Values) (code int, body []byte) {
	a.t.Helper()
	u := a.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodGet, u, nil)
	require.NoError(a.t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(a.t, err)
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	r.URL.Scheme, r.URL.Host = "", ""
	route, params, err := a.routes.FindRoute(r)
	require.NoError(a.t, err, path)
	in := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if resp.StatusCode == http.StatusOK {
		require.NoError(a.t, openapi3filter.ValidateRequest(a.t.Context(), in), u)
	}
	require.NoError(a.t, openapi3filter.ValidateResponse(a.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}), u)
	return resp.StatusCode, body
}

// needs are values that questions cannot do without.
var needs = map[string]string{
	"incident_id": "inc-1", "record_key": richKey, "integration": "hubspot-salesforce", "run": "run-1", "actor_id": "enricher", "token": "sync-key",
}

func needed(q *ask.Question) url.Values {
	out := url.Values{}
	for _, n := range q.Needs {
		out.Set(n, needs[n])
	}
	return out
}

// Every answer of the API has the form that the document promises, with rows
// and without, and so has every refusal.
func TestAPIConforms(t *testing.T) {
	w := rich(t)
	a := conformance(t, w.startRich())
	a.ask("/api/v1/kpis", url.Values{"window": {"24h"}})
	a.ask("/api/v1/health", nil)
	withRows := 0
	for _, name := range ask.Names() {
		q := ask.All[name]
		path, params := "/api/v1/"+name, needed(q)
		params.Set("window", "30d")
		code, body := a.ask(path, params)
		require.Equal(t, http.StatusOK, code, "%s %s", name, body)
		if !bytes.Contains(body, []byte(`"`+name+`":[]`)) {
			withRows++
		}
		for _, f := range q.Filters {
			params.Set(f.Name, "nobody")
			if len(f.Choices) > 0 {
				params.Set(f.Name, f.Choices[0])
			}
		}
		code, body = a.ask(path, params)
		require.Equal(t, http.StatusOK, code, "%s %s", name, body)
		params.Set("limit", "0")
		code, _ = a.ask(path, params)
		require.Equal(t, http.StatusBadRequest, code, name)
	}
	require.Greater(t, withRows, 30, "most were held against real rows")
}
