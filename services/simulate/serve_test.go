package simulate

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/scenario"
)

// apis are the two fake CRMs of a world that does not move by itself.
func apis(t *testing.T) (s *Simulation, hs, sf string) {
	t.Helper()
	s, err := New(testOptions("http://127.0.0.1:1", nil))
	require.NoError(t, err)
	s.worlds[0].populate()
	a, b := httptest.NewServer(s.HubSpot()), httptest.NewServer(s.Salesforce())
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	return s, a.URL, b.URL
}

type member = map[string]any

// ask returns the status and the decoded body.
func ask(t *testing.T, method, url, token, body string) (int, any, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var v any
	if len(b) > 0 {
		require.NoError(t, json.Unmarshal(b, &v), "%s", b)
	}
	return res.StatusCode, v, res.Header
}

func TestHubSpotPagesEveryRecordOnce(t *testing.T) {
	s, hs, _ := apis(t)
	seen, after := map[string]bool{}, ""
	for {
		status, v, h := ask(t, "GET", hs+"/crm/v3/objects/contacts?limit=30&properties=email,phone&after="+after, HubSpotToken, "")
		require.Equal(t, 200, status)
		require.NotEmpty(t, h.Get("X-HubSpot-RateLimit-Remaining"))
		for _, r := range v.(member)["results"].([]any) {
			id := r.(member)["id"].(string)
			require.False(t, seen[id])
			require.Contains(t, r.(member)["properties"].(member)["email"], "@example.com")
			seen[id] = true
		}
		paging, ok := v.(member)["paging"].(member)
		if !ok {
			break
		}
		after = paging["next"].(member)["after"].(string)
	}
	require.Len(t, seen, len(s.worlds[0].objects[0].source.Rows))
}

func TestHubSpotWritesReachWorkerAndHooks(t *testing.T) {
	s, hs, _ := apis(t)
	status, v, _ := ask(t, "POST", hs+"/crm/v3/objects/contacts", HubSpotToken, `{"properties":{"email":"new@example.com","lastname":"Neu"}}`)
	require.Equal(t, 201, status)
	id := v.(member)["id"].(string)
	require.NotNil(t, s.worlds[0].objects[0].byID[id])
	require.Len(t, s.worlds[0].hooks.waiting, 1+len(s.worlds[0].objects[0].Fields))
	status, v, _ = ask(t, "POST", hs+"/crm/v3/objects/contacts", HubSpotToken, `{"properties":{"email":"new@example.com"}}`)
	require.Equal(t, 409, status)
	require.Equal(t, "Contact already exists. Existing ID: "+id, v.(member)["message"])
	for { // the worker's turn comes, and nothing else is planned
		if _, more := s.worlds[0].Next(); !more {
			break
		}
		s.worlds[0].Step()
	}
	require.Equal(t, "Neu", s.worlds[0].objects[0].target.GetExternal(id).Values["LastName"])
}

func TestHubSpotRefusesInItsOwnWords(t *testing.T) {
	_, hs, _ := apis(t)
	for _, tt := range []struct {
		method, path, token, body string
		status                    int
		member, want              string
	}{
		{"GET", "/crm/v3/objects/contacts", "wrong", "", 401, "category", "INVALID_AUTHENTICATION"},
		{"GET", "/crm/v3/objects/butterflies", HubSpotToken, "", 400, "message", "Unable to infer object type from: butterflies"},
		{"GET", "/crm/v3/objects/contacts/1", HubSpotToken, "", 404, "category", "OBJECT_NOT_FOUND"},
		{"POST", "/crm/v3/objects/deals", HubSpotToken, `{"properties":{"foo":"1"}}`, 400, "category", "VALIDATION_ERROR"},
		{"POST", "/crm/v3/objects/deals/search", HubSpotToken, `{"limit":201}`, 400, "category", "VALIDATION_ERROR"},
		{"POST", "/oauth/v1/token", "", "grant_type=refresh_token&refresh_token=x", 400, "status", "BAD_REFRESH_TOKEN"},
	} {
		if strings.HasPrefix(tt.path, "/oauth") {
			res, err := http.PostForm(hs+tt.path, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}})
			require.NoError(t, err)
			require.Equal(t, tt.status, res.StatusCode)
			require.NoError(t, res.Body.Close())
			continue
		}
		status, v, _ := ask(t, tt.method, hs+tt.path, tt.token, tt.body)
		require.Equal(t, tt.status, status, tt.path)
		require.Equal(t, tt.want, v.(member)[tt.member], tt.path)
	}
	status, v := 0, any(nil)
	for range 191 {
		status, v, _ = ask(t, "GET", hs+"/crm/v3/owners", HubSpotToken, "")
	}
	require.Equal(t, 429, status)
	require.Equal(t, "TEN_SECONDLY_ROLLING", v.(member)["policyName"])
}

func TestHubSpotSearchAndBatch(t *testing.T) {
	s, hs, _ := apis(t)
	rows := s.worlds[0].objects[0].source.Rows
	status, v, _ := ask(t, "POST", hs+"/crm/v3/objects/contacts/search", HubSpotToken,
		`{"filterGroups":[{"filters":[{"propertyName":"hs_object_id","operator":"IN","values":["`+rows[3].ID+`","`+rows[5].ID+`"]}]}],
		"sorts":[{"propertyName":"hs_object_id","direction":"DESCENDING"}],"properties":["lastname"],"limit":1}`)
	require.Equal(t, 200, status)
	require.EqualValues(t, 2, v.(member)["total"])
	require.Equal(t, rows[5].ID, v.(member)["results"].([]any)[0].(member)["id"])
	require.Equal(t, "1", v.(member)["paging"].(member)["next"].(member)["after"])
	status, v, _ = ask(t, "POST", hs+"/crm/v3/objects/contacts/batch/read", HubSpotToken,
		`{"inputs":[{"id":"`+rows[0].ID+`"},{"id":"1"}],"properties":["email"]}`)
	require.Equal(t, 207, status)
	require.EqualValues(t, 1, v.(member)["numErrors"])
	require.Len(t, v.(member)["results"], 1)
}

func sfToken(t *testing.T, sf string) string {
	t.Helper()
	res, err := http.PostForm(sf+"/services/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {SalesforceClientID}, "client_secret": {SalesforceSecret},
	})
	require.NoError(t, err)
	defer res.Body.Close()
	var v struct {
		Token string `json:"access_token"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&v))
	require.NotEmpty(t, v.Token)
	return v.Token
}

func TestSalesforceQueries(t *testing.T) {
	s, _, sf := apis(t)
	token := sfToken(t, sf)
	o := s.worlds[0].objects[0]
	row := o.target.Rows[4]
	for q, want := range map[string]int{
		"SELECT COUNT() FROM Contact": len(o.target.Rows),
		"SELECT Id, Email FROM contact WHERE Email = '" + row.Values["Email"] + "'":                                   1,
		"SELECT Id FROM Contact WHERE Id IN ('" + row.ID + "', '003000000000000') AND LastName != null":               1,
		"SELECT Id FROM Contact WHERE Email LIKE '%@example.com' AND (NOT LastName = null) LIMIT 7":                   7,
		"SELECT Id FROM Contact WHERE SystemModstamp > 2020-01-01T00:00:00Z ORDER BY SystemModstamp DESC, Id LIMIT 3": 3,
		"SELECT Id FROM Contact WHERE LastModifiedDate < 2020-01-01T00:00:00.000Z":                                    0,
		"SELECT Id FROM Opportunity WHERE Amount >= 0 OR Amount = null":                                               len(s.worlds[0].objects[2].target.Rows),
	} {
		status, v, h := ask(t, "GET", sf+"/services/data/v60.0/query?q="+url.QueryEscape(q), token, "")
		require.Equal(t, 200, status, "%s: %v", q, v)
		require.EqualValues(t, want, v.(member)["totalSize"], q)
		require.Regexp(t, `^api-usage=\d+/\d+$`, h.Get("Sforce-Limit-Info"))
	}
	for q, code := range map[string]string{
		"SELECT Foo__c FROM Contact": "INVALID_FIELD", "SELECT Id FROM Foo": "INVALID_TYPE", "SELECT Id FROM": "MALFORMED_QUERY",
		"SELECT Id FROM Contact WHERE Id = 'x": "MALFORMED_QUERY", "": "MALFORMED_QUERY",
	} {
		status, v, _ := ask(t, "GET", sf+"/services/data/v60.0/query?q="+url.QueryEscape(q), token, "")
		require.Equal(t, 400, status, q)
		require.Equal(t, code, v.([]any)[0].(member)["errorCode"], q)
	}
}

func TestSalesforceWritesAndRefusals(t *testing.T) {
	s, _, sf := apis(t)
	token := sfToken(t, sf)
	data := sf + "/services/data/v60.0"
	status, v, _ := ask(t, "PATCH", data+"/sobjects/Contact/HubSpot_Id__c/999", token, `{"LastName":"Neu","Email":"neu@example.com"}`)
	require.Equal(t, 201, status)
	id := v.(member)["id"].(string)
	status, _, _ = ask(t, "PATCH", data+"/sobjects/Contact/"+id, token, `{"Title":"Buyer"}`)
	require.Equal(t, 204, status)
	_, v, _ = ask(t, "GET", data+"/sobjects/Contact/HubSpot_Id__c/999?fields=Title,Name", token, "")
	require.Equal(t, "Buyer", v.(member)["Title"])
	for body, code := range map[string]string{
		`{"Lifecycle__c":"Evangelist"}`: "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", `{"Foo__c":1}`: "INVALID_FIELD",
		`{"Title":"` + longTitle + `"}`: "STRING_TOO_LONG", `{"CreatedDate":"x"}`: "INVALID_FIELD_FOR_INSERT_UPDATE", `[`: "JSON_PARSER_ERROR",
	} {
		status, v, _ = ask(t, "PATCH", data+"/sobjects/Contact/"+id, token, body)
		require.Equal(t, 400, status, body)
		require.Equal(t, code, v.([]any)[0].(member)["errorCode"], body)
	}
	status, v, _ = ask(t, "PATCH", data+"/composite/sobjects", token, `{"records":[{"attributes":{"type":"Contact"},"LastName":"x"}]}`)
	require.Equal(t, 200, status)
	require.Equal(t, "MISSING_ARGUMENT", v.([]any)[0].(member)["errors"].([]any)[0].(member)["statusCode"])
	s.apis[0].sf.Expire()
	status, v, _ = ask(t, "GET", data+"/limits", token, "")
	require.Equal(t, 401, status)
	require.Equal(t, "INVALID_SESSION_ID", v.([]any)[0].(member)["errorCode"])
}

// Readers read while the world plays; under the race detector this is the
// proof that they may.
func TestReadersWhileTheWorldPlays(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	var b strings.Builder
	o := testOptions(server.URL, &b)
	o.Duration = 2 * time.Minute
	s, err := New(o)
	require.NoError(t, err)
	sf := httptest.NewServer(s.Salesforce())
	defer sf.Close()
	token := sfToken(t, sf.URL)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		n := 0
		for ctx.Err() == nil {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, sf.URL+"/services/data/v60.0/query?q=SELECT+Id,Email+FROM+Contact", nil)
			req.Header.Set("Authorization", "Bearer "+token)
			if res, err := http.DefaultClient.Do(req); err == nil {
				_, _ = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				n++
			}
		}
		done <- n
	}()
	require.NoError(t, s.Run(t.Context()))
	cancel()
	require.NotZero(t, <-done)
	require.NotEmpty(t, ids(lines(t, []byte(b.String())), truth.Write, ""))
	http.DefaultClient.CloseIdleConnections()
}

// An outage strikes readers as it strikes the sync; a revoked grant does not.
func TestFaultsOfTheVendorStrikeReadersToo(t *testing.T) {
	s, _, sf := apis(t)
	token := sfToken(t, sf)
	limits := sf + "/services/data/v60.0/limits"
	for fault, want := range map[string]int{
		scenario.VendorOutage: 401, scenario.Throttled: 403, scenario.TokenRevoked: 200,
	} {
		s.mu.Lock()
		e := s.worlds[0].faults.begin(scenario.Fault{Fault: fault, Answer: want})
		s.mu.Unlock()
		status, _, _ := ask(t, "GET", limits, token, "")
		require.Equal(t, want, status, fault)
		s.mu.Lock()
		s.worlds[0].faults.end(e)
		s.mu.Unlock()
	}
	status, _, _ := ask(t, "GET", limits, token, "")
	require.Equal(t, 200, status)
}
