package standalone

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/hubspot"
	"plumbline.dev/services/simulate/salesforce"
)

const twoTokensYAML = `
listen: { ingest: "127.0.0.1:0", console: "127.0.0.1:0", clickhouse: "127.0.0.1:0", kafka: "127.0.0.1:0" }
connections:
  - { id: hs, system: hubspot, account: "62515", token: env:TEST_HS, call_share: 1, base_url: %q, allow_private: true }
  - { id: sf, system: salesforce, account: 00D5f000001abcDEAQ, call_share: 1, base_url: %q, allow_private: true,
      auth: { flow: client_credentials, client_id: env:TEST_ID, client_secret: env:TEST_S } }
integrations:
  - id: hs-sf
    attempts: none
    source: { system: hubspot, connection: hs }
    target: { system: salesforce, connection: sf, sync_user: 005SYNC }
    objects:
      - name: contact
        target: Contact
        key: { source: hs_object_id, target: HubSpot_Id__c }
        fields:
          - { source: email, target: Email, compare: email }
          - { source: city, target: MailingCity, compare: text }
`

// TestTwoTokens is the normal user: nobody reports attempts, nobody sends a
// webhook, two credentials can read. A change that is written is applied, with
// how exactly that is known; one that never is stalls, and is a divergence
// once both systems were looked at again.
func TestTwoTokens(t *testing.T) {
	clock := pace.Fast{From: time.Now(), Speed: 30}
	ms := func() int64 { return clock.Now().UnixMilli() }
	var mu sync.Mutex
	source := crm.NewTable("contact", []crm.Field{{Name: "email", Type: "email"}, {Name: "city"}}, crm.HubSpotID(1000))
	target := crm.NewTable("Contact", []crm.Field{{Name: "Email", Type: "email"}, {Name: "MailingCity"}}, crm.SalesforceID("003"))
	old := clock.Now().Add(-48 * time.Hour).UnixMilli()
	for i := range 30 {
		s := source.Insert(map[string]string{"email": fmt.Sprintf("p%d@example.com", i), "city": "Lyon"}, "", "", old)
		c := target.Insert(map[string]string{"Email": s.Values["email"], "MailingCity": "Lyon"}, s.ID, "005SYNC", old)
		switch i { // was so before anybody looked
		case 10:
			target.Delete(c, "", old)
		case 11:
			source.Delete(s, "", old)
		case 12:
			target.Update(c, map[string]string{"MailingCity": ""}, "005HUMAN", old+1)
		case 13:
			target.Insert(c.Values, s.ID, "005SYNC", old+1)
		}
	}
	hs := httptest.NewServer(hubspot.New(hubspot.Options{
		Lock: &mu, Tables: []*crm.Table{source}, Portal: "62515", Token: "token", Now: ms, Wall: clock.Now,
	}))
	defer hs.Close()
	sf := httptest.NewServer(salesforce.New(salesforce.Options{
		Lock: &mu, Tables: []*crm.Table{target}, Org: &crm.Salesforce{Tables: map[string]*crm.Table{"Contact": target}},
		OrgID: "00D5f000001abcDEAQ", ClientID: "id", Secret: "secret", UserID: "005READER", Now: ms, Wall: clock.Now,
	}))
	defer sf.Close()
	t.Setenv("TEST_HS", "token")
	t.Setenv("TEST_ID", "id")
	t.Setenv("TEST_S", "secret")
	cfg, err := cfgload.Parse("test.yaml", fmt.Appendf(nil, twoTokensYAML, hs.URL, sf.URL))
	require.NoError(t, err)
	_, c := startApp(t, Options{Config: cfg, Pace: clock})

	c.eventually("complete", "SELECT state FROM reconciliations WHERE field = '' ORDER BY updated_at DESC LIMIT 1")
	c.eventually("28", "SELECT compared FROM reconciliations WHERE field = '' ORDER BY updated_at DESC LIMIT 1")
	for _, found := range []struct{ kind, field, difference string }{
		{"missing_in_target", "", ""}, {"missing_in_source", "", ""}, {"value_mismatch", "city", "blank_in_target"}, {"duplicate", "", ""},
	} {
		c.eventually("1 confirmed "+found.difference+".", "SELECT concat(toString(count()), ' ', any(state), ' ', any(difference), '.') FROM divergences "+
			"WHERE kind = '"+found.kind+"' AND field = '"+found.field+"'")
	}
	c.eventually("4", "SELECT count() FROM divergences")
	save := func(n int, city string, written bool) string {
		mu.Lock()
		defer mu.Unlock()
		s := source.Rows[n]
		source.Update(s, map[string]string{"city": city}, "", ms())
		if written {
			target.Update(target.GetExternal(s.ID), map[string]string{"MailingCity": city}, "005SYNC", ms()+2000)
		}
		return s.ID
	}
	written, never := save(3, "Oslo", true), save(4, "Bergen", false)
	c.eventually("applied", "SELECT state FROM deliveries WHERE source_id = '"+written+"'")
	c.eventually("applied_poll 1", "SELECT concat(latency_basis, ' ', toString(resolution_ms >= 60000)) FROM deliveries WHERE source_id = '"+written+"'")
	c.eventually("stalled", "SELECT state FROM deliveries WHERE source_id = '"+never+"'")
	c.eventually("confirmed stale city Bergen Lyon", "SELECT concat(state, ' ', kind, ' ', field, ' ', source_value, ' ', target_value) FROM divergences "+
		"WHERE source_id = '"+never+"'")
	c.eventually("5", "SELECT count() FROM divergences")
	c.eventually("ok", "SELECT any(detail['result']) FROM signals WHERE kind = 'probe'")
}
