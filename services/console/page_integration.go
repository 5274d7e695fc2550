package console

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/runbook"
)

// integrationPage is one integration with all that is known of it.
type integrationPage struct {
	ID, Route string
	Card      *card
	About     []labelled
	Gaps      []string
	Sheets    []*sheet
}

func loadIntegration(ctx context.Context, v *visit) (*content, error) {
	id := v.get("integration")
	if id == "" {
		return nil, errNotThere
	}
	of := map[string]string{"integration": id}
	hide := []string{"integration"}
	parts := []part{
		{name: "incidents", values: of, hide: hide, limit: 8},
		{name: "segments", values: of},
		{name: "failures_by_class", values: of},
		{name: "drift_by_field", values: of, hide: hide},
		{name: "drift_causes", values: of, hide: hide},
		{name: "watermarks", values: of, hide: hide, limit: 60},
		{name: "schema_changes", values: of},
		{name: "signals", values: map[string]string{"integration": id, "kind": "quota_exhaustion"}, change: lastMonth(v)},
		{name: "retry_health", values: of, hide: hide},
		{name: "sources", values: of, hide: hide},
	}
	sheets, err := v.sheets(ctx, parts...)
	if err != nil {
		return nil, err
	}
	sheets[7].ID, sheets[7].Title, sheets[7].Empty = "quota", "Quota forecast", "No allocation is forecast to run out."
	sheets[7].About = "What will stop silently at the vendor's limit, and when."
	p := &integrationPage{ID: id, Sheets: sheets}
	snap := v.s.snapshot(ctx, v.person, v.window)
	if snap.Has {
		for _, c := range cards(snap.Value, v.integrations()) {
			if c.Name == id {
				p.Card = &c
			}
		}
	}
	in := v.integration(id)
	if in == nil && p.Card == nil {
		return nil, errNotThere
	}
	if in != nil {
		p.Route, _ = endpoints(v.integrations(), in.Tenant, id)
		p.about(in, v.s.o.Runbooks)
	}
	return &content{Title: id, Data: p}, nil
}

func (p *integrationPage) about(in *config.Integration, books *runbook.Book) {
	add := func(label, text string) {
		if text != "" {
			p.About = append(p.About, labelled{label, cell{Text: text}})
		}
	}
	add("Owner", in.Owner)
	add("Priority", in.Priority)
	add("Mode", strings.TrimSpace(in.Mode+" "+in.Schedule))
	add("Attempts reported", in.Attempts)
	if in.Deadline > 0 {
		add("Deadline", duration(float64(time.Duration(in.Deadline).Milliseconds())))
	}
	for _, o := range in.Objects {
		words := fmt.Sprintf("%s → %s, %s", cmp.Or(o.Source, o.Name), cmp.Or(strings.Join(o.Target, ", "), o.Name), plural(uint64(len(o.Fields)), "field"))
		if o.Excluded != "" {
			words = "left out: " + o.Excluded
		}
		add(o.Name, words)
	}
	if books == nil {
		return
	}
	p.Gaps = books.Gaps(in.ID)
	r := books.Of(in.ID)
	if r == nil {
		return
	}
	add("Runbook", in.Runbook)
	add("Backup", r.Backup)
	add("Channel", r.Channel)
	add("Business impact", r.Impact)
	for _, e := range r.Escalation {
		add("Escalation "+e.Priority, "after "+duration(float64(time.Duration(e.After).Milliseconds()))+" to "+e.To)
	}
	add("Last reviewed", r.Reviewed)
	add("Last exercised", r.Exercised)
	add("If a token must be revoked", r.Revocation)
}
