package reconcile

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/simulate/crm"
)

// TestObjectsThatNobodyMappedAreGaps: what a side holds and no integration maps
// is told with its number, kept while a side cannot be asked, and taken back
// once it is mapped or left out with a reason.
func TestObjectsThatNobodyMappedAreGaps(t *testing.T) {
	w := newWorld(t)
	w.leads = crm.NewTable("Lead", []crm.Field{{Name: "LastName"}}, crm.SalesforceID("00Q"))
	companies := crm.NewTable("company", []crm.Field{{Name: "name"}}, crm.HubSpotID(5000))
	deals := crm.NewTable("deal", []crm.Field{{Name: "name"}}, crm.HubSpotID(7000)) // none of them
	w.others = []*crm.Table{companies, deals}
	w.serve("Contact")
	w.pair(1)
	for range 3 {
		companies.Insert(map[string]string{"name": "Lindgren"}, "", "", old)
		w.leads.Insert(map[string]string{"LastName": "Lindgren"}, "", "", old)
	}
	gaps := func() map[string]*event.Reconciliation {
		r := w.role()
		require.Len(t, r.pairs(), 1)
		require.NoError(t, r.tellGaps(t.Context(), r.pairs()[0]))
		out := map[string]*event.Reconciliation{}
		for _, e := range of[*event.Reconciliation](w.produced.take()) {
			out[e.Object] = e
		}
		return out
	}
	first := gaps()
	require.Len(t, first, 2)
	require.Equal(t, event.RunUncovered, first["company"].State)
	require.Contains(t, first["company"].Reason, "hubspot holds 3 company records")
	require.Contains(t, first["company"].Reason, "excluded")
	require.True(t, first["company"].Critical)
	require.Zero(t, first["company"].ComparedThrough, "an open gap of coverage")
	require.Contains(t, first["lead"].Reason, "salesforce holds 3 Lead records")
	require.False(t, first["lead"].Critical)

	w.refuse(http.StatusForbidden)
	require.Empty(t, gaps(), "who may not look says nothing, and takes nothing back")
	w.refuse(0)

	w.configure(strings.Replace(w.yaml, "    objects:", "    objects:\n      - { name: company, target: Account, excluded: kept by finance }", 1))
	again := gaps()
	require.Len(t, again, 2)
	require.Equal(t, event.RunExcluded, again["company"].State)
	require.Equal(t, "kept by finance", again["company"].Reason)
	require.Equal(t, event.RunUncovered, again["lead"].State)

	w.configure(strings.Replace(w.yaml, "target: Contact", "target: [Lead, Contact]", 1))
	require.Equal(t, event.RunRemoved, gaps()["lead"].State)
}
