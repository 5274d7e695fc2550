package incident

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// showsAs are the classes that a vendor's outage may show as: refused tokens,
// no answer, words nobody knows. The view failures says the same.
var showsAs = []string{event.ClassAuth, event.ClassNetwork, event.ClassOther}

// verdict lets evidence over time overrule what each answer suggested.
func (n *Incidents) verdict(v *event.CauseVerdict) {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.I.Kind != event.IncidentOfFailures || c.I.Tenant != v.Tenant || c.I.Class != v.Class && c.I.VerdictID != v.ID ||
			c.I.Provider != v.Provider || v.Integration != "" && c.I.Integration != v.Integration ||
			v.Token != "" && c.I.Token != v.Token || v.End != 0 && c.I.DetectedAt > v.End {
			continue
		}
		c = n.cases.Change(key)
		c.Decided = v.Decided
		c.I.VerdictID, c.I.Attribution, c.I.Confidence = v.ID, v.Attribution, v.Confidence
		c.I.Class = v.Class
		if v.Decided && v.Attribution == event.ByVendor && slices.Contains(showsAs, v.Class) {
			c.I.Class = event.ClassVendorOutage
		}
		c.I.Recoverability, c.I.Evidence = v.Recoverability, v.Evidence
		if v.FirstStep != "" {
			c.I.FirstStep = v.FirstStep
		}
		c.Changed, c.Urgent = true, c.Urgent || c.Opened
	}
}

// click is what a person did about an incident; its alert's id will do as well.
func (n *Incidents) click(k *event.Click) {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.Opened && (c.I.ID == k.Subject || AlertOf(&c.I) == k.Subject) {
			n.cases.Change(key).person(k)
			return
		}
	}
}

// AlertOf is the id of an incident's alert.
func AlertOf(i *event.Incident) string { return event.AlertID(event.RuleIncident, i.Tenant+"/"+i.ID) }

func (c *Case) person(k *event.Click) {
	switch k.Kind {
	case event.ClickAcknowledge:
		if c.I.AcknowledgedAt == 0 {
			c.I.AcknowledgedAt, c.I.AcknowledgedBy = k.At, k.By
		}
		if c.I.State == event.IncidentOpen {
			c.state(event.IncidentAcknowledged)
		}
	case event.ClickMitigate:
		c.I.MitigatedAt = k.At
		c.state(event.IncidentMitigated)
	case event.ClickWaive:
		record := k.Object + "/" + k.RecordKey
		before := len(c.Wrong)
		c.right(record, false, k.At)
		c.I.Waived += int64(before - len(c.Wrong))
	case event.ClickResolve:
		c.I.Waived += int64(len(c.Wrong)) + c.Over + c.Loose
		c.I.ResolvedBy, c.Closed, c.HealedAt, c.RightAt = k.By, true, k.At, k.At
		c.Wrong, c.Over, c.Loose = nil, 0, 0
	case event.ClickRecheck:
		c.Recheck = true
	case event.ClickTick:
	default:
		return
	}
	if len(c.I.Steps) < maxSteps {
		step := k.Step
		if step == "" {
			step = k.Kind
		}
		c.I.Steps = append(c.I.Steps, event.Step{Step: step, Result: k.Result, Reason: k.Reason, By: k.By, At: k.At})
	}
	c.Changed, c.Urgent = true, true
}
