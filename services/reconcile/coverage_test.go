package reconcile

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/simulate/crm"
)

// told is the newest word on each set.
func told(w *world) map[string]*event.Reconciliation {
	out := map[string]*event.Reconciliation{}
	for _, r := range of[*event.Reconciliation](w.produced.take()) {
		out[r.Field] = r
	}
	return out
}

// TestWatermarks: a difference keeps one field's equal_through back and names
// the run; an accepted one blocks nothing; a failed run moves nothing; another
// mapping starts anew; what the system no longer has is said.
func TestWatermarks(t *testing.T) {
	w := newWorld(t)
	var hurt *crm.Row
	for i := range 60 {
		s, c := w.pair(i)
		if i == 7 {
			hurt = s
			w.injure(2, s, c)
		}
	}
	_, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	first := told(w)
	require.Len(t, first, 10)
	require.Equal(t, event.RunComplete, first["city"].State)
	require.Equal(t, first["city"].StartedAt, first["city"].ComparedThrough)
	require.Zero(t, first["city"].EqualThrough)
	require.Equal(t, first["city"].Run, first["city"].BlockedBy)
	require.Equal(t, first["email"].StartedAt, first["email"].EqualThrough)
	require.Empty(t, first["email"].BlockedBy)
	require.EqualValues(t, 60, first[""].SourceRecords)
	require.EqualValues(t, 60, first[""].SourceCount)
	require.EqualValues(t, 1, first[""].Different)
	require.True(t, first[""].Critical, "contacts are, unless somebody says no")

	require.NoError(t, w.db.Exec(t.Context(), "INSERT INTO divergences_raw (divergence_id, tenant, integration, object, record_key, field, state, first_seen_at, "+
		"updated_at, version, _rank) SELECT 'd', 'default', 'hs-sf', 'contact', ?, 'city', 'accepted', now64(3), now64(3), 1, 1", hurt.ID))
	_, err = w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	second := told(w)
	require.Equal(t, second["city"].StartedAt, second["city"].EqualThrough, "one accepted mismatch blocks nothing")
	require.EqualValues(t, 1, second["city"].Accepted)
	require.Empty(t, second["city"].BlockedBy)
	require.Greater(t, second["city"].StartedAt, first["city"].StartedAt)

	w.refuse(http.StatusUnauthorized)
	_, err = w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.Error(t, err)
	third := told(w)
	require.Equal(t, event.RunFailed, third["city"].State)
	require.Equal(t, second["city"].ComparedThrough, third["city"].ComparedThrough)
	require.Equal(t, third["city"].Run, third["city"].BlockedBy)
	require.Contains(t, third["city"].Reason, "401")
	w.during = nil
	w.refuse(0)

	object := &w.cfg.Integrations[0].Objects[0]
	object.Fields[2].Compare = "exact"
	object.Fields = object.Fields[:len(object.Fields)-1] // the phone is no longer mapped
	w.source.Fields = append(w.source.Fields[:3:3], w.source.Fields[4:]...)
	_, err = w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	var states []string
	fourth := map[string]*event.Reconciliation{}
	for _, r := range of[*event.Reconciliation](w.produced.take()) {
		states = append(states, r.Field+" "+r.State)
		fourth[r.Field] = r
	}
	require.Contains(t, states, "city "+event.RunInvalidated)
	require.Contains(t, states, "phone "+event.RunRemoved)
	require.Contains(t, states, "city "+event.RunComplete)
	require.Equal(t, event.RunFailed, fourth["score"].State)
	require.Contains(t, fourth["score"].Reason, "hubspot has no contact.score")
	require.Equal(t, second["score"].ComparedThrough, fourth["score"].ComparedThrough, "the watermark stays where it was")
}

// TestScopeAndUnlinkable: what is not meant to be synced is no divergence, and
// what has no key is compared with nothing.
func TestScopeAndUnlinkable(t *testing.T) {
	w := newWorld(t)
	yaml := strings.Replace(w.yaml, "        key:", "        scope: { target: \"LastName != 'Private'\", reason: not ours }\n        key:", 1)
	yaml = strings.Replace(yaml, "          - { source: hs_object_id, target: HubSpot_Id__c }\n", "", 1) // by e-mail only
	w.configure(yaml)
	for i := range 40 {
		s, c := w.pair(i)
		switch i {
		case 3: // left out on the target's side, and different
			w.target.Update(c, map[string]string{"LastName": "Private", "MailingCity": "Elsewhere"}, "", old+1)
		case 4:
			w.source.Update(s, map[string]string{"email": ""}, "", old+1)
			w.target.Delete(c, "", old+1)
		}
	}
	res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	require.Empty(t, res[0].Examples)
	require.EqualValues(t, 1, res[0].Unlinkable)
	require.EqualValues(t, 1, res[0].OutOfScope)
	require.InDelta(t, 39.0/40, res[0].Share, 1e-9)
	outside := 0
	for _, o := range of[*event.Observation](w.produced.take()) {
		if o.OutOfScope {
			outside++
		}
	}
	require.Equal(t, 1, outside)
}

// TestLeadOrContact: one object that is either, with what only one of them has.
func TestLeadOrContact(t *testing.T) {
	w := newWorld(t)
	w.leads = crm.NewTable("Lead", []crm.Field{{Name: "Email", Type: "email"}, {Name: "LastName"}}, crm.SalesforceID("00Q"))
	w.serve("[Lead, Contact]")
	for i := range 30 {
		s, c := w.pair(i)
		if i%3 == 0 { // a lead instead
			w.target.Delete(c, "", old)
			lead := w.leads.Insert(map[string]string{"Email": s.Values["email"], "LastName": s.Values["lastname"]}, s.ID, "005SYNC", old)
			if i == 9 {
				w.leads.Update(lead, map[string]string{"LastName": "Somebody"}, "005HUMAN", old+1)
			}
		}
	}
	res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	require.EqualValues(t, 30, res[0].Compared)
	require.Len(t, res[0].Examples, 1)
	require.Equal(t, "lastname", res[0].Examples[0].Field)
	require.True(t, strings.HasPrefix(res[0].Examples[0].TargetID, "00Q"))
}
