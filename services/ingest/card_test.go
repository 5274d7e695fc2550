package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCardSaysWhy(t *testing.T) {
	body := "[" + hubspotEvent(1, "iban", "v") + "]"
	edge := "https://edge.example.net/hooks/main"
	for name, tc := range map[string]struct {
		header http.Header
		host   string
		want   string
	}{
		"other host":  {signV3(newSecret, "POST", edge, body, testTime), "edge.example.net", "computed for " + publicURL + ", signed for " + edge},
		"http":        {signV3(newSecret, "POST", strings.Replace(publicURL, "https", "http", 1), body, testTime), "", "signed for http://hooks.example.com/in/main"},
		"slash":       {signV3(newSecret, "POST", publicURL+"/", body, testTime), "", "signed for " + publicURL + "/"},
		"secret":      {signV3("x", "POST", publicURL, body, testTime), "", "signed with a secret that is not configured"},
		"late":        {signV3(newSecret, "POST", publicURL, body, testTime.Add(-time.Hour)), "", "more than five minutes from our clock (2026-01-02T03:04:05Z)"},
		"only v1":     {signV1(newSecret, body), "", "add accept: [v1]"},
		"nothing":     {http.Header{}, "", "header X-Hubspot-Signature-V3 is missing"},
		"not written": {http.Header{"X-Hubspot-Signature-V3": {"!"}, "X-Hubspot-Request-Timestamp": {fmt.Sprint(testTime.UnixMilli())}}, "", "is not written as hubspot writes it"},
	} {
		s := newServer(t, options(t, &recorder{}))
		r := httptest.NewRequest(http.MethodPost, "/hooks/main", strings.NewReader(body))
		r.Header, r.Host = tc.header, tc.host
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, 401, w.Code, name)
		require.NotContains(t, w.Body.String(), "signed for", "the sender learns nothing")
		c := s.Cards()[0]
		require.Contains(t, c.Why, tc.want, name)
		require.Equal(t, int64(1), c.Refused)
		require.Equal(t, testTime, c.LastRefuse)
	}
}

func TestCards(t *testing.T) {
	s := start(t, options(t, &recorder{}))
	body := "[" + hubspotEvent(1, "lifecyclestage", "v") + "]"
	post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	require.Equal(t, []string{"contact.iban"}, s.Cards()[0].Unseen, "mapped, and never in an event")
	body = "[" + hubspotEvent(1, "iban", "v") + "]"
	post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	code, _ := get(t, s, "/v1/sources")
	require.Equal(t, 401, code)
	r := httptest.NewRequest(http.MethodGet, "/v1/sources", nil)
	r.Header = bearer()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
	var got struct{ Sources []Card }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.Len(t, got.Sources, 2)
	c := got.Sources[0]
	require.Equal(t, Card{
		Hook: "main", Source: "hubspot", System: "hubspot", URL: publicURL, Proof: "signature in X-Hubspot-Signature-V3",
		Accepted: 2, LastTaken: testTime.Truncate(time.Millisecond),
	}, c)
}

func TestExamine(t *testing.T) {
	body := "[" + hubspotEvent(1, "lifecyclestage", "jane@example.com") + `,{"subscriptionType":"contact.creation"}]`
	f, err := Examine(options(t, nil), "main", []byte(body))
	require.NoError(t, err)
	require.Contains(t, f.Verdict, "body only")
	require.Equal(t, 202, f.Answer)
	require.Len(t, f.Events, 1)
	require.Contains(t, f.Events[0], "change   update hubspot/62515/contact/1")
	require.Contains(t, f.Events[0], "[lifecyclestage]")
	require.NotContains(t, f.Events[0], "jane")
	require.Equal(t, []string{"element 1: portalId is missing"}, f.Rejected)
	require.Equal(t, []string{"contact.iban"}, f.Card.Unseen)

	dump := func(secret string) []byte {
		var b strings.Builder
		b.WriteString("POST /hooks/main HTTP/1.1\nHost: edge.example.net\n")
		require.NoError(t, signV3(secret, "POST", publicURL, body, testTime).Write(&b))
		return []byte(b.String() + "\n" + body)
	}
	f, err = Examine(options(t, nil), "main", dump(newSecret))
	require.NoError(t, err)
	require.True(t, f.Proven, f.Verdict)
	f, err = Examine(options(t, nil), "main", dump("x"))
	require.NoError(t, err)
	require.False(t, f.Proven)
	require.Contains(t, f.Verdict, "refused: signed with a secret that is not configured")
	_, err = Examine(options(t, nil), "nobody", nil)
	require.ErrorContains(t, err, `there is no hook "nobody"`)
}
