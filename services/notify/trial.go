package notify

import (
	"context"
	"fmt"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/common/model"
	"plumbline.dev/schemas/event"
)

// Outcome is what one receiver made of a trial.
type Outcome struct {
	Receiver string // with its kind: people/slack[0]
	Err      error
}

// sample is the alert of a trial: it reads like a real one.
func sample(now time.Time) event.Alert {
	return event.Alert{
		ID: event.AlertID("trial", "trial"), Seq: now.Unix(), Status: event.AlertFiring, Severity: event.Page, Priority: event.P1,
		Rule: event.RuleIncident, Tenant: "default", Integration: "trial", Object: "contact", Subject: "trial",
		Since: event.JSONTime(event.At(now.Add(-4 * time.Minute))), ObservedAt: event.JSONTime(event.At(now)), RecordsAffected: 42,
		Class: event.ClassAuth, Attribution: event.ByCustomer, Confidence: 0.9,
		Summary:   "THIS IS A TEST. contact update fails at salesforce: auth (401); 42 records, 42 not right yet",
		FirstStep: "reconnect OAuth, rotate the key, audit scopes",
	}
}

// Trial sends a sample alert to every receiver at once, past routes, grouping
// and silences, and reports each one's answer.
func Trial(ctx context.Context, o Options) ([]Outcome, error) {
	o.Source.Brokers, o.Data = []string{"-"}, "-" // not used here
	if err := o.fill(); err != nil {
		return nil, err
	}
	a := sample(o.Now())
	said := translate(&a, "", o.Now())
	if u := o.external(); u != nil {
		x := newExternal(&o, u)
		defer x.close()
		return []Outcome{{u.String(), x.put(ctx, o.Now(), []model.Alert{said})}}, nil
	}
	conf, err := load(&o)
	if err != nil {
		return nil, err
	}
	return trial(ctx, &o, conf, said)
}

func trial(ctx context.Context, o *Options, conf *amconfig.Config, said model.Alert) ([]Outcome, error) {
	_, receivers, err := (&speaker{}).receivers(o, conf)
	if err != nil {
		return nil, err
	}
	var out []Outcome
	for _, r := range conf.Receivers {
		for _, i := range receivers[r.Name] {
			err := directly(ctx, r.Name, i, model.LabelSet{"integration": "trial"}, said, o.Now())
			out = append(out, Outcome{fmt.Sprintf("%s/%s", r.Name, i.String()), err})
		}
	}
	return out, nil
}
