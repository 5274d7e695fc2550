package revoke

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestVendorsCalls(t *testing.T) {
	var got string
	status := 204
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.RequestURI + " " + string(b)
		if status == 302 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"invalid_token s3cret/1"}`)
	}))
	defer s.Close()
	token := Token{System: "hubspot", Base: s.URL, Secret: "s3cret/1", AllowPrivate: true}
	said, err := Do(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, "DELETE /oauth/v1/refresh-tokens/s3cret%2F1 ", got)
	require.Contains(t, said, "30 minutes")

	token.System, status = "salesforce", 200
	_, err = Do(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, "POST /services/oauth2/revoke token=s3cret%2F1", got)

	for _, status = range []int{400, 302, 500} {
		_, err = Do(t.Context(), token)
		require.ErrorContains(t, err, "refused with")
		require.NotContains(t, err.Error(), "s3cret", "never in an error")
	}
	s.Close()
	_, err = Do(t.Context(), Token{System: "hubspot", Base: s.URL, Secret: "s3cret", AllowPrivate: true})
	require.ErrorContains(t, err, "is not known")
	require.NotContains(t, err.Error(), "s3cret")
}

func TestRefusals(t *testing.T) {
	for want, token := range map[string]Token{
		"in clear":            {System: "hubspot", Base: "http://api.hubapi.com", Secret: "x"},
		"--secret":            {System: "hubspot", Base: "https://api.hubapi.com"},
		"no public address":   {System: "salesforce", Base: "https://127.0.0.1:1", Secret: "x"},
		"has no call":         {System: "zoho", Base: "https://zoho.example", Secret: "x"},
		"https://host and no": {System: "hubspot", Base: "https://a.example/?x=1", Secret: "x"},
	} {
		_, err := Do(t.Context(), token)
		require.ErrorContains(t, err, want)
	}
	require.True(t, Calls("hubspot"))
	require.False(t, Calls("zoho"))
	require.Contains(t, Steps("salesforce", "drift")[1], "drift")
}
