package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumbline.dev/services/console/ask"
	"plumbline.dev/services/internal/runbook"
)

func loadIncidents(ctx context.Context, v *visit) (*content, error) {
	only := map[string]string{"integration": v.get("integration")}
	sheets, err := v.sheets(
		ctx,
		part{name: "incidents", values: flat(v.query)},
		part{name: "alerts", values: only},
		part{name: "signals", values: only},
	)
	return &content{Title: "Incidents", Sheets: sheets}, err
}

// incidentPage is what one incident needs to be worked off.
type incidentPage struct {
	ID, Title, Integration, State, Priority string
	Tone                                    string
	Open                                    bool
	Since                                   stampWords
	Whose, Evidence, Step                   string
	Worth                                   string // in money, of what still differs
	Facts                                   *sheet
	Records, Failures, Signals              *sheet
	Steps                                   []stepLine
	Done                                    []string // what people did
	Owner, Backup, Channel, Gap             string   // of the runbook
	Predicate                               string   // SQL that selects them all
}

type stampWords struct {
	At  *stamp
	Ago string
}

// stepLine is one step of the runbook.
type stepLine struct {
	N                 int
	Do, Query, Expect string
	Done              string // who, when
}

func loadIncident(ctx context.Context, v *visit) (*content, error) {
	id := v.get("incident_id")
	a, err := v.ask(ctx, "incident", 1, map[string]string{"incident_id": id})
	if err != nil {
		return nil, err
	}
	if len(a.Rows) == 0 {
		return nil, errNotThere
	}
	text := func(name string) string { s, _ := a.Value(0, name).(string); return s }
	detected, _ := a.Value(0, "detected_at").(time.Time)
	p := &incidentPage{
		ID: id, Title: text("title"), Integration: text("integration"), State: text("state"), Priority: text("priority"),
		Evidence: capital(text("evidence")), Step: capital(text("first_step")), Facts: v.sheet(a, "title", "evidence", "first_step"),
		Since:     stampWords{newStamp(detected, v.now), ago(v.now.Sub(detected))},
		Predicate: affectedSQL(text("kind"), text("predicate")),
	}
	p.Open, p.Tone = p.State != "resolved", tones[p.Priority]
	if !p.Open {
		p.Tone = "ok"
	}
	confidence, _ := a.Value(0, "confidence").(float64)
	p.Whose = capital(whose(text("attribution"), confidence))
	p.Done, _ = a.Value(0, "steps").([]string)
	v.steps(p, text("class"), text("fingerprint"))
	onset, _ := a.Value(0, "onset_at").(time.Time)
	since := func(q *ask.Params) { q.From = onset.Add(-time.Hour) }
	sheets, err := v.sheets(
		ctx,
		part{name: "incident_records", values: map[string]string{"incident_id": id}},
		part{
			name: "failures", values: map[string]string{"incident_id": id}, change: since, limit: 10,
			hide: []string{"integration", "attribution", "incident_id"},
		},
		part{name: "signals", values: map[string]string{"integration": p.Integration}, change: since},
	)
	if err != nil {
		return nil, err
	}
	p.Records, p.Failures, p.Signals = sheets[0], sheets[1], sheets[2]
	if p.Worth, err = v.worth(ctx, id); err != nil {
		return nil, err
	}
	return &content{Title: p.Title, Data: p}, nil
}

// affectedSQL is a statement that lists the affected records, to be copied.
func affectedSQL(kind, predicate string) string {
	if predicate == "" {
		return ""
	}
	table := map[string]string{"divergence": "divergences", "failures": "failures"}[kind]
	if table == "" {
		table = "deliveries"
	}
	return "SELECT DISTINCT record_key FROM " + table + " WHERE " + predicate + " ORDER BY record_key"
}

// steps are the runbook's for this very problem, else for its class.
func (v *visit) steps(p *incidentPage, class, fingerprint string) {
	var book *runbook.Runbook
	if v.s.o.Runbooks != nil {
		book = v.s.o.Runbooks.Of(p.Integration)
	}
	if book == nil {
		p.Gap = "This integration has no runbook. plumbline runbook new writes one to start from."
		p.Steps = []stepLine{{N: 1, Do: p.Step}}
	} else {
		p.Owner, p.Backup, p.Channel = book.Owner, book.Backup, book.Channel
		list := book.Steps[fingerprint]
		if len(list) == 0 {
			list = book.Steps[class]
		}
		for i, s := range list {
			p.Steps = append(p.Steps, stepLine{N: i + 1, Do: s.Do, Query: s.Query, Expect: s.Expect})
		}
		if len(list) == 0 {
			p.Gap = "The runbook has no step for " + class + " yet: write down what helped."
			p.Steps = []stepLine{{N: 1, Do: p.Step}}
		}
	}
	for i := range p.Steps {
		name := stepName(p.Steps[i].N)
		if j := slices.IndexFunc(p.Done, func(d string) bool { return containsWord(d, name) }); j >= 0 {
			p.Steps[i].Done = p.Done[j]
		}
	}
}

func stepName(n int) string { return fmt.Sprintf("step-%d", n) }
