package notify

import (
	"fmt"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"plumbline.dev/schemas/event"
)

// Labels route, group and inhibit. All but those that change with the alert's
// severity stand for its whole life.
func labels(a *event.Alert, root string) model.LabelSet {
	l := model.LabelSet{
		model.AlertNameLabel: model.LabelValue(a.Rule),
		"alert_id":           model.LabelValue(a.ID),
		"tenant":             model.LabelValue(a.Tenant),
		"integration":        model.LabelValue(a.Integration),
		"severity":           model.LabelValue(a.Severity),
		"priority":           model.LabelValue(a.Priority),
		"class":              model.LabelValue(a.Class),
		"provider":           model.LabelValue(a.Provider),
		"object":             model.LabelValue(a.Object),
		// An alert that another one explains is inhibited by it: same cause,
		// explained yes against no.
		"cause":     model.LabelValue(a.ID),
		"explained": "no",
	}
	if root != "" {
		l["cause"], l["explained"] = model.LabelValue(root), "yes"
	}
	for name, v := range l {
		if v == "" {
			delete(l, name)
		}
	}
	return l
}

// annotations are what a person reads.
func annotations(a *event.Alert) model.LabelSet {
	n := model.LabelSet{
		"summary":    model.LabelValue(a.Summary),
		"first_step": model.LabelValue(a.FirstStep),
		"since":      model.LabelValue(event.Time(a.Since).Std().Format("2006-01-02 15:04 UTC")),
		"fault":      model.LabelValue(fault(a)),
		"status":     model.LabelValue(a.Status),
		"runbook":    model.LabelValue(a.RunbookURL),
		"console":    model.LabelValue(a.ConsoleURL),
		"sql":        model.LabelValue(a.SQL),
		// Together they name this change: a repeat has the same.
		"idempotency_key": model.LabelValue(a.ID + "/" + strconv.FormatInt(a.Seq, 10)),
	}
	if a.Status == event.AlertFiring {
		n["take"] = model.LabelValue("plumbline alerts acknowledge " + a.ID)
	}
	if a.RecordsAffected > 0 {
		n["records"] = model.LabelValue(strconv.FormatInt(a.RecordsAffected, 10))
	}
	if a.Status == event.AlertUnknown {
		n["unknown"] = model.LabelValue("cannot be measured: " + a.Reason)
	}
	for name, v := range n {
		if v == "" {
			delete(n, name)
		}
	}
	return n
}

// fault says whose fault it is, and how sure that is.
func fault(a *event.Alert) string {
	switch a.Attribution {
	case "":
		return ""
	case event.ByUnknown:
		return "cause undecided: do not disconnect anything yet"
	}
	if a.Confidence <= 0 {
		return a.Attribution
	}
	return fmt.Sprintf("%s (%.0f %% sure)", a.Attribution, 100*a.Confidence)
}

// model makes Alertmanager's alert. A firing one stays so for a while beyond
// now, and is affirmed before that: if Plumbline dies, an external
// Alertmanager would say resolved after holdFor, and the watchdog before.
func translate(a *event.Alert, root string, now time.Time) model.Alert {
	m := model.Alert{
		Labels: labels(a, root), Annotations: annotations(a), StartsAt: event.Time(a.Since).Std(), EndsAt: now.Add(holdFor),
		GeneratorURL: a.ConsoleURL,
	}
	if a.Status == event.AlertResolved {
		m.EndsAt = event.Time(a.ObservedAt).Std()
	}
	if m.EndsAt.Before(m.StartsAt) {
		m.StartsAt = m.EndsAt
	}
	return m
}

// holdFor is how long a firing alert lasts without being affirmed. It is long
// on purpose: what cannot be measured is frozen, not resolved.
const holdFor = 4 * time.Hour

// root follows caused_by to the alert that explains all of them, "" if the
// alert explains itself. Only alerts that are active explain anything.
func root(world map[string]event.Alert, a *event.Alert) string {
	found := ""
	for range 8 { // a circle would be a mistake; it must not hang us
		next, ok := world[a.CausedBy]
		if a.CausedBy == "" || !ok || next.Status == event.AlertResolved || next.ID == a.ID {
			return found
		}
		found, a = next.ID, &next
	}
	return found
}
