package ingest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

func hubspotEvent(object int, property, value string) string {
	return fmt.Sprintf(`{"eventId":%d,"subscriptionId":2,"portalId":62515,"occurredAt":1767323000000,"subscriptionType":"contact.propertyChange",`+
		`"attemptNumber":0,"objectId":%d,"propertyName":%q,"propertyValue":%q,"changeSource":"CRM_UI","sourceId":"userId:5"}`, 7000+object, object, property, value)
}

func TestHookMakesChangesDurable(t *testing.T) {
	p := &recorder{}
	s := newServer(t, options(t, p))
	body := "[" + hubspotEvent(1, "lifecyclestage", "lead") + "," + hubspotEvent(2, "email", "Jane@Example.com") + "," +
		hubspotEvent(3, "iban", "DE89") + `,{"eventId":1,"subscriptionType":"conversation.creation","portalId":1,"occurredAt":1}]`
	w := post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	require.Equal(t, http.StatusAccepted, w.Code, w.Body)
	require.JSONEq(t, `{"accepted":4}`, w.Body.String())
	require.Equal(t, 1, p.calls, "one write a request")
	m := p.take()
	require.Len(t, m, 3)
	for i, x := range m {
		require.Equal(t, topic.Intake, x.Topic)
		require.Equal(t, fmt.Sprintf("hubspot/62515/contact/%d", i+1), x.Key)
		require.Equal(t, event.At(testTime), x.Time)
		c := x.Event.(*event.Change)
		require.Equal(t, "main", c.Hook)
		require.Equal(t, event.At(testTime), c.ReceivedAt)
	}
	require.Equal(t, "lead", m[0].Event.(*event.Change).Fields[0].Value.Text)
	require.Equal(t, event.Value{Kind: event.KindHash, Text: testKey(t).Hash("jane@example.com"), Mask: "J***@Example.com", Len: 16},
		m[1].Event.(*event.Change).Fields[0].Value)
	require.Empty(t, m[2].Event.(*event.Change).Fields, "dropped")
}

func TestHookSignatures(t *testing.T) {
	body := hubspotEvent(1, "p", "v")
	older := strings.Replace(publicURL, "main", "older", 1)
	v3 := func(secret, uri string, at time.Time) http.Header { return signV3(secret, "POST", uri, body, at) }
	both := v3("wrong", older, testTime)
	both["X-Hubspot-Signature"] = signV1(newSecret, body)["X-Hubspot-Signature"]
	twice := v3(newSecret, publicURL, testTime)
	twice["X-Hubspot-Signature-V3"] = append(twice["X-Hubspot-Signature-V3"], "x")
	for name, tc := range map[string]struct {
		path   string
		header http.Header
		code   int
	}{
		"v3":                          {"/hooks/main", v3(newSecret, publicURL, testTime), 202},
		"v3, the old secret":          {"/hooks/main", v3(oldSecret, publicURL, testTime), 202},
		"v3, no known secret":         {"/hooks/main", v3("x", publicURL, testTime), 401},
		"v3, five minutes old":        {"/hooks/main", v3(newSecret, publicURL, testTime.Add(-5*time.Minute)), 202},
		"v3, older":                   {"/hooks/main", v3(newSecret, publicURL, testTime.Add(-5*time.Minute-time.Millisecond)), 401},
		"v3, from the future":         {"/hooks/main", v3(newSecret, publicURL, testTime.Add(5*time.Minute+time.Millisecond)), 401},
		"v3, for another hook":        {"/hooks/main", v3(newSecret, older, testTime), 401},
		"v3, query":                   {"/hooks/main?a=1&b=%3A", v3(newSecret, publicURL+"?a=1&b=%3A", testTime), 202},
		"v3, query decoded":           {"/hooks/main?a=1&b=%3A", v3(newSecret, publicURL+"?a=1&b=:", testTime), 202},
		"v3, another query":           {"/hooks/main?a=2", v3(newSecret, publicURL+"?a=1", testTime), 401},
		"v3, two signatures":          {"/hooks/main", twice, 401},
		"v1 where it is not accepted": {"/hooks/main", signV1(newSecret, body), 401},
		"v1 where it is":              {"/hooks/older", signV1(newSecret, body), 202},
		"v1 beside a wrong v3":        {"/hooks/older", both, 401},
		"v1, wrong secret":            {"/hooks/older", signV1(oldSecret, body), 401},
		"v3 where v1 is accepted":     {"/hooks/older", v3(newSecret, older, testTime), 202},
		"none":                        {"/hooks/main", http.Header{}, 401},
		"unknown hook":                {"/hooks/nobody", v3(newSecret, publicURL, testTime), 404},
		"no hook":                     {"/hooks/", v3(newSecret, publicURL, testTime), 404},
	} {
		t.Run(name, func(t *testing.T) {
			p := &recorder{}
			w := post(newServer(t, options(t, p)), tc.path, body, tc.header)
			require.Equal(t, tc.code, w.Code, w.Body)
			if tc.code != 202 {
				require.Zero(t, p.calls, "nothing of a refused request is written")
				require.NotContains(t, w.Body.String(), newSecret)
			}
		})
	}
}

func TestHookDeadLettersOneOfAHundred(t *testing.T) {
	var events []string
	for i := range 100 {
		events = append(events, hubspotEvent(i, "p", "v"))
	}
	events[41] = strings.Replace(events[41], `"objectId":41`, `"objectId":{"private":"jane@example.com"}`, 1)
	body := "[" + strings.Join(events, ",") + "]"
	p := &recorder{}
	s := newServer(t, options(t, p))
	w := post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	require.Equal(t, 202, w.Code)
	require.JSONEq(t, `{"accepted":99,"dead_lettered":[{"index":41,"reason":"objectId is not an id: expected text or a whole number"}]}`, w.Body.String())
	m := p.take()
	require.Len(t, m, 100)
	require.Equal(t, 1, p.calls)
	last := m[99]
	require.Equal(t, topic.DeadLetters, last.Topic)
	require.Equal(t, "hook:main", last.Key)
	d := last.Event.(*event.DeadLetter)
	require.NoError(t, d.Validate())
	require.Equal(t, 41, d.Index)
	require.Equal(t, "acme", d.Tenant)
	require.True(t, d.Sealed)
	require.Equal(t, testKey(t).ID(), d.KeyID)
	require.NotContains(t, string(d.Bytes), "jane")
	plain, err := testKey(t).Open(d.Tenant, d.Origin, d.Bytes)
	require.NoError(t, err)
	require.Equal(t, events[41], string(plain), "its bytes are kept")

	again := post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime.Add(time.Minute)))
	require.Equal(t, 202, again.Code)
	for i, x := range p.take() {
		if c, ok := x.Event.(*event.Change); ok {
			require.Equal(t, m[i].Event.(*event.Change).ID, c.ID, "a redelivery has the same ids")
			require.Equal(t, m[i].Event.(*event.Change).BodyHash, c.BodyHash)
		} else {
			require.Equal(t, d.ID, x.Event.(*event.DeadLetter).ID)
		}
	}
}

func TestHookRefusesBodies(t *testing.T) {
	for name, tc := range map[string]struct {
		body, contentType, encoding string
		code                        int
	}{
		"not JSON":      {"hello", "application/json", "", 400},
		"empty":         {"", "application/json", "", 400},
		"truncated":     {"[" + hubspotEvent(1, "p", "v"), "application/json", "", 400},
		"deep":          {strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), "application/json", "", 400},
		"a form":        {"a=b", "application/x-www-form-urlencoded", "", 415},
		"other charset": {"[]", "application/json; charset=latin1", "", 415},
		"compressed":    {"[]", "application/json", "gzip", 415},
		"no type":       {"[]", "", "", 202},
		"UTF-8":         {"[]", "application/json;charset=UTF-8", "", 202},
	} {
		t.Run(name, func(t *testing.T) {
			h := signV3(newSecret, "POST", publicURL, tc.body, testTime)
			h.Set("Content-Type", tc.contentType)
			if tc.encoding != "" {
				h.Set("Content-Encoding", tc.encoding)
			}
			p := &recorder{}
			w := post(newServer(t, options(t, p)), "/hooks/main", tc.body, h)
			require.Equal(t, tc.code, w.Code, w.Body)
			require.Zero(t, p.calls)
		})
	}
}

func TestHookAsksAgainWhileTheLogIsAway(t *testing.T) {
	p := &recorder{err: errAway}
	s := newServer(t, options(t, p))
	body := hubspotEvent(1, "p", "v")
	w := post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	require.Equal(t, 503, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	require.NotContains(t, w.Body.String(), errAway.Error(), "the sender learns nothing of our insides")
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	o := options(t, &recorder{})
	o.Registerer = reg
	s := newServer(t, o)
	body := "[" + hubspotEvent(1, "p", "v") + `,{"subscriptionType":"event.completed"},{"a":1}]`
	post(s, "/hooks/main", body, signV3(newSecret, "POST", publicURL, body, testTime))
	post(s, "/hooks/main", body, signV3("x", "POST", publicURL, body, testTime))
	post(s, "/hooks/nobody", body, http.Header{})
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP plumbline_ingest_dead_letters_total Elements that could not be decoded.
# TYPE plumbline_ingest_dead_letters_total counter
plumbline_ingest_dead_letters_total{code="invalid",route="hooks/main"} 1
# HELP plumbline_ingest_signature_failures_total Requests refused by signature or token.
# TYPE plumbline_ingest_signature_failures_total counter
plumbline_ingest_signature_failures_total{reason="mismatch",route="hooks/main"} 1
`), "plumbline_ingest_dead_letters_total", "plumbline_ingest_signature_failures_total"))
	require.InDelta(t, 1, testutil.ToFloat64(s.metrics.events.WithLabelValues("hooks/main")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(s.metrics.ignored.WithLabelValues("hooks/main")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(s.metrics.requests.WithLabelValues("hooks/main", "202")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(s.metrics.requests.WithLabelValues("hooks/main", "401")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(s.metrics.requests.WithLabelValues("unknown", "404")), 0)
	require.InDelta(t, 0, testutil.ToFloat64(s.metrics.inflight), 0)
	require.Zero(t, s.inflight.Load())
}
