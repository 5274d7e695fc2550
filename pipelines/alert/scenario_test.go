package alert_test

import (
	"fmt"
	"strings"
	"testing"

	"plumbline.dev/pipelines/alert"
	"plumbline.dev/pipelines/attribute"
	"plumbline.dev/pipelines/incident"
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/pipelines/ledger"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/pipelines/tally"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// integrations are a P1 real-time sync whose worker reports its attempts, one
// where nobody does, and a batch one.
func integrations() []config.Integration {
	contact := []config.Object{{
		Name: "contact", Source: "contact", Target: config.List[string]{"Contact"},
		Fields: []config.FieldMap{{Source: "email", Target: "Email"}, {Source: "phone", Target: "Phone"}},
	}}
	source, target := config.Endpoint{System: "hubspot", SyncUser: "hs-sync"}, config.Endpoint{System: "salesforce", SyncUser: "005SYNC"}
	return []config.Integration{
		{ID: "hs-sf", Priority: "P1", Mode: config.Realtime, Attempts: config.AttemptsFull, Objects: contact, Source: source, Target: target},
		{ID: "polled", Priority: "P1", Mode: config.Realtime, Attempts: config.AttemptsNone, Objects: contact, Source: source, Target: target},
		{ID: "nightly", Priority: "P2", Mode: config.Batch, Attempts: config.AttemptsFull, Objects: contact, Source: source, Target: target},
	}
}

// only leaves the integration a scenario is about: the others are silent, and
// would say so after an hour.
func only(id string) []config.Integration {
	for _, in := range integrations() {
		if in.ID == id {
			return []config.Integration{in}
		}
	}
	return integrations()
}

// byStatus stands in for classification.
func byStatus(a *event.Attempt) {
	v := &event.Verdict{
		Class: event.ClassOther, Recoverability: event.Temporary, Attribution: event.ByUnknown, Fingerprint: fmt.Sprintf("fp%d%s", a.Status, a.Code),
		FirstStep: "open the sample",
	}
	switch {
	case a.Status >= 500:
		v.Class, v.Attribution, v.Confidence, v.FirstStep = event.ClassVendorOutage, event.ByVendor, 0.6, "hold, do not disconnect"
	case a.Status == 401:
		v.Class, v.Recoverability, v.FirstStep = event.ClassAuth, event.Permanent, "reconnect OAuth"
	case a.Status >= 400:
		v.Class, v.Recoverability, v.Attribution, v.FirstStep = event.ClassSchema, event.Permanent, event.ByCustomer, "compare the map with the schema"
	}
	a.Verdict = v
}

// chain is track and watch in one, on one partition; of partials it is watch
// alone, with the link that says whose fault it is.
func chain(s *streamtest.Scenario) (stream.Operator, error) {
	if s.Settings["input"] == "partials" {
		in := integrations()
		return stream.NewChain(
			stream.Link{Name: "attribute", Op: attribute.New()},
			stream.Link{Name: "incident", Op: incident.New(incident.Options{Integrations: in})},
			stream.Link{Name: "alert", Op: alert.New("")},
		), nil
	}
	in := only(s.Settings["integration"])
	return stream.NewChain(
		stream.Link{Op: ledger.New(in, byStatus)},
		stream.Link{Name: "@tally", Op: tally.New(in)},
		stream.Link{Name: "incident", Op: incident.New(incident.Options{Integrations: in})},
		stream.Link{Name: "kpi", Op: kpi.New(in)},
		stream.Link{Name: "alert", Op: alert.New("")},
	), nil
}

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{Operator: chain, Format: show})
}

// show is what a person is told, a line each.
func show(s *streamtest.Scenario, o stream.Output) string {
	at := o.Time.Std().Format("15:04:05")
	switch e := o.Event.(type) {
	case *event.Alert:
		if o.Topic != topic.Alerts || e.Rule == event.RuleWatchdog {
			return ""
		}
		line := []string{at, fmt.Sprintf("#%d", e.Seq), e.Status, e.Severity, e.Rule}
		for name, v := range map[string]string{"caused_by": e.CausedBy} {
			if v != "" {
				line = append(line, name)
			}
		}
		if e.AcknowledgedBy != "" {
			line = append(line, "by="+e.AcknowledgedBy)
		}
		return strings.TrimRight(strings.Join(line, " ")+" | "+e.Summary+" | "+e.FirstStep, " |")
	case *event.Incident:
		return fmt.Sprintf("%s   incident %s %s %s affected=%d open=%d since=%s", at, e.Kind, e.Priority, e.State, e.Affected, e.Open,
			e.DetectedAt.Std().Format("15:04:05"))
	case *event.KPIMinute:
		var drift []string
		for _, c := range e.Counts {
			if strings.HasPrefix(c.Name, "divergences/") || c.Name == "pre_existing" {
				drift = append(drift, fmt.Sprintf("%s=%d", c.Name, c.N))
			}
		}
		if len(drift) > 0 {
			return at + "   minute " + strings.Join(drift, " ")
		}
	case *event.Check:
		return fmt.Sprintf("%s   check %s %s", at, e.Reason, e.RecordKey)
	}
	return ""
}
