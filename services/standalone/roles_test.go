package standalone

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/kafkatest"
)

// TestOnRealKafka runs the same wiring against a real broker: a line of the
// configuration, and no code of its own.
func TestOnRealKafka(t *testing.T) {
	cfg := testConfig(t)
	cfg.Kafka.Brokers = config.List[string]{kafkatest.Shared(t).Addr()}
	cfg.Kafka.Partitions = 4
	_, c := startApp(t, Options{Config: cfg})
	postSample(t, c)
}

// TestEachRoleAlone runs every role as its own app on one configuration.
func TestEachRoleAlone(t *testing.T) {
	cfg := testConfig(t)
	data := t.TempDir()
	stores, c := startApp(t, Options{Config: cfg, Data: data, Roles: []Role{Kafka, ClickHouse}, Migrate: true})
	cfg.Listen.Kafka, cfg.Listen.ClickHouse = stores.Addrs.Kafka, stores.Addrs.ClickHouse
	for _, role := range []Role{Sink, Process, Ingest} {
		a, _ := startApp(t, Options{Config: cfg, Data: data, Roles: []Role{role}, AdminAddr: "127.0.0.1:0"})
		require.Equal(t, http.StatusOK, get(t, a.Addrs.Admin, "/readyz"))
		require.Equal(t, http.StatusOK, get(t, a.Addrs.Admin, "/metrics"))
		require.Equal(t, http.StatusOK, get(t, a.Addrs.Admin, "/debug/pprof/heap"))
		if a.Addrs.Ingest != "" {
			c.ingest = a.Addrs.Ingest
		}
	}
	postSample(t, c)
}

// TestRoleRefusesMissingTopics: a lone role creates nothing, it says what to do.
func TestRoleRefusesMissingTopics(t *testing.T) {
	cfg := testConfig(t)
	cfg.Kafka.Brokers = config.List[string]{kafkatest.Fake(t).Addr()}
	_, err := Start(t.Context(), Options{Config: cfg, Data: t.TempDir(), Roles: []Role{Process}})
	require.ErrorContains(t, err, "run `plumbline topics apply`")
}

func postSample(t *testing.T, c client) {
	t.Helper()
	body, err := os.ReadFile("testdata/hubspot_batch.json")
	require.NoError(t, err)
	code, answer := c.hook("/hooks/hubspot-main", testSecret, body)
	require.Equal(t, http.StatusAccepted, code, answer)
	c.eventually("5", "SELECT count() FROM changes")
	c.eventually("5", "SELECT sum(n) FROM (SELECT count() AS n FROM changes GROUP BY event_id)")
	c.eventually("3", "SELECT count() FROM deliveries") // a merge moves a record, an association has no fields
}

func get(t *testing.T, addr, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}
