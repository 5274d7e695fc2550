package console_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// What may explain the numbers stands under the charts, with the sources that
// say of themselves that they are not well, and what was not compared in time.
func TestCauseAndEffectStandTogether(t *testing.T) {
	w := newWorld(t, integration("i"), integration("j"))
	w.attempts("i", 400, ago(time.Hour), event.OutcomeOK)
	w.attempts("i", 200, ago(5*time.Hour), event.OutcomeOK)
	w.attempts("j", 400, ago(time.Hour), event.OutcomeOK)
	w.attempts("j", 200, ago(5*time.Hour), event.OutcomeOK)
	for _, s := range []event.Signal{
		{ID: "s1", Integration: "i", Kind: event.SignalPicklistChange, System: "salesforce", Object: "contact", Field: "Stage__c", StartedAt: ago(90 * time.Minute), Summary: "<b>Nurture</b> left the picklist"},
		{ID: "s2", Kind: event.SignalVendorIncident, System: "salesforce", StartedAt: ago(3 * time.Hour), Summary: "degraded"},
		{ID: "s3", Kind: event.SignalSourceLossy, System: "hubspot", StartedAt: ago(30 * time.Minute), Summary: "40 of 400 events of this hour had to be sent again"},
		{ID: "s4", Integration: "i", Kind: event.SignalUsage, System: "salesforce", StartedAt: ago(time.Hour), Summary: "31 % used"},
		{ID: "s5", Integration: "i", Kind: event.SignalDeploy, StartedAt: ago(40 * time.Hour), Summary: "before the window"},
	} {
		s.Tenant, s.ReceivedAt = "default", s.StartedAt
		w.add("signals", &s)
	}
	w.add("changes", &event.Change{
		ID: "c", Tenant: "default", Integration: "i", Side: "source", System: "hubspot", Object: "contact", RecordID: "1", RecordKey: "i/contact/1",
		Operation: event.OpUpdate, ChangedAt: ago(time.Minute), ReceivedAt: ago(time.Minute), Hook: "hubspot-main",
	})
	w.compared("i", 100)
	w.compared("j", 100)
	late := *w.rows["reconciliations"][1].(*event.Reconciliation)
	late.ID, late.ComparedThrough, late.UpdatedAt, late.Reason, late.BlockedBy, late.Version = "late", ago(60*time.Hour), ago(time.Minute), "the target answered 403", "run-2", 2
	w.add("reconciliations", &late)
	p := pageOf(t, w.start())

	changed := p.one("#changed")
	require.Len(t, changed.one("tbody").all("tr"), 3, "not Plumbline's own counters, not what was before")
	require.Contains(t, changed.text(), "Picklist changed i · contact.Stage__c <b>Nurture</b> left the picklist 10:30:00")
	require.Contains(t, changed.text(), "Vendor incident Salesforce Degraded")
	require.Len(t, p.one("#i-default-i-success").all(".mark"), 3, "its own and its systems'")
	require.Len(t, p.one("#i-default-j-success").all(".mark"), 2, "its systems'")

	require.Contains(t, p.one("#sources").one(".lossy").text(), "Source lossy: 40 of 400 events of this hour had to be sent again")

	gaps := p.one("#gaps").one("tbody").all("tr")
	require.Len(t, gaps, 1)
	require.Contains(t, gaps[0].text(), "contact i 1 of 2 sets stage")
	require.Contains(t, gaps[0].text(), "the target answered 403, run run-2")
}
