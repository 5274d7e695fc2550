package ingest

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"plumbline.dev/schemas/event"
)

const spanJSON = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"sync-worker"}}]},"scopeSpans":[{"spans":[
 {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"PATCH","kind":3,"startTimeUnixNano":"1767323045000000000","endTimeUnixNano":"1767323045250000000",
  "attributes":[{"key":"http.request.method","value":{"stringValue":"PATCH"}},{"key":"url.full","value":{"stringValue":"https://acme.my.salesforce.com/services/data/v60.0/sobjects/Contact/003000000000001AAA?x=1"}},
   {"key":"http.response.status_code","value":{"intValue":"403"}},{"key":"http.request.resend_count","value":{"intValue":2}}],
  "status":{"code":2,"message":"REQUEST_LIMIT_EXCEEDED for jane@example.com"}},
 {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","name":"GET","kind":3,"startTimeUnixNano":"1","endTimeUnixNano":"2","attributes":[{"key":"url.full","value":{"stringValue":"https://example.com/"}}]},
 {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b176","name":"serve","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}`

func field(n protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), v)
}

func keyValue(key, text string) []byte {
	return append(field(1, []byte(key)), field(2, field(1, []byte(text)))...)
}

// spanProto is the first span of spanJSON in protocol buffers.
func spanProto() string {
	trace, _ := hex.DecodeString("5b8efff798038103d269b633813fc60c")
	span, _ := hex.DecodeString("eee19b7ec3c1b174")
	b := append(field(1, trace), field(2, span)...)
	b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.VarintType), 3)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 7, protowire.Fixed64Type), 1767323045000000000)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 8, protowire.Fixed64Type), 1767323045250000000)
	for _, kv := range [][2]string{
		{"http.request.method", "PATCH"},
		{"http.response.status_code", "403"},
		{"http.request.resend_count", "2"},
		{"url.full", "https://acme.my.salesforce.com/services/data/v60.0/sobjects/Contact/003000000000001AAA?x=1"},
	} {
		b = append(b, field(9, keyValue(kv[0], kv[1]))...)
	}
	status := protowire.AppendVarint(protowire.AppendTag(field(2, []byte("REQUEST_LIMIT_EXCEEDED for jane@example.com")), 3, protowire.VarintType), 2)
	b = append(b, field(15, status)...)
	resource := field(1, field(1, keyValue("service.name", "sync-worker")))
	return string(field(1, append(resource, field(2, field(2, b))...)))
}

func TestTraces(t *testing.T) {
	want := &event.Attempt{
		ID:     event.Hash("otlp", "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"),
		CallID: "5b8efff798038103d269b633813fc60c", Tenant: "acme", Integration: "hs-sf", Sender: "worker", OccurredAt: 1767323045250,
		ReceivedAt: event.At(testTime), System: "salesforce", Object: "Contact", Operation: "update", TargetID: "003000000000001AAA", Try: 3,
		Status: 403, Message: "REQUEST_LIMIT_EXCEEDED for j***@example.com", DurationMS: 250, Outcome: "error",
		Actor: event.Actor{Kind: "integration", ID: "sync-worker"}, BodyHash: 1,
	}
	for kind, body := range map[string]string{"application/json": spanJSON, "application/x-protobuf": spanProto()} {
		p := &recorder{}
		w := post(newServer(t, options(t, p)), "/v1/traces", body, bearer("Content-Type", kind))
		require.Equal(t, 200, w.Code, "%s: %s", kind, w.Body)
		require.Equal(t, kind, w.Header().Get("Content-Type"))
		m := p.take()
		require.Len(t, m, 1, "only calls to known systems")
		require.Equal(t, want, m[0].Event, kind)
		require.Equal(t, "salesforce/00D1/Contact/003000000000001AAA", m[0].Key)
	}
}

func TestTracesAnswers(t *testing.T) {
	s := newServer(t, options(t, &recorder{}))
	other := strings.ReplaceAll(spanJSON, "acme.my.salesforce.com", "api.pipedrive.com")
	w := post(s, "/v1/traces", other, bearer("Content-Type", "application/json"))
	require.Equal(t, 200, w.Code)
	require.Contains(t, w.Body.String(), `"rejectedSpans":"1"`, "told, and not stored")
	w = post(s, "/v1/traces", "{}", bearer("Content-Type", "application/json"))
	require.Equal(t, "{}\n", w.Body.String())
	for name, tc := range map[string]struct {
		body, kind string
		code       int
	}{
		"not protobuf": {"\x0a\xff", "application/x-protobuf", 400},
		"not JSON":     {"{", "application/json", 400},
		"deep":         {strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), "application/json", 400},
		"other type":   {"{}", "text/plain", 415},
	} {
		require.Equal(t, tc.code, post(s, "/v1/traces", tc.body, bearer("Content-Type", tc.kind)).Code, name)
	}
	require.Equal(t, 401, post(s, "/v1/traces", "{}", nil).Code)
}
