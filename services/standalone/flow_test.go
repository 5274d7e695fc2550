package standalone

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"
)

func startApp(t *testing.T, o Options) (*App, client) {
	t.Helper()
	if o.Config == nil {
		o.Config = testConfig(t)
	}
	if o.Data == "" {
		o.Data = t.TempDir()
	}
	if o.Roles == nil {
		o.Roles, o.Migrate = AllRoles, true
	}
	o.Instance = "0"
	if testing.Verbose() {
		o.Logger = zaptest.NewLogger(t)
	}
	a, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Stop()) })
	return a, client{t, a.Addrs.Ingest, a.Addrs.ClickHouse}
}

// TestFromWebhookToSQL is the whole flow on the real parts: a signed batch, a
// report of the worker, rows and KPIs in ClickHouse.
func TestFromWebhookToSQL(t *testing.T) {
	_, c := startApp(t, Options{})
	body, err := os.ReadFile("testdata/hubspot_batch.json")
	require.NoError(t, err)

	code, answer := c.hook("/hooks/hubspot-main", testSecret, body)
	require.Equal(t, http.StatusAccepted, code, answer)
	c.eventually("5", "SELECT count() FROM changes")
	c.eventually("create,create,merge,update,associate", `SELECT arrayStringConcat(groupArray(operation), ',') FROM
		(SELECT operation FROM changes ORDER BY indexOf(['create','merge','update','associate'], operation))`)

	code, _ = c.hook("/hooks/hubspot-main", testSecret, body) // HubSpot delivers again
	require.Equal(t, http.StatusAccepted, code)
	now := time.Now()
	code, answer = c.send(t.Context(), "attempts", []map[string]any{
		{
			"id": "a1", "integration": "hubspot-salesforce", "occurred_at": now.Format(time.RFC3339Nano), "system": "salesforce",
			"object": "contact", "operation": "create", "source_id": "503", "target_id": "003A", "status": 201,
		},
		{
			"id": "a2", "integration": "hubspot-salesforce", "occurred_at": now.Format(time.RFC3339Nano), "system": "salesforce",
			"object": "contact", "operation": "create", "source_id": "777", "status": 400,
			"body": `[{"errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?"}]`,
		},
	})
	require.Equal(t, http.StatusAccepted, code, answer)
	c.eventually("2", "SELECT count() FROM attempts")
	c.eventually("duplicate", "SELECT class FROM failures WHERE attempt_id = 'a2'")
	c.eventually("1", "SELECT countIf(state = 'acknowledged') FROM deliveries WHERE source_id = '503' AND operation = 'create'")
	c.eventually("merged_into/601", "SELECT superseded_by FROM deliveries WHERE source_id = '502' AND operation = 'create' AND state = 'superseded'")
	c.eventually("5", "SELECT count() FROM changes") // the redelivery added nothing
	c.eventually("1", "SELECT count() FROM kpi_sync_success_rate WHERE integration = 'hubspot-salesforce' AND object = '' AND window = '1h'")
	c.eventually("1", "SELECT count() FROM kpi_sync_latency WHERE integration = 'hubspot-salesforce' AND object = '' AND window = '1h'")
}

// TestBadInput is answered with a clear error, and costs good neighbours nothing.
func TestBadInput(t *testing.T) {
	_, c := startApp(t, Options{})
	good := `{"eventId":%d,"subscriptionId":1,"portalId":62515,"occurredAt":1790000000100,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":%d,"propertyName":"email","propertyValue":"a@example.com","changeSource":"CRM_UI"}`
	one := []byte("[" + fmt.Sprintf(good, 1, 1) + "]")

	code, _ := c.hook("/hooks/hubspot-main", "another secret", one)
	require.Equal(t, http.StatusUnauthorized, code)
	code, _ = c.hook("/hooks/nobody", testSecret, one)
	require.Equal(t, http.StatusNotFound, code)
	code, _ = c.hook("/hooks/hubspot-main", testSecret, []byte("this is not JSON"))
	require.Equal(t, http.StatusBadRequest, code)
	code, _ = c.hook("/hooks/hubspot-main", testSecret, []byte("["+strings.Repeat(" ", 9<<20)+"]"))
	require.Equal(t, http.StatusRequestEntityTooLarge, code)

	var batch []string
	for i := range 100 {
		batch = append(batch, fmt.Sprintf(good, 1000+i, 1000+i))
	}
	batch[50] = `{"eventId":1050,"subscriptionType":"contact.propertyChange"}`
	code, answer := c.hook("/hooks/hubspot-main", testSecret, []byte("["+strings.Join(batch, ",")+"]"))
	require.Equal(t, http.StatusAccepted, code, answer)
	c.eventually("99", "SELECT count() FROM changes")
	c.eventually("1", "SELECT count() FROM dead_letters")
	c.eventually("1", "SELECT count() FROM dead_letters WHERE length(bytes) > 0 AND reason != ''")
}
