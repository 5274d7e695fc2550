package traces

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	for _, tc := range []struct{ method, url, system, object, id, op string }{
		{"PATCH", "https://api.hubapi.com/crm/v3/objects/contacts/123?idProperty=email", "hubspot", "contact", "123", "update"},
		{"POST", "https://api.hubapi.com/crm/v3/objects/0-2/batch/upsert", "hubspot", "company", "", "upsert"},
		{"POST", "https://api.hubapi.com/crm/v3/objects/2-77/search", "hubspot", "2-77", "", "read"},
		{"POST", "https://acme.my.salesforce.com/services/data/v60.0/sobjects/Lead", "salesforce", "Lead", "", "create"},
		{"PATCH", "https://ACME.my.salesforce.com:443/services/data/v60.0/sobjects/Lead/Ext__c/7", "salesforce", "Lead", "", "update"},
		{"POST", "https://login.salesforce.com/services/oauth2/token", "salesforce", "other", "", "auth_refresh"},
		{"DELETE", "https://acme.pipedrive.com/api/v2/deals/31", "pipedrive", "deal", "31", "delete"},
		{"PATCH", "https://org.crm4.dynamics.com/api/data/v9.2/contacts(6d81597f-0f9f-e711-8122-000d3aa2331c)", "dataverse", "contact", "6d81597f-0f9f-e711-8122-000d3aa2331c", "update"},
		{"GET", "https://notsalesforce.com/x", "", "", "", ""},
		{"GET", "https://api.hubapi.com.evil.example/x", "", "", "", ""},
	} {
		s := Span{TraceID: "1", SpanID: "2", End: 1e18, attributes: map[string]string{"url.full": tc.url, "http.request.method": tc.method}}
		a, ok := s.Attempt()
		require.Equal(t, tc.system != "", ok, tc.url)
		if ok {
			require.Equal(t, []string{tc.system, tc.object, tc.id, tc.op}, []string{a.System, a.Object, a.TargetID, a.Operation}, tc.url)
		}
	}
	old := Span{End: 1e18, attributes: map[string]string{"http.host": "api.hubapi.com", "http.target": "/crm/v3/objects/deals/9", "http.method": "PUT", "http.status_code": "204"}}
	a, ok := old.Attempt()
	require.True(t, ok, "the names before the conventions were stable")
	require.Equal(t, []any{"deal", "9", 204, "ok"}, []any{a.Object, a.TargetID, a.Status, a.Outcome})
}

func FuzzProto(f *testing.F) {
	f.Add([]byte{0x0a, 0x02, 0x12, 0x00})
	f.Fuzz(func(_ *testing.T, b []byte) {
		spans, _ := Proto(b)
		for i := range spans {
			spans[i].Attempt()
		}
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":3,"attributes":[{"key":"url.full","value":{"stringValue":"https://api.hubapi.com/"}}]}]}]}]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		spans, _ := JSON(b)
		for i := range spans {
			spans[i].Attempt()
		}
	})
}
