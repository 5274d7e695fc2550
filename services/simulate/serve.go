package simulate

import (
	"net/http"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/hubspot"
	"plumbline.dev/services/simulate/salesforce"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

// Credentials that the fake APIs take.
const (
	HubSpotToken       = "pat-na1-demo-0000-0000-0000-000000000001" //nolint:gosec // of a CRM that does not exist
	HubSpotRefresh     = "demo-refresh-token"
	SalesforceClientID = "3MVG9demo"
	SalesforceSecret   = "demo-client-secret"
	SalesforceUser     = "reader@example.com"
	SalesforcePassword = "demo-password"
)

// reader is the Salesforce user behind the credentials above.
const reader = "0055f00000ReadrAAE"

// fakes are the two APIs of one tenant.
type fakes struct {
	hs *hubspot.Server
	sf *salesforce.Server
}

// Fakes are the APIs of one tenant's two systems.
type Fakes struct{ HubSpot, Salesforce http.Handler }

// Fakes are the APIs of each tenant, the first tenant's first.
func (s *Simulation) Fakes() []Fakes {
	out := make([]Fakes, len(s.apis))
	for i, a := range s.apis {
		out[i] = Fakes{a.hs, a.sf}
	}
	return out
}

// HubSpot is the fake HubSpot's API over the world of the first tenant.
func (s *Simulation) HubSpot() http.Handler { return s.apis[0].hs }

// Salesforce is the fake Salesforce's API over the world of the first tenant.
func (s *Simulation) Salesforce() http.Handler { return s.apis[0].sf }

func (s *Simulation) serve(w *world) fakes {
	var source, target []*crm.Table
	var owners []string
	for _, o := range w.objects {
		source, target = append(source, o.source), append(target, o.target)
		for j := range o.Fields {
			if f := &o.Fields[j]; f.Source == "hubspot_owner_id" {
				owners = options(f)
			}
		}
	}
	hs := hubspot.New(hubspot.Options{
		Lock: &s.mu, Tables: source, Portal: w.in.Source.Account, Token: HubSpotToken, Refresh: HubSpotRefresh,
		Owners: owners, Now: w.Now, Wall: s.o.Clock.Now, Changed: w.sourceChanged, Listed: w.listed,
	})
	dice := w.diceOf("readers") // of their own: who reads must not change what happens
	sf := salesforce.New(salesforce.Options{
		Lock: &s.mu, Org: w.sf, Tables: target, OrgID: w.in.Target.Account, ClientID: SalesforceClientID, Secret: SalesforceSecret,
		User: SalesforceUser, Password: SalesforcePassword, UserID: reader, Now: w.Now, Wall: s.o.Clock.Now, Changed: w.targetChanged, Listed: w.listed,
		Fault: func(*http.Request) (crm.Answer, bool) { return s.outage(w, dice) },
	})
	w.spend = sf.Spend
	return fakes{hs, sf}
}

// outage is what strikes every client of the org alike: an outage, a brown-out,
// the org's own limit. A token that was revoked is the sync's alone.
func (s *Simulation) outage(w *world, dice *timeline.Dice) (crm.Answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, kind := range []string{scenario.VendorOutage, scenario.BrownOut, scenario.Throttled} {
		if e := w.faults.on(kind); e != nil && (kind != scenario.BrownOut || dice.Chance(e.Share)) {
			return refusalOf(e), true
		}
	}
	return crm.Answer{}, false
}

// listed notes that a reader was shown all of a table: nobody compares a set
// of which that is not true of both sides.
func (w *world) listed(t *crm.Table) {
	for _, o := range w.objects {
		switch t {
		case o.source:
			w.note(truth.Line{Kind: truth.Listed, System: w.in.Source.System, Object: o.Name})
		case o.target:
			w.note(truth.Line{Kind: truth.Listed, System: w.in.Target.System, Object: o.Name})
		}
	}
}

// sourceChanged follows what a client of the fake HubSpot wrote, as if an app
// of the customer's had.
func (w *world) sourceChanged(c crm.Change) {
	for _, o := range w.objects {
		if o.source != c.Table {
			continue
		}
		a := byMachine(event.ActorIntegration, "INTEGRATION", c.Writer)
		switch c.Operation {
		case event.OpCreate:
			r := w.pair(o, c.Row)
			w.hooks.created(r, a)
			w.worker.touched(r, o.every)
		case event.OpDelete:
			r := o.byID[c.Row.ID]
			w.forget(r)
			w.echoes.bereave(r)
			r.deleted = true
			w.hooks.deleted(r, a)
			w.worker.touched(r, 0)
		default:
			r := o.byID[c.Row.ID]
			mask := o.mask(c.Fields, false)
			w.hooks.updated(r, mask, a)
			w.worker.touched(r, mask)
		}
	}
}

// targetChanged follows what a client of the fake Salesforce wrote.
func (w *world) targetChanged(c crm.Change) {
	for _, o := range w.objects {
		if o.target == c.Table {
			w.echoes.byClient(o, c)
			if r := o.byID[c.Row.External]; r != nil {
				w.check(r, nil, causeEdited)
			}
		}
	}
}

func (o *object) mask(names []string, target bool) uint32 {
	var mask uint32
	for j := range o.Fields {
		name := o.Fields[j].Source
		if target {
			name = o.Fields[j].Target
		}
		for _, n := range names {
			if n == name {
				mask |= 1 << j
			}
		}
	}
	return mask
}
