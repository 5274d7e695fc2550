package ingest

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Intercom and Salesloft sign with it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	conf "plumbline.dev/services/internal/config"
)

const (
	shared   = "a-shared-secret-of-some-length"
	closeKey = "abababababababababababababababababababababababababababababababab"
)

// signs says how each source proves who it is, written down apart from the
// schemes that check it.
var signs = map[string]func(body string, at time.Time) http.Header{
	"attio":    hexHeader("Attio-Signature", "", sha256.New),
	"outreach": hexHeader("Outreach-Webhook-Signature", "", sha256.New),
	"nango":    hexHeader("X-Nango-Hmac-Sha256", "", sha256.New),
	"fivetran": func(body string, _ time.Time) http.Header {
		return http.Header{"X-Fivetran-Signature-256": {strings.ToUpper(hex.EncodeToString(sum(sha256.New, shared, body)))}}
	},
	"intercom":  hexHeader("X-Hub-Signature", "sha1=", sha1.New),
	"salesloft": hexHeader("X-Salesloft-Signature", "", sha1.New),
	"merge": func(body string, _ time.Time) http.Header {
		return http.Header{"X-Merge-Webhook-Signature": {base64.URLEncoding.EncodeToString(sum(sha256.New, shared, body))}}
	},
	"close": func(body string, at time.Time) http.Header {
		key, _ := hex.DecodeString(closeKey)
		stamp := strconv.FormatInt(at.Unix(), 10)
		return http.Header{"Close-Sig-Timestamp": {stamp}, "Close-Sig-Hash": {hex.EncodeToString(sum(sha256.New, string(key), stamp+body))}}
	},
	"zendesk": func(body string, at time.Time) http.Header {
		stamp := at.Format(time.RFC3339)
		return http.Header{
			"X-Zendesk-Webhook-Signature-Timestamp": {stamp},
			"X-Zendesk-Webhook-Signature":           {base64.StdEncoding.EncodeToString(sum(sha256.New, shared, stamp+body))},
		}
	},
	"hubspot": func(body string, at time.Time) http.Header {
		return signV3(shared, "POST", "https://hooks.example.com/hubspot", body, at)
	},
	"standard": func(body string, at time.Time) http.Header { return signStandard(whsec, "msg_1", body, at.Unix()) },
}

func sum(h func() hash.Hash, key, text string) []byte {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hexHeader(name, prefix string, h func() hash.Hash) func(string, time.Time) http.Header {
	return func(body string, _ time.Time) http.Header {
		return http.Header{name: {prefix + hex.EncodeToString(sum(h, shared, body))}}
	}
}

// everySource is a configuration with a hook for each.
func everySource(t testing.TB, p Producer) Options {
	t.Helper()
	var hooks strings.Builder
	for source := range providers {
		secret := map[string]string{"close": "CLOSE", "standard": "WHSEC"}[source]
		if secret == "" {
			secret = "SHARED"
		}
		fmt.Fprintf(&hooks, "  - { id: %s, source: %s, secrets: [env:%s], public_url: \"https://hooks.example.com/%s\", system: %s, integration: hs-sf }\n",
			source, source, secret, source, map[bool]string{true: "other", false: "hubspot"}[providers[source].serves])
	}
	_, rest, _ := strings.Cut(testConfig, "senders:")
	cfg, err := conf.Parse("test.yaml", []byte("hooks:\n"+hooks.String()+"senders:"+strings.Replace(rest, ", hook: main", "", 1)))
	require.NoError(t, err)
	o := options(t, p)
	o.Config = cfg
	for ref, value := range map[config.Secret]string{"env:SHARED": shared, "env:CLOSE": closeKey, "env:WHSEC": whsec} {
		o.Secrets = secretsWith(o.Secrets, ref, value)
	}
	return o
}

// proof is the headers and the end of the path with which a source comes.
func proof(source, body string, at time.Time) (http.Header, string) {
	sign := signs[source]
	if sign == nil {
		return http.Header{}, "/" + shared
	}
	return sign(body, at), ""
}

func sampleFiles(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"sources/testdata/samples/*.json", "sources/testdata/samples/*.xml", "../../../shared/payloads/*"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range files {
			out[f] = sourceOf(filepath.Base(f))
		}
	}
	return out
}

// sourceOf is the source of a sample by the beginning of its name.
func sourceOf(name string) string {
	switch {
	case strings.Contains(name, "error"), strings.Contains(name, "_ack"), strings.Contains(name, "signature_example"), strings.Contains(name, "gap_and_overflow"):
		return "" // answers, and not one body
	case strings.Contains(name, "trust"):
		return "statuspage"
	}
	for source := range providers {
		if strings.HasPrefix(name, source) {
			return source
		}
	}
	return ""
}

// Every sample passes the running server, signed as its source signs, and no
// other way.
func TestSamplesThroughTheServer(t *testing.T) {
	p := &recorder{}
	s := start(t, everySource(t, p))
	seen := map[string]bool{}
	for path, source := range sampleFiles(t) {
		if source == "" {
			continue
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		body := string(b)
		seen[source] = true
		h, secret := proof(source, body, testTime)
		h.Set("Content-Type", "application/json")
		if strings.HasSuffix(path, ".xml") {
			h.Set("Content-Type", "text/xml; charset=UTF-8")
		}
		if source == "salesloft" {
			h.Set("X-Salesloft-Event", "task_created")
		}
		code, answer := send(t, s, "/hooks/"+source+secret, b, h)
		if strings.HasSuffix(path, ".xml") {
			require.Equal(t, 200, code, path)
			require.Contains(t, answer, "<Ack>true</Ack>")
		} else {
			require.Equal(t, 202, code, "%s: %s", path, answer)
			if !strings.Contains(path, "nango_forward") { // its payload is no event
				require.NotContains(t, answer, "dead_lettered", path)
			}
		}
		for _, m := range p.take() {
			require.NoError(t, m.Event.Validate(), path)
			require.NotEmpty(t, m.Key)
		}
		wrong, _ := proof(source, body+" ", testTime.Add(time.Second))
		wrong.Set("Content-Type", h.Get("Content-Type"))
		code, _ = send(t, s, "/hooks/"+source+strings.Replace(secret, "shared", "stolen", 1), b, wrong)
		require.Equal(t, 401, code, path)
		require.Empty(t, p.take(), path)
	}
	require.Greater(t, len(seen), 18)
}

// Where a source signs nothing, its secret may stand in several places.
func TestSharedSecretPlaces(t *testing.T) {
	body := `{"text":"hello"}`
	for name, tc := range map[string]struct {
		path   string
		header http.Header
		code   int
	}{
		"path":         {"/hooks/airbyte/" + shared, http.Header{}, 202},
		"query":        {"/hooks/airbyte?code=" + shared, http.Header{}, 202},
		"bearer":       {"/hooks/airbyte", http.Header{"Authorization": {"Bearer " + shared}}, 202},
		"basic":        {"/hooks/airbyte", http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("any:"+shared))}}, 202},
		"api key":      {"/hooks/airbyte", http.Header{"X-Api-Key": {shared}}, 202},
		"none":         {"/hooks/airbyte", http.Header{}, 401},
		"wrong path":   {"/hooks/airbyte/" + shared + "x", http.Header{}, 401},
		"user only":    {"/hooks/airbyte", http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(shared+":"))}}, 401},
		"two headers":  {"/hooks/airbyte", http.Header{"X-Api-Key": {shared, shared}}, 401},
		"signed hooks": {"/hooks/nango/" + shared, http.Header{}, 401},
	} {
		w := post(newServer(t, everySource(t, &recorder{})), tc.path, body, tc.header)
		require.Equal(t, tc.code, w.Code, name)
		require.NotContains(t, w.Body.String(), shared)
	}
	o := everySource(t, &recorder{})
	o.Secrets = secretsWith(o.Secrets, "env:SHARED", "short")
	_, err := New(o)
	require.ErrorContains(t, err, "at least 16")
}

func TestCloudEventsHandshake(t *testing.T) {
	s := start(t, everySource(t, &recorder{}))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, "http://"+s.Addr()+"/hooks/cloudevents", nil)
	require.NoError(t, err)
	r.Header.Set("WebHook-Request-Origin", "eventgrid.example.net")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 200, resp.StatusCode)
	require.Equal(t, "eventgrid.example.net", resp.Header.Get("WebHook-Allowed-Origin"))
}

// Every published vector is taken or refused by the server as it should be.
func TestVectorsThroughTheServer(t *testing.T) {
	path := "verify/testdata/vectors.json"
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var vectors []struct{ Scheme, Secret, Method, URI, ID, Timestamp, Body, Expected string }
	require.NoError(t, json.Unmarshal(b, &vectors))
	headers := map[string]string{
		"hubspot-v1": "X-Hubspot-Signature", "hubspot-v2": "X-Hubspot-Signature", "hubspot-v3": "X-Hubspot-Signature-V3", "hubspot-v3-uri-decode": "X-Hubspot-Signature-V3",
		"standard-webhooks-v1": "Webhook-Signature", "nango-hmac-sha256-hex": "X-Nango-Hmac-Sha256", "nango-legacy-sha256-hex": "X-Nango-Hmac-Sha256",
		"zendesk": "X-Zendesk-Webhook-Signature", "intercom-x-hub-signature": "X-Hub-Signature", "outreach-webhook-signature": "Outreach-Webhook-Signature",
		"salesloft-x-salesloft-signature": "X-Salesloft-Signature", "attio-signature": "Attio-Signature",
		"fivetran-x-fivetran-signature-256": "X-Fivetran-Signature-256", "merge-x-merge-webhook-signature": "X-Merge-Webhook-Signature", "close-sig-hash": "Close-Sig-Hash",
	}
	for i, v := range vectors {
		if v.Method == http.MethodGet {
			continue // the server takes POST only
		}
		source, _, _ := strings.Cut(v.Scheme, "-")
		o := everySource(t, &recorder{})
		h := http.Header{headers[v.Scheme]: {v.Expected}, "Content-Type": {"application/json"}}
		seconds, err := strconv.ParseInt(v.Timestamp, 10, 64)
		if err == nil && len(v.Timestamp) > 11 {
			seconds /= 1000
		}
		o.Now = clockOf{time.Unix(seconds, 0)}.now
		for _, name := range []string{"X-Hubspot-Request-Timestamp", "Webhook-Timestamp", "X-Zendesk-Webhook-Signature-Timestamp", "Close-Sig-Timestamp"} {
			h.Set(name, v.Timestamp)
		}
		h.Set("Webhook-Id", v.ID)
		for j := range o.Config.Hooks {
			if c := &o.Config.Hooks[j]; c.ID == source {
				c.PublicURL = v.URI
				if strings.HasPrefix(v.Scheme, "hubspot-v") {
					c.Accept = map[bool][]string{true: {"v1", "v2"}}[v.Scheme < "hubspot-v3"]
				}
				o.Secrets = secretsWith(o.Secrets, c.Secrets[0], v.Secret)
			}
		}
		target := "/hooks/" + source
		if _, query, ok := strings.Cut(v.URI, "?"); ok {
			target += "?" + query
		}
		if len(v.Secret) < 16 { // Nango's own vector has a short secret; unsigned sources refuse such
			o.Config.Hooks = only(o.Config.Hooks, source)
		}
		s := newServer(t, o)
		code := post(s, target, v.Body, h).Code
		if v.Scheme == "nango-legacy-sha256-hex" {
			require.Equal(t, 401, code, "%d %s", i, v.Scheme)
			continue
		}
		require.NotEqual(t, 401, code, "%d %s: signed by its source", i, v.Scheme)
		require.Equal(t, 401, post(s, target, v.Body+" ", h).Code, "%d %s", i, v.Scheme)
	}
}

func only(hooks []config.Hook, id string) []config.Hook {
	var out []config.Hook
	for _, h := range hooks {
		if h.ID == id {
			out = append(out, h)
		}
	}
	return out
}
