package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
)

// A letter that can be read by now becomes the event it would have been.
func TestReplayOfALetter(t *testing.T) {
	key, err := privacy.NewKey(make([]byte, 32))
	require.NoError(t, err)
	list := []config.Integration{{ID: "i", Tenant: "default", Source: config.Endpoint{System: "hubspot"}, Target: config.Endpoint{System: "salesforce"}}}
	o := Options{
		Config: &config.Config{Integrations: list}, Secrets: cfgload.Secrets{}, Producer: &capture{}, Privacy: privacy.NewPolicy(key, list), Logger: zap.NewNop(),
	}
	good := `{"integration":"i","object":"contact","operation":"update","outcome":"ok","occurred_at":"2026-11-01T12:00:00Z","target_id":"003"}`
	events, rejected, err := Replay(o, "v1/attempts:worker", []byte(good))
	require.NoError(t, err)
	require.Empty(t, rejected)
	require.Len(t, events, 1)
	again, _, err := Replay(o, "v1/attempts:worker", []byte(good))
	require.NoError(t, err)
	require.Equal(t, events[0].Key, again[0].Key)

	events, rejected, err = Replay(o, "v1/attempts:worker", []byte(`{"integration":"i"}`))
	require.NoError(t, err)
	require.Empty(t, events)
	require.NotEmpty(t, rejected)
	_, _, err = Replay(o, "plumbline.intake", nil)
	require.Error(t, err)
}
