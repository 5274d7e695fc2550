package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	goodAttempt = `{"id":"a1","integration":"hs-sf","occurred_at":"2026-01-02T03:04:05Z","object":"contact","operation":"update","source_id":"1","status":200}`
	goodChange  = `{"id":"c1","integration":"hs-sf","system":"salesforce","object":"contact","record_id":"003","operation":"update","changed_at":1767323000,"fields":{"Iban__c":"DE89","Email":"a@b.c"}}`
)

func TestOwnFormats(t *testing.T) {
	p := &recorder{}
	s := newServer(t, options(t, p))
	unlinked := strings.NewReplacer(`"a1"`, `"a2"`, `"source_id":"1",`, "").Replace(goodAttempt)
	w := post(s, "/v1/attempts", "["+goodAttempt+","+strings.Replace(goodAttempt, "hs-sf", "nope", 1)+","+unlinked+"]", bearer())
	require.Equal(t, 202, w.Code, w.Body)
	require.JSONEq(t, `{"accepted":2,
		"dead_lettered":[{"index":1,"reason":"integration \"nope\" is not configured; known are hs-sf"}],
		"warnings":[{"index":2,"reason":"unlinked: neither source_id nor target_id, so it counts in success but in no delivery"}]}`, w.Body.String())
	m := p.take()
	require.Len(t, m, 3)
	require.Equal(t, 1, p.calls)
	require.Equal(t, "hubspot/62515/contact/1", m[0].Key)
	require.Equal(t, "hs-sf/unlinked", m[1].Key)
	d := m[2].Event.(*event.DeadLetter)
	require.Equal(t, topic.DeadLetters, m[2].Topic)
	require.Equal(t, "v1/attempts:worker", d.Origin)
	require.Equal(t, "integration", d.Code)
	require.Equal(t, "default", d.Tenant)

	w = post(s, "/v1/changes", goodChange, bearer())
	require.JSONEq(t, `{"accepted":1}`, w.Body.String())
	c := p.take()[0].Event.(*event.Change)
	require.Equal(t, "Contact", c.Object)
	require.Len(t, c.Fields, 1)
	require.Equal(t, event.KindHash, c.Fields[0].Value.Kind)

	for kind, body := range map[string]string{
		"observations": `{"integration":"hs-sf","system":"hubspot","object":"contact","record_id":5,"observed_at":1767323000}`,
		"signals":      `{"kind":"deploy","integration":"hs-sf","started_at":1767323000}`,
	} {
		w = post(s, "/v1/"+kind, body, bearer())
		require.JSONEq(t, `{"accepted":1}`, w.Body.String(), kind)
		require.NoError(t, p.take()[0].Event.Validate())
	}
}

func TestOwnTokens(t *testing.T) {
	for name, h := range map[string]http.Header{
		"none":     {},
		"wrong":    {"Authorization": {"Bearer another"}},
		"prefix":   {"Authorization": {"Bearer " + token[:len(token)-1]}},
		"longer":   {"Authorization": {"Bearer " + token + "x"}},
		"empty":    {"Authorization": {"Bearer "}},
		"basic":    {"Authorization": {"Basic " + token}},
		"two":      {"Authorization": {"Bearer " + token, "Bearer " + token}},
		"no space": {"Authorization": {"Bearer" + token}},
	} {
		p := &recorder{}
		w := post(newServer(t, options(t, p)), "/v1/attempts", goodAttempt, h)
		require.Equal(t, 401, w.Code, name)
		require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
		require.Zero(t, p.calls)
	}
	o := options(t, &recorder{})
	o.Config.Senders[0].Tokens = append(o.Config.Senders[0].Tokens, "env:MISSING")
	_, err := New(o)
	require.ErrorContains(t, err, "sender worker: secret env:MISSING is not set")
}

func TestOwnRefusals(t *testing.T) {
	s := newServer(t, options(t, &recorder{}))
	for name, tc := range map[string]struct {
		path, body string
		header     http.Header
		code       int
	}{
		"not JSON":        {"/v1/attempts", "hello", bearer(), 400},
		"empty":           {"/v1/attempts", "", bearer(), 400},
		"all broken":      {"/v1/attempts", "[x]", bearer(), 400},
		"XML":             {"/v1/attempts", "<a/>", bearer("Content-Type", "text/xml"), 415},
		"multipart":       {"/v1/attempts", "--x\r\n", bearer("Content-Type", "multipart/form-data; boundary=y"), 415},
		"brotli":          {"/v1/attempts", "[]", bearer("Content-Encoding", "br"), 415},
		"gzip twice":      {"/v1/attempts", "[]", bearer("Content-Encoding", "gzip, gzip"), 415},
		"not gzip":        {"/v1/attempts", "[]", bearer("Content-Encoding", "gzip"), 400},
		"not zstd":        {"/v1/attempts", "[]", bearer("Content-Encoding", "zstd"), 400},
		"unknown kind":    {"/v1/tricks", "[]", bearer(), 404},
		"unknown address": {"/", "[]", bearer(), 404},
		"too many":        {"/v1/attempts", "[" + strings.Repeat("{},", 10_000) + "{}]", bearer(), 413},
	} {
		w := post(s, tc.path, tc.body, tc.header)
		require.Equal(t, tc.code, w.Code, "%s: %s", name, w.Body)
		var f struct{ Error string }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &f), name)
		require.NotEmpty(t, f.Error, name)
	}
}

func gzipped(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	z, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer z.Close()
	return z.EncodeAll(b, nil)
}

func TestOwnCompressed(t *testing.T) {
	p := &recorder{}
	s := newServer(t, options(t, p))
	for range 3 { // readers are reused, also after an error
		for encoding, compress := range map[string]func(testing.TB, []byte) []byte{"gzip": gzipped, "zstd": zstded} {
			body := compress(t, []byte(goodAttempt))
			w := post(s, "/v1/attempts", string(body), bearer("Content-Encoding", encoding))
			require.Equal(t, 202, w.Code, "%s: %s", encoding, w.Body)
			require.Len(t, p.take(), 1)
			w = post(s, "/v1/attempts", string(body[:len(body)-6]), bearer("Content-Encoding", encoding))
			require.Equal(t, 400, w.Code, "%s, cut: %s", encoding, w.Body)
		}
	}
}

func TestSizes(t *testing.T) {
	p := &recorder{}
	s := start(t, options(t, p))
	big := []byte("[" + strings.Repeat(" ", 9<<20) + "]")
	fits := []byte("[" + strings.Repeat(" ", 7<<20) + "]")
	noise := make([]byte, 0, 9<<20) // does not shrink a hundredfold, so that size and not ratio decides
	for i := range 9 << 17 {
		noise = append(noise, " \n\t\r"[i*i%7%4], ' ', '\n', " \t"[i%2], ' ', "\r\n"[i/3%2], ' ', ' ')
	}
	for name, tc := range map[string]struct {
		body     []byte
		encoding string
		code     int
		error    string
	}{
		"9 MB":       {big, "", 413, "8 MiB"},
		"7 MB":       {fits, "", 202, ""},
		"gzip bomb":  {gzipped(t, bytes.Repeat([]byte(" "), 48<<20)), "gzip", 413, "100 times"},
		"zstd bomb":  {zstded(t, bytes.Repeat([]byte(" "), 48<<20)), "zstd", 413, ""},
		"9 MB, gzip": {gzipped(t, append(noise, '[', ']')), "gzip", 413, ""},
	} {
		h := bearer()
		if tc.encoding != "" {
			h.Set("Content-Encoding", tc.encoding)
		}
		code, body := send(t, s, "/v1/attempts", tc.body, h)
		require.Equal(t, tc.code, code, "%s: %s", name, body)
		require.Contains(t, body, tc.error, name)
	}
	require.Zero(t, s.inflight.Load())
	require.Zero(t, p.calls)
}
