package own

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
	"plumbline.dev/services/internal/privacy"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func integrations() []config.Integration {
	return []config.Integration{{
		ID: "hs-sf", Tenant: "acme",
		Source: config.Endpoint{System: "hubspot", Account: "62515"},
		Target: config.Endpoint{System: "salesforce", Account: "00D1"},
		Objects: []config.Object{
			{
				Name: "person", Source: "contact", Target: []string{"Lead", "Contact"},
				Fields: []config.FieldMap{{Source: "iban", Target: "Iban__c", Policy: privacy.Drop}},
			},
			{Name: "company", Source: "company", Target: []string{"Account"}},
		},
	}, {ID: "other", Tenant: "default", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "warehouse"}}}
}

func decoder(t testing.TB) *Decoder {
	t.Helper()
	key, err := privacy.NewKey([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	return New(NewIndex(integrations()), privacy.NewPolicy(key, integrations()))
}

func decode(t testing.TB, kind, body string) Result {
	t.Helper()
	r, err := decoder(t).Decode(kind, []byte(body), Meta{Sender: "worker", Now: now})
	require.NoError(t, err)
	return r
}

// with is a valid element with members replaced; nil removes one.
func with(base map[string]any, change map[string]any) string {
	m := map[string]any{}
	maps.Copy(m, base)
	for k, v := range change {
		m[k] = v
		if v == nil {
			delete(m, k)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

var (
	anAttempt = map[string]any{
		"id": "a1", "integration": "hs-sf", "occurred_at": "2026-01-02T03:04:05.678Z", "object": "person",
		"operation": "update", "source_id": "1801", "status": 200,
	}
	aChange = map[string]any{
		"id": "c1", "integration": "hs-sf", "system": "hubspot", "object": "person", "record_id": 1801,
		"operation": "update", "changed_at": 1767323045678,
	}
	anObservation = map[string]any{
		"id": "o1", "integration": "hs-sf", "system": "salesforce", "object": "Contact", "record_id": "003000000000001",
		"observed_at": "2026-01-02T03:04:05Z",
	}
	aSignal = map[string]any{"id": "s1", "kind": "deploy", "integration": "hs-sf", "started_at": "2026-01-02T03:04:05Z"}
)

func TestAttemptIsReadInFull(t *testing.T) {
	r := decode(t, "attempts", `{"id":"a1","integration":"hs-sf","occurred_at":"2026-01-02T03:04:05.678Z","system":"salesforce",
		"object":"person","operation":"upsert","source_id":1801,"target_id":"00Q000000000001","change_id":"c","call_id":"b","try":2,
		"retry_of":"a0","idempotency_key":"k","status":400,"code":"INVALID_EMAIL","message":"jane.doe@example.com is taken",
		"body":[{"errorCode":"X", "fields":["Email"]}],"headers":{"Retry-After":"5","Authorization":"Bearer x","Set-Cookie":"y"},
		"duration_ms":12,"actor":{"kind":"agent","id":"bot","run":"r1"},"token":"tok-1",
		"fields":{"Iban__c":"DE89","Email":"Jane@Example.com","Amount":9007199254740993,"Ok":true,"Gone":null,"List":[1, 2]},"extra":1}`)
	require.Empty(t, r.Bad)
	require.Empty(t, r.Warnings)
	require.Equal(t, 1, r.Unknown)
	a := r.Items[0].Event.(*event.Attempt)
	key := decoder(t).policy.Key()
	want := &event.Attempt{
		ID: "a1", Tenant: "acme", Integration: "hs-sf", Sender: "worker", OccurredAt: 1767323045678, ReceivedAt: event.At(now),
		System: "salesforce", Object: "person", Operation: "upsert", SourceID: "1801", TargetID: "00Q000000000001", ChangeID: "c",
		CallID: "b", Try: 2, RetryOf: "a0", IdempotencyKey: "k", Status: 400, Code: "INVALID_EMAIL",
		Message: "j***@example.com is taken", Body: `[{"errorCode":"X","fields":["Email"]}]`, DurationMS: 12, Outcome: "error",
		Headers: []event.Field{{Name: "retry-after", Value: event.Value{Text: "5"}}},
		Actor:   event.Actor{Kind: "agent", ID: "bot", Run: "r1"}, Token: "tok-1", BodyHash: a.BodyHash,
		Fields: []event.Field{
			{Name: "Amount", Value: event.Value{Kind: "number", Text: "9007199254740993"}},
			{Name: "Email", Value: event.Value{Kind: "hash", Text: key.Hash("jane@example.com"), Mask: "J***@Example.com", Len: 16}},
			{Name: "Gone", Value: event.Value{Kind: "null"}},
			{Name: "List", Value: event.Value{Kind: "json", Text: "[1,2]"}},
			{Name: "Ok", Value: event.Value{Kind: "bool", Text: "true"}},
		},
	}
	require.Equal(t, want, a)
	require.NotZero(t, a.BodyHash)
	require.Equal(t, "hubspot/62515/contact/1801", r.Items[0].Key)
}

func TestAttemptRules(t *testing.T) {
	for name, tc := range map[string]struct {
		change                map[string]any
		key, outcome, warning string
	}{
		"by the source":            {nil, "hubspot/62515/contact/1801", "ok", ""},
		"by the target's only":     {map[string]any{"source_id": nil, "target_id": "001000000000001", "object": "company"}, "salesforce/00D1/Account/001000000000001", "ok", ""},
		"by the target id's form":  {map[string]any{"source_id": nil, "target_id": "003000000000001"}, "salesforce/00D1/Contact/003000000000001", "ok", ""},
		"by the target's name":     {map[string]any{"source_id": nil, "target_id": "x", "object": "contact"}, "salesforce/00D1/Contact/x", "ok", ""},
		"first of several":         {map[string]any{"source_id": nil, "target_id": "x"}, "salesforce/00D1/Lead/x", "ok", ""},
		"unlinked":                 {map[string]any{"source_id": nil}, "hs-sf/unlinked", "ok", "unlinked: neither"},
		"a run is never unlinked":  {map[string]any{"source_id": nil, "granularity": "run", "records": map[string]any{"ok": 5, "failed": 1}}, "hs-sf/unlinked", "ok", ""},
		"unknown object":           {map[string]any{"object": "invoice"}, "hubspot/62515/invoice/1801", "ok", `object "invoice" is not mapped`},
		"unknown system":           {map[string]any{"system": "zoho"}, "hubspot/62515/contact/1801", "ok", `system "zoho" is neither side`},
		"clock ahead":              {map[string]any{"occurred_at": "2026-01-02T03:09:06Z"}, "hubspot/62515/contact/1801", "ok", "5m1s ahead of our clock"},
		"clock ahead, a little":    {map[string]any{"occurred_at": "2026-01-02T03:09:05Z"}, "hubspot/62515/contact/1801", "ok", ""},
		"error by status":          {map[string]any{"status": 500}, "hubspot/62515/contact/1801", "error", ""},
		"several matches":          {map[string]any{"status": 300}, "hubspot/62515/contact/1801", "error", ""},
		"outcome without status":   {map[string]any{"status": nil, "outcome": "error"}, "hubspot/62515/contact/1801", "error", ""},
		"outcome against status":   {map[string]any{"status": 500, "outcome": "ok"}, "hubspot/62515/contact/1801", "ok", "status is 500"},
		"unknown actor":            {map[string]any{"actor": map[string]any{"kind": "alien"}}, "hubspot/62515/contact/1801", "ok", "actor.kind is not known"},
		"the credential as token":  {map[string]any{"token": "pat-eu1-1234567890-1234567890"}, "hubspot/62515/contact/1801", "ok", "token looks like the credential"},
		"seconds since 1970":       {map[string]any{"occurred_at": 1767323045}, "hubspot/62515/contact/1801", "ok", ""},
		"fractions of a second":    {map[string]any{"occurred_at": 1767323045.678}, "hubspot/62515/contact/1801", "ok", ""},
		"a time with another zone": {map[string]any{"occurred_at": "2026-01-02T05:04:05+02:00"}, "hubspot/62515/contact/1801", "ok", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := decode(t, "attempts", with(anAttempt, tc.change))
			require.Empty(t, r.Bad)
			require.Equal(t, tc.key, r.Items[0].Key)
			a := r.Items[0].Event.(*event.Attempt)
			require.Equal(t, tc.outcome, a.Outcome)
			require.NotContains(t, a.Token, "1234567890")
			require.InDelta(t, float64(event.At(now)), float64(a.OccurredAt), 302_000)
			if tc.warning == "" {
				require.Empty(t, r.Warnings)
				return
			}
			require.Len(t, r.Warnings, 1)
			require.Contains(t, r.Warnings[0].Reason, tc.warning)
		})
	}
}

func TestRefusedElements(t *testing.T) {
	for name, tc := range map[string]struct {
		kind         string
		element      string
		code, reason string
	}{
		"no integration":      {"attempts", with(anAttempt, map[string]any{"integration": nil}), wire.CodeInvalid, "integration is missing"},
		"unknown integration": {"attempts", with(anAttempt, map[string]any{"integration": "x"}), wire.CodeIntegration, `integration "x" is not configured; known are hs-sf, other`},
		"no outcome":          {"attempts", with(anAttempt, map[string]any{"status": nil}), wire.CodeInvalid, "outcome is missing"},
		"bad outcome":         {"attempts", with(anAttempt, map[string]any{"outcome": "fine"}), wire.CodeInvalid, `outcome is "fine", want one of ok, error`},
		"no object":           {"attempts", with(anAttempt, map[string]any{"object": nil}), wire.CodeInvalid, "object is missing"},
		"bad operation":       {"attempts", with(anAttempt, map[string]any{"operation": "merge"}), wire.CodeInvalid, `operation is "merge"`},
		"no time":             {"attempts", with(anAttempt, map[string]any{"occurred_at": nil}), wire.CodeInvalid, "occurred_at is missing"},
		"time without a zone": {"attempts", with(anAttempt, map[string]any{"occurred_at": "2026-01-02T03:04:05"}), wire.CodeInvalid, "occurred_at is not a time"},
		"time before 1970":    {"attempts", with(anAttempt, map[string]any{"occurred_at": -5}), wire.CodeInvalid, "occurred_at is not a time"},
		"status as text":      {"attempts", with(anAttempt, map[string]any{"status": "200"}), wire.CodeInvalid, "status is not an HTTP status"},
		"status beyond":       {"attempts", with(anAttempt, map[string]any{"status": 1000}), wire.CodeInvalid, "status is not an HTTP status"},
		"status 1e400":        {"attempts", strings.Replace(with(anAttempt, nil), ":200", ":1e400", 1), wire.CodeInvalid, "status is not an HTTP status"},
		"time 1e400":          {"attempts", strings.Replace(with(anAttempt, nil), `"2026-01-02T03:04:05.678Z"`, "1e400", 1), wire.CodeInvalid, "occurred_at is not a time"},
		"try beyond 2^63":     {"attempts", strings.Replace(with(anAttempt, nil), ":200", `:200,"try":9223372036854775809`, 1), wire.CodeInvalid, "try is not a whole number"},
		"negative duration":   {"attempts", with(anAttempt, map[string]any{"duration_ms": -1}), wire.CodeInvalid, "duration_ms is not a whole number"},
		"duplicate name":      {"attempts", strings.Replace(with(anAttempt, nil), "{", `{"id":"b",`, 1), wire.CodeInvalid, "a name stands twice"},
		"duplicate field":     {"attempts", strings.Replace(with(anAttempt, nil), "{", `{"fields":{"a":1,"a":2},`, 1), wire.CodeInvalid, "a name stands twice"},
		"ID for id":           {"attempts", strings.Replace(with(anAttempt, nil), `"object"`, `"Object"`, 1), wire.CodeInvalid, "object is missing"},
		"control in an id":    {"attempts", with(anAttempt, map[string]any{"source_id": "a\x00b"}), wire.CodeInvalid, "source_id contains a control character"},
		"lone surrogate":      {"attempts", strings.Replace(with(anAttempt, nil), `"a1"`, `"\udc00"`, 1), wire.CodeInvalid, "not JSON at byte"},
		"invalid UTF-8":       {"attempts", strings.Replace(with(anAttempt, nil), `"a1"`, "\"\xc3\"", 1), wire.CodeInvalid, "not JSON at byte"},
		"fields as a list":    {"attempts", with(anAttempt, map[string]any{"fields": []int{1}}), wire.CodeInvalid, "fields is not an object"},
		"field without name":  {"attempts", with(anAttempt, map[string]any{"fields": map[string]any{"": 1}}), wire.CodeInvalid, "field name that is empty"},
		"not an object":       {"attempts", `7`, wire.CodeInvalid, "element is not an object"},
		"broken":              {"attempts", `{"id":}`, wire.CodeSyntax, "not JSON at byte"},
		"too big":             {"attempts", with(anAttempt, map[string]any{"message": strings.Repeat("x", wire.MaxElement)}), wire.CodeTooBig, "the limit is 1048576"},
		"change: system":      {"changes", with(aChange, map[string]any{"system": "zoho"}), wire.CodeInvalid, "expected hubspot or salesforce"},
		"change: account":     {"changes", with(aChange, map[string]any{"account": "9"}), wire.CodeInvalid, `with account "9"`},
		"change: no record":   {"changes", with(aChange, map[string]any{"record_id": nil}), wire.CodeInvalid, "record_id is missing"},
		"change: operation":   {"changes", with(aChange, map[string]any{"operation": "read"}), wire.CodeInvalid, `operation is "read"`},
		"observation: found":  {"observations", with(anObservation, map[string]any{"found_by": "luck"}), wire.CodeInvalid, `found_by is "luck"`},
		"signal: kind":        {"signals", with(aSignal, map[string]any{"kind": "weather"}), wire.CodeInvalid, `kind is "weather"`},
		"signal: integration": {"signals", with(aSignal, map[string]any{"integration": "x"}), wire.CodeIntegration, "known are hs-sf, other"},
	} {
		t.Run(name, func(t *testing.T) {
			good := map[string]map[string]any{"attempts": anAttempt, "changes": aChange, "observations": anObservation, "signals": aSignal}[tc.kind]
			r := decode(t, tc.kind, "["+tc.element+","+with(good, nil)+"]")
			require.Len(t, r.Items, 1, "the good neighbour goes on")
			require.Len(t, r.Bad, 1)
			require.Equal(t, 0, r.Bad[0].Index)
			require.Equal(t, tc.code, r.Bad[0].Code)
			require.Contains(t, r.Bad[0].Reason, tc.reason)
		})
	}
}

func TestChangesAreTranslatedToTheirSide(t *testing.T) {
	for name, tc := range map[string]struct {
		change      map[string]any
		key, object string
		warnings    int
	}{
		"integration's name, source": {nil, "hubspot/62515/contact/1801", "contact", 0},
		"native name, source":        {map[string]any{"object": "contact"}, "hubspot/62515/contact/1801", "contact", 0},
		"integration's name, target": {map[string]any{"system": "salesforce", "record_id": "003000000000001"}, "salesforce/00D1/Contact/003000000000001", "Contact", 0},
		"native name, target":        {map[string]any{"system": "salesforce", "object": "Lead"}, "salesforce/00D1/Lead/1801", "Lead", 0},
		"not mapped":                 {map[string]any{"object": "invoice"}, "hubspot/62515/invoice/1801", "invoice", 1},
	} {
		r := decode(t, "changes", with(aChange, tc.change))
		require.Empty(t, r.Bad, name)
		require.Len(t, r.Warnings, tc.warnings, name)
		require.Equal(t, tc.key, r.Items[0].Key, name)
		c := r.Items[0].Event.(*event.Change)
		require.Equal(t, tc.object, c.Object, name)
		require.Equal(t, "hs-sf", c.Integration)
		require.Equal(t, "acme", c.Tenant)
		require.Equal(t, "worker", c.Hook)
	}
	r := decode(t, "changes", with(aChange, map[string]any{
		"operation": "merge", "merged_into": 7, "merged_ids": []any{8, "9"}, "fields": map[string]any{"iban": "DE89", "email": "a@b.c"},
	}))
	c := r.Items[0].Event.(*event.Change)
	require.Equal(t, "7", c.MergedInto)
	require.Equal(t, []string{"8", "9"}, c.MergedIDs)
	require.Len(t, c.Fields, 1, "iban is dropped")
	require.Equal(t, event.KindHash, c.Fields[0].Value.Kind)
}

func TestObservationsAndSignals(t *testing.T) {
	r := decode(t, "observations", with(anObservation, map[string]any{
		"found_by": "poll", "whole": true, "missing": false, "resolution_ms": 60000, "modified_at": 1767323000,
		"writer": map[string]any{"kind": "user", "id": 5}, "external_id": "1801", "fields": map[string]any{"Email": "a@b.c"},
	}))
	o := r.Items[0].Event.(*event.Observation)
	require.Equal(t, "salesforce/00D1/Contact/003000000000001", r.Items[0].Key)
	require.True(t, o.Whole)
	require.Equal(t, event.Time(1767323000000), o.ModifiedAt)
	require.Equal(t, event.Actor{Kind: "user", ID: "5"}, o.Writer)
	require.Equal(t, event.KindHash, o.Fields[0].Value.Kind)

	r = decode(t, "signals", with(aSignal, map[string]any{"detail": map[string]any{"version": "1.2"}, "summary": "by jane@example.com"}))
	s := r.Items[0].Event.(*event.Signal)
	require.Equal(t, "hs-sf/signal", r.Items[0].Key)
	require.Equal(t, "by j***@example.com", s.Summary)
	require.Equal(t, "acme", s.Tenant)
	r = decode(t, "signals", with(aSignal, map[string]any{"integration": nil, "system": "hubspot"}))
	require.Equal(t, "hubspot/signal", r.Items[0].Key)
}

// Without an id, equal content is one event, however it is written.
func TestContentIDs(t *testing.T) {
	id := func(body string) string {
		return decode(t, "attempts", body).Items[0].Event.(*event.Attempt).ID
	}
	a := `{"integration":"hs-sf","occurred_at":1767323045,"object":"person","operation":"update","status":200,"fields":{"n":9007199254740993}}`
	b := "{ \"fields\": {\"n\":9007199254740993},\n\"status\":200,\"operation\":\"upd\\u0061te\",\"object\":\"person\",\"occurred_at\":1767323045,\"integration\":\"hs-sf\"}"
	require.Equal(t, id(a), id(b))
	require.NotEqual(t, id(a), id(strings.Replace(a, "993", "992", 1)), "numbers beyond 2^53 differ")
	require.Len(t, id(a), 32)
}

func TestBodyForms(t *testing.T) {
	one, two := with(anAttempt, nil), with(anAttempt, map[string]any{"id": "a2"})
	for name, tc := range map[string]struct {
		body       string
		lines      bool
		items, bad int
	}{
		"object":                   {one, false, 1, 0},
		"array":                    {"[" + one + "," + two + "]", false, 2, 0},
		"empty array":              {"[]", false, 0, 0},
		"NDJSON, declared":         {one + "\n" + two + "\n\n", true, 2, 0},
		"NDJSON, found":            {one + "\r\n" + two, false, 2, 0},
		"NDJSON, a broken line":    {one + "\n{\"id\":\n" + two, true, 2, 1},
		"NDJSON, broken and found": {one + "\n{\"id\":\n" + two, false, 2, 1},
		"NDJSON, array in a line":  {one + "\n[1]\n" + two, true, 2, 1},
	} {
		r, err := decoder(t).Decode("attempts", []byte(tc.body), Meta{Now: now, Lines: tc.lines})
		require.NoError(t, err, name)
		require.Len(t, r.Items, tc.items, name)
		require.Len(t, r.Bad, tc.bad, name)
	}
	for name, body := range map[string]string{
		"empty": "", "text": "hello", "cut": one[:30], "cut array": "[" + one + ",", "all broken": "[x,y]", "number": "7",
		"deep": strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000),
	} {
		_, err := decoder(t).Decode("attempts", []byte(body), Meta{Now: now})
		require.ErrorIs(t, err, wire.ErrSyntax, name)
	}
	_, err := decoder(t).Decode("attempts", []byte(strings.Repeat("{}\n", MaxElements+1)), Meta{Now: now})
	require.ErrorIs(t, err, wire.ErrTooMany)
}

func TestAnswerIsBounded(t *testing.T) {
	headers := map[string]any{
		"Retry-After": 5, "X-HubSpot-RateLimit-Daily": "1", "X-HubSpot-Signature-v3": "s", "Sforce-Limit-Info": strings.Repeat("x", 900),
		"WWW-Authenticate": `Bearer realm="https://secret", error="invalid_token", token="abc"`, "Cookie": "c", "X-Api-Key": "k",
		"Proxy-Authorization": "p", "X-Request-Id": "r", "x-ratelimit-token": "t",
	}
	r := decode(t, "attempts", with(anAttempt, map[string]any{
		"headers": headers, "body": strings.Repeat("é", 20_000), "message": strings.Repeat("m", 5000),
	}))
	a := r.Items[0].Event.(*event.Attempt)
	require.Len(t, a.Body, maxBody)
	require.Len(t, a.Message, maxMessage)
	var got []string
	for _, h := range a.Headers {
		got = append(got, fmt.Sprintf("%s=%.60s", h.Name, h.Value.Text))
	}
	require.Equal(t, []string{
		"retry-after=5", "sforce-limit-info=" + strings.Repeat("x", 60), `www-authenticate=Bearer error="invalid_token"`,
		"x-hubspot-ratelimit-daily=1", "x-request-id=r",
	}, got)
	require.Len(t, a.Headers[1].Value.Text, maxHeader)
}

func FuzzAttempts(f *testing.F) {
	f.Add(with(anAttempt, nil), false)
	f.Add("["+with(anAttempt, map[string]any{"fields": map[string]any{"email": "a@b.c", "n": 1}, "headers": map[string]any{"date": "x"}})+"]", false)
	f.Add("{}\n{}", true)
	d := decoder(f)
	f.Fuzz(func(t *testing.T, body string, lines bool) {
		for _, kind := range Kinds {
			r, err := d.Decode(kind, []byte(body), Meta{Sender: "fuzz", Now: now, Lines: lines})
			if err != nil {
				continue
			}
			if len(r.Items)+len(r.Bad) != r.Total {
				t.Fatalf("%d items and %d bad of %d", len(r.Items), len(r.Bad), r.Total)
			}
			for _, x := range r.Items {
				if err := x.Event.Validate(); err != nil {
					t.Fatal(err)
				}
			}
			again, err := d.Decode(kind, []byte(body), Meta{Sender: "fuzz", Now: now, Lines: lines})
			require.NoError(t, err)
			require.Equal(t, r, again)
		}
	})
}

func BenchmarkAttempt(b *testing.B) {
	d := decoder(b)
	body := []byte(with(anAttempt, map[string]any{"fields": map[string]any{"email": "a@b.c", "stage": "x"}}))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode("attempts", body, Meta{Sender: "s", Now: now}); err != nil {
			b.Fatal(err)
		}
	}
}
