package connect

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestInterval(t *testing.T) {
	low, high := interval(0, 0)
	require.Equal(t, [2]float64{0, 1}, [2]float64{low, high})
	low, high = interval(0, 500)
	require.InDelta(t, 0, low, 1e-9)
	require.InDelta(t, 0.0076, high, 0.0003)
	low, high = interval(50, 500)
	require.InDelta(t, 0.0767, low, 0.001)
	require.InDelta(t, 0.1294, high, 0.001)
}

// TestAdviceSaysWhatToDo: every refusal a new user meets names the thing to
// mend, and where.
func TestAdviceSaysWhatToDo(t *testing.T) {
	hs := &config.Connection{System: "hubspot", Token: "env:HUBSPOT_TOKEN"}
	sf := &config.Connection{System: "salesforce", Domain: "acme.my.salesforce.com", Auth: &config.Auth{ClientID: "env:SF_ID", ClientSecret: "env:SF_SECRET"}}
	for _, tt := range []struct {
		kind crm.Kind
		c    *config.Connection
		want string
	}{
		{crm.KindAuth, hs, "Settings > Integrations > Private Apps"},
		{crm.KindScope, hs, "crm.objects.contacts.read"},
		{crm.KindAuth, sf, "Connected App"},
		{crm.KindScope, sf, "API Enabled"},
		{crm.KindNetwork, sf, "check the address acme.my.salesforce.com"},
		{crm.KindBudget, hs, "call_share"},
	} {
		require.ErrorContains(t, advise(&crm.Error{Kind: tt.kind, System: title(tt.c.System), Message: "no"}, tt.c), tt.want)
	}
}

func TestNamesThatAreAlike(t *testing.T) {
	target := map[string]crm.Property{
		"Lead_Score__c": {Name: "Lead_Score__c", Label: "Lead Score"}, "Lifecycle__c": {Name: "Lifecycle__c", Label: "Lifecycle"},
		"Title": {Name: "Title", Label: "Title"},
	}
	require.Equal(t, "Lead_Score__c", similar(crm.Property{Name: "lead_score"}, target))
	require.Equal(t, "Lifecycle__c", similar(crm.Property{Name: "lifecyclestage", Label: "Lifecycle Stage"}, target))
	require.Empty(t, similar(crm.Property{Name: "jobtitle", Label: "Job"}, target))
}
