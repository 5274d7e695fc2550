package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

const aClick = `{"integration":"hs-sf","kind":"accept","subject":"d1","object":"contact","record_key":"1801","reason":"jane@example.com asked for it","by":"ann","until":"2026-02-01T00:00:00Z"}`

func TestClicks(t *testing.T) {
	p := &recorder{}
	s := newServer(t, options(t, p))
	w := post(s, "/v1/clicks", "["+aClick+`,{"kind":"silence","subject":"a1","by":"ann","at":"2026-01-02T03:00:00Z"},{"kind":"shout","subject":"a1","by":"ann"}]`, bearer())
	require.Equal(t, 202, w.Code, w.Body)
	require.JSONEq(t, `{"accepted":2,"dead_lettered":[{"index":2,"reason":"invalid event: kind is \"shout\", want one of acknowledge, silence, unsilence, mitigate, waive, resolve, accept, reopen, tick, reset, recheck"}]}`, w.Body.String())
	m := p.take()
	c := m[0].Event.(*event.Click)
	require.NoError(t, c.Validate())
	require.Equal(t, "hs-sf/click/d1", m[0].Key)
	require.Equal(t, "acme", c.Tenant)
	require.Equal(t, "jane@example.com asked for it", c.Reason, "a person's words are kept")
	require.Equal(t, event.At(testTime), c.At, "now, unless said otherwise")
	require.NotZero(t, c.Until)
	require.Equal(t, "/click/a1", m[1].Key)

	post(s, "/v1/clicks", aClick, bearer())
	require.Equal(t, c.ID, p.take()[0].Event.(*event.Click).ID, "sent again, it is the same click")
}

func ce(data string) string {
	return `{"specversion":"1.0","id":"A1","source":"/worker","type":"dev.plumbline.attempt","time":"2026-01-02T03:04:05Z","datacontenttype":"application/json","data":` + data + `}`
}

const timeless = `{"integration":"hs-sf","object":"contact","operation":"update","source_id":"1","status":200}`

// One attempt in each of CloudEvents' modes is the same event.
func TestCloudEventsModes(t *testing.T) {
	id := event.Hash("cloudevents", "/worker", "A1")
	for name, tc := range map[string]struct {
		body   string
		header http.Header
	}{
		"structured": {ce(timeless), bearer("Content-Type", "application/cloudevents+json; charset=UTF-8")},
		"batched":    {"[" + ce(timeless) + "]", bearer("Content-Type", "application/cloudevents-batch+json")},
		"binary": {timeless, bearer("Content-Type", "application/json", "ce-specversion", "1.0", "ce-id", "A1",
			"ce-source", "%2Fworker", "ce-type", "dev.plumbline.attempt", "ce-time", "2026-01-02T03:04:05Z")},
	} {
		p := &recorder{}
		w := post(newServer(t, options(t, p)), "/v1/attempts", tc.body, tc.header)
		require.JSONEq(t, `{"accepted":1}`, w.Body.String(), name)
		a := p.take()[0].Event.(*event.Attempt)
		require.Equal(t, id, a.ID, name)
		require.Equal(t, event.Time(1767323045000), a.OccurredAt, name)
	}
}

func TestCloudEventsRefusals(t *testing.T) {
	structured := bearer("Content-Type", "application/cloudevents+json")
	for name, tc := range map[string]struct {
		body, reason string
		header       http.Header
	}{
		"version":       {strings.Replace(ce(timeless), "1.0", "0.3", 1), "specversion is not 1.0", structured},
		"no source":     {strings.Replace(ce(timeless), "/worker", "", 1), "needs id, source and type", structured},
		"no data":       {`{"specversion":"1.0","id":"1","source":"x","type":"y"}`, "data is missing", structured},
		"binary data":   {`{"specversion":"1.0","id":"1","source":"x","type":"y","data_base64":"e30="}`, "data_base64 is not supported", structured},
		"bad time":      {strings.Replace(ce(timeless), "2026-01-02T03:04:05Z", "noon", 1), "time of the envelope is not a time", structured},
		"bare in batch": {timeless, "specversion is not 1.0", structured},
	} {
		p := &recorder{}
		w := post(newServer(t, options(t, p)), "/v1/attempts", "["+tc.body+","+strings.Replace(ce(goodAttempt), "A1", "A2", 1)+"]", tc.header)
		require.Equal(t, 202, w.Code, name)
		require.Contains(t, w.Body.String(), tc.reason, name)
		require.Len(t, p.take(), 2, "the neighbour goes on")
	}
	w := post(newServer(t, options(t, &recorder{})), "/v1/attempts", timeless, bearer("ce-specversion", "1.0", "ce-id", "%ff", "ce-source", "x", "ce-type", "y"))
	require.Equal(t, 400, w.Code)
	w = post(newServer(t, options(t, &recorder{})), "/v1/attempts", "["+goodAttempt+","+goodAttempt+"]",
		bearer("ce-specversion", "1.0", "ce-id", "1", "ce-source", "x", "ce-type", "y"))
	require.Equal(t, 400, w.Code, "one envelope, one element")
}

const whsec = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func signStandard(secret, id, body string, at int64) http.Header {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%d.%s", id, at, body)
	return http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(at)},
		"Webhook-Signature": {"v1a,AAAA v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))},
	}
}

// signedOptions have a second sender, who signs.
func signedOptions(t testing.TB, p Producer) Options {
	o := options(t, p)
	o.Config.Senders[0].Tokens = append(o.Config.Senders[0].Tokens, "env:WHSEC")
	o.Secrets = secretsWith(o.Secrets, "env:WHSEC", whsec)
	return o
}

func TestStandardWebhooksSender(t *testing.T) {
	p := &recorder{}
	s := newServer(t, signedOptions(t, p))
	body := `{"type":"attempt","timestamp":"2026-01-02T03:04:05Z","data":` + timeless + `}`
	w := post(s, "/v1/attempts", body, signStandard(whsec, "msg_1", body, testTime.Unix()))
	require.JSONEq(t, `{"accepted":1}`, w.Body.String())
	a := p.take()[0].Event.(*event.Attempt)
	require.Equal(t, "worker", a.Sender)
	require.Equal(t, event.Hash("standardwebhooks", "msg_1"), a.ID)
	require.Equal(t, event.Time(1767323045000), a.OccurredAt)

	w = post(s, "/v1/attempts", goodAttempt, signStandard(whsec, "msg_2", goodAttempt, testTime.Unix()))
	require.JSONEq(t, `{"accepted":1}`, w.Body.String(), "bare")
	require.Equal(t, "a1", p.take()[0].Event.(*event.Attempt).ID)

	late := signStandard(whsec, "msg_1", body, testTime.Unix()-301)
	for name, h := range map[string]http.Header{
		"late": late, "other secret": signStandard("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "msg_1", body, testTime.Unix()),
		"the secret as a token": {"Authorization": {"Bearer " + whsec}}, "none": {},
	} {
		require.Equal(t, 401, post(s, "/v1/attempts", body, h).Code, name)
	}
	require.Empty(t, p.take())
}

func TestAccessLog(t *testing.T) {
	p := &recorder{}
	s := newServer(t, options(t, p))
	line := func(extra string) string {
		return `{"system":"salesforce","token":"drift","operation":"query","at":"2026-01-02T03:00:00Z"` + extra + `}`
	}
	body := "[" + strings.Join([]string{
		line(`,"network":"185.220.101.7","user_agent":"python-requests/2.32.4","object":"Case","rows":2000`),
		line(`,"network":"2001:db8:1:2::3"`), line(`,"network":"AS13335"`), line(`,"network":"::ffff:10.1.2.3"`),
		strings.Replace(line(""), `"query"`, `"stare"`, 1), strings.Replace(line(""), `"drift"`, `"Bearer 00D5e000001AbCd!AQEAQ"`, 1),
	}, ",") + "]"
	w := post(s, "/v1/access", body, bearer())
	require.Equal(t, 202, w.Code, w.Body)
	require.Contains(t, w.Body.String(), `"accepted":5`)
	require.Contains(t, w.Body.String(), `operation is \"stare\"`)
	var networks []string
	for _, m := range p.take() {
		if a, ok := m.Event.(*event.Access); ok {
			require.NoError(t, a.Validate())
			networks = append(networks, a.Network)
			require.NotContains(t, a.Token, "Bearer", "never the credential itself")
		}
	}
	require.Equal(t, []string{"185.220.101.0/24", "2001:db8:1::/48", "AS13335", "10.1.2.0/24", ""}, networks, "no address of a person")
}
