package sources

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// decoders by the source's name, and what their hooks say beforehand.
var decoders = map[string]struct {
	Decoder
	Meta
}{
	"airbyte":     {Airbyte, Meta{Runs: map[string]string{"64d901a1-2520-4d91-93c8-9df438668ff0": "hs-sf"}}},
	"attio":       {Attio, Meta{Header: http.Header{"Idempotency-Key": {"delivery-1"}}}},
	"census":      {Census, Meta{Integration: "hs-sf"}},
	"close":       {Close, Meta{}},
	"cloudevents": {JSON, Meta{System: "other", Account: "portal-1"}},
	"dataverse":   {Dataverse, Meta{}},
	"fivetran":    {Fivetran, Meta{Integration: "hs-sf"}},
	"hightouch":   {Hightouch, Meta{Integration: "hs-sf"}},
	"intercom":    {Intercom, Meta{}},
	"merge":       {Merge, Meta{Integration: "hs-sf"}},
	"nango":       {Nango, Meta{Runs: map[string]string{"hubspot/contacts": "hs-sf", "hubspot": "hs-sf"}}},
	"outreach":    {Outreach, Meta{}},
	"pipedrive":   {Pipedrive, Meta{}},
	"salesforce":  {Salesforce, Meta{Account: "00D000000000042"}},
	"salesloft":   {Salesloft, Meta{Header: http.Header{"X-Salesloft-Event": {"task_created"}}}},
	"standard":    {JSON, Meta{System: "other", Header: http.Header{"Webhook-Id": {"msg_1"}}}},
	"statuspage":  {Statuspage, Meta{System: "hubspot"}},
	"zendesk":     {Zendesk, Meta{}},
	"zoho":        {Zoho, Meta{}},
}

func metaOf(source string) Meta {
	m := decoders[source].Meta
	m.Hook, m.ReceivedAt = "main", meta.ReceivedAt
	if m.System == "" {
		m.System = source
	}
	return m
}

type decoded struct {
	Ignored int `json:",omitempty"`
	Events  []any
}

// What each sample becomes is reviewed in its golden file.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/samples/*")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, path := range files {
		if strings.HasSuffix(path, ".golden") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			source, _, _ := strings.Cut(filepath.Base(path), ".")
			seen[source] = true
			body, err := os.ReadFile(path)
			require.NoError(t, err)
			r, err := decoders[source].Decoder(body, metaOf(source))
			require.NoError(t, err)
			require.Empty(t, r.Bad)
			out := decoded{Ignored: r.Ignored}
			for _, c := range r.Changes {
				out.add(t, c)
			}
			for _, e := range r.Others {
				out.add(t, e)
			}
			b, err := json.MarshalIndent(out, "", " ")
			require.NoError(t, err)
			require.NotContains(t, string(b), "secretsession", "a live credential")
			golden := path + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, append(b, '\n'), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), string(b)+"\n")
		})
	}
	require.Len(t, seen, len(decoders), "every source has a sample")
}

// add shows only what is set.
func (d *decoded) add(t *testing.T, e event.Event) {
	t.Helper()
	require.NoError(t, e.Validate())
	b, err := json.Marshal(e)
	require.NoError(t, err)
	var m map[string]any
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&m))
	for k, v := range m {
		if v == nil || v == "" || v == false || v == json.Number("0") {
			delete(m, k)
		}
	}
	m[""] = string(e.EventType())
	d.Events = append(d.Events, m)
}

// A delivery that is repeated is the same event with the same content,
// whatever counts its tries.
func TestRedeliveriesAreRecognised(t *testing.T) {
	for _, tc := range []struct{ source, file, counter, again string }{
		{"pipedrive", "pipedrive.v2_change_deal.json", `"attempt": 1`, `"attempt": 2`},
		{"pipedrive", "pipedrive.v1_added_deal.json", `"retry": 0`, `"retry": 2`},
		{"intercom", "intercom.contact_updated.json", `"delivery_attempts": 1`, `"delivery_attempts": 3`},
		{"salesforce", "salesforce.cdc_update_eventbridge.json", `"time": "2025`, `"time": "2026`},
		{"outreach", "outreach.account_created.json", `01:40:36.795`, `01:40:59.000`},
		{"census", "census.sync_completed.json", `sync.completed`, `sync.failed`},
	} {
		b, err := os.ReadFile("testdata/samples/" + tc.file)
		require.NoError(t, err)
		changed := strings.Replace(string(b), tc.counter, tc.again, 1)
		require.NotEqual(t, string(b), changed, tc.file)
		ids := map[string]int{}
		for _, body := range []string{string(b), changed} {
			m := metaOf(tc.source)
			m.ReceivedAt += 60_000
			r, err := decoders[tc.source].Decoder([]byte(body), m)
			require.NoError(t, err)
			for _, e := range r.Others {
				switch e := e.(type) {
				case *event.Change:
					ids[e.ID+event.Time(e.BodyHash).String()]++
				case *event.Attempt:
					ids[e.ID+event.Time(e.BodyHash).String()]++
				}
			}
		}
		require.NotEmpty(t, ids, tc.file)
		for id, n := range ids {
			require.Equal(t, 2, n, "%s %s", tc.file, id)
		}
	}
}

func TestRunsNeedAnIntegration(t *testing.T) {
	for _, source := range []string{"airbyte", "fivetran", "census", "nango"} {
		files, err := filepath.Glob("testdata/samples/" + source + ".sync_*.json")
		require.NoError(t, err)
		body, err := os.ReadFile(files[0])
		require.NoError(t, err)
		r, err := decoders[source].Decoder(body, Meta{Hook: "main", ReceivedAt: meta.ReceivedAt})
		require.NoError(t, err)
		require.Len(t, r.Bad, 1, source)
		require.Contains(t, r.Bad[0].Reason, "belongs to no integration", source)
	}
}

func TestMapping(t *testing.T) {
	m := Meta{Hook: "main", ReceivedAt: meta.ReceivedAt, System: "other", Account: "1", Mapping: &config.Mapping{
		Each: "payload.rows", ID: "key", Object: "=contact", RecordID: "row.id", Operation: "verb", At: "when",
		Fields: "row", ActorID: "by", ActorKind: "=agent", Words: map[string]string{"U": "update"},
	}}
	r, err := JSON([]byte(`{"payload":{"rows":[
		{"key":1,"verb":"U","when":1767323000,"by":"bot","row":{"id":98765432109876543210,"name":"Ada"}},
		{"key":2,"verb":"U","row":{"id":7}},
		{"key":3,"verb":"explode","row":{"id":8}}]}}`), m)
	require.NoError(t, err)
	require.Equal(t, 3, r.Total)
	require.Len(t, r.Bad, 1)
	require.Contains(t, r.Bad[0].Reason, `operation is "explode"`)
	c := r.Others[0].(*event.Change)
	require.Equal(t, "98765432109876543210", c.RecordID, "digits survive")
	require.Equal(t, event.Actor{Kind: "agent", ID: "bot"}, c.Actor)
	require.Equal(t, event.Time(1767323000000), c.ChangedAt)
	require.Len(t, c.Fields, 2)
	require.Equal(t, event.TimeReceived, r.Others[1].(*event.Change).TimeBasis)

	m.Mapping = &config.Mapping{Kind: "attempt", Integration: "job", Outcome: "state", Words: map[string]string{"FAILED": "error"}, Code: "why.code", Status: "why.http"}
	m.Runs = map[string]string{"nightly": "hs-sf"}
	r, err = JSON([]byte(`{"job":"nightly","state":"FAILED","why":{"code":"E1","http":403}}`), m)
	require.NoError(t, err)
	a := r.Others[0].(*event.Attempt)
	require.Equal(t, "hs-sf", a.Integration)
	require.Equal(t, []any{"error", "E1", 403, "run"}, []any{a.Outcome, a.Code, a.Status, a.Granularity})
}

func TestSalesforceID(t *testing.T) {
	require.Equal(t, "003000000000001AAA", salesforceID("003000000000001"))
	require.Equal(t, "00D000000000062EAA", salesforceID("00D000000000062"))
	require.Equal(t, "001A0000006Vm9uIAC", salesforceID("001A0000006Vm9u"))
	require.Equal(t, "x", salesforceID("x"))
}

// Whatever comes, a decoder accounts for each element, gives valid events
// only, and gives the same for the same bytes.
func FuzzSources(f *testing.F) {
	files, _ := filepath.Glob("testdata/samples/*")
	for _, path := range files {
		if b, err := os.ReadFile(path); err == nil && !strings.HasSuffix(path, ".golden") {
			source, _, _ := strings.Cut(filepath.Base(path), ".")
			f.Add(source, b)
		}
	}
	f.Fuzz(func(t *testing.T, source string, body []byte) {
		d, ok := decoders[source]
		if !ok {
			return
		}
		r, err := d.Decoder(body, metaOf(source))
		if err != nil {
			return
		}
		if r.Ignored+len(r.Bad) > r.Total {
			t.Fatalf("%d ignored and %d bad of %d", r.Ignored, len(r.Bad), r.Total)
		}
		for _, c := range r.Changes {
			require.NoError(t, c.Validate())
		}
		for _, e := range r.Others {
			require.NoError(t, e.Validate())
		}
		again, err := d.Decoder(body, metaOf(source))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
