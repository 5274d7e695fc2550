package standalone

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	cfgload "plumbline.dev/services/internal/config"
)

const (
	testSecret = "a-hook-secret-of-the-tests"
	testToken  = "a-sender-token-of-the-tests"
	publicURL  = "https://hooks.example.com/hooks/hubspot-main"
)

const testYAML = `
listen: { ingest: "127.0.0.1:0", console: "127.0.0.1:0", clickhouse: "127.0.0.1:0", kafka: "127.0.0.1:0" }
hooks:
  - { id: hubspot-main, source: hubspot, secrets: [env:TEST_HOOK_SECRET], public_url: %q }
senders:
  - { id: sync-worker, tokens: [env:TEST_SENDER_TOKEN] }
integrations:
  - id: hubspot-salesforce
    attempts: full
    source: { system: hubspot, hook: hubspot-main, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA, sync_user: 005000000000001 }
    objects:
      - name: contact
        source: contact
        target: Contact
        key: { source: email, target: Email }
        fields:
          - { source: lifecyclestage, target: Lifecycle__c, compare: picklist }
          - { source: email, target: Email, compare: email }
`

func testConfig(t *testing.T) *config.Config {
	t.Setenv("TEST_HOOK_SECRET", testSecret)
	t.Setenv("TEST_SENDER_TOKEN", testToken)
	cfg, err := cfgload.Parse("test.yaml", fmt.Appendf(nil, testYAML, publicURL))
	require.NoError(t, err)
	return cfg
}

// client speaks to a process as vendors, senders and analysts do.
type client struct {
	t          *testing.T
	ingest, ch string
}

func (c client) do(req *http.Request) (int, string) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(b)
}

// hook posts a body as HubSpot would, signed with v3.
func (c client) hook(path, secret string, body []byte) (int, string) {
	at := strconv.FormatInt(time.Now().UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST" + publicURL))
	mac.Write(body)
	mac.Write([]byte(at))
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, "http://"+c.ingest+path, bytes.NewReader(body))
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-HubSpot-Request-Timestamp", at)
	req.Header.Set("X-HubSpot-Signature-v3", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return c.do(req)
}

// send posts to /v1/<kind> with the sender's token.
func (c client) send(ctx context.Context, kind string, v any) (int, string) {
	b, err := json.Marshal(v)
	require.NoError(c.t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.ingest+"/v1/"+kind, bytes.NewReader(b))
	require.NoError(c.t, err)
	req.Header.Set("Authorization", "Bearer "+testToken)
	req.Header.Set("Content-Type", "application/json")
	return c.do(req)
}

// sql runs a query over plain HTTP, as curl would.
func (c client) sql(query string) (string, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet,
		"http://"+c.ch+"/?database=plumbline&query="+url.QueryEscape(query), nil)
	require.NoError(c.t, err)
	code, body := c.do(req)
	if code != http.StatusOK {
		return "", fmt.Errorf("%d: %s", code, body)
	}
	return strings.TrimSpace(body), nil
}

// eventually waits until a query answers with the wanted text.
func (c client) eventually(want, query string) {
	c.t.Helper()
	var got string
	var err error
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got, err = c.sql(query); err == nil && got == want {
			return
		}
	}
	require.NoError(c.t, err)
	require.Equal(c.t, want, got, query)
}
