package console

import (
	"context"
	"strings"
)

// recordPage is one record in both systems.
type recordPage struct {
	Key, Source, Target             string // names of the systems
	SourceLink, TargetLink          string
	Facts, Values, Story, Differ    *sheet
	Deliveries, Failures            *sheet
	Divergences                     []divergenceLine // what may be accepted
	Integration, Object, Tenant     string
	SourceID, TargetID, Description string
}

type divergenceLine struct{ ID, Field, State, Source, Target string }

func loadRecord(ctx context.Context, v *visit) (*content, error) {
	key := v.get("record_key")
	of := map[string]string{"record_key": key}
	a, err := v.ask(ctx, "record", 1, of)
	if err != nil {
		return nil, err
	}
	month := lastMonth(v)
	sheets, err := v.sheets(
		ctx,
		part{name: "record_values", values: of, limit: 100},
		part{name: "divergences", values: of, hide: []string{"record_key", "integration"}},
		part{name: "record_story", values: of, limit: 100},
		part{name: "deliveries", values: of, hide: []string{"record_key", "integration"}, change: month},
		part{name: "failures", values: of, hide: []string{"record_key", "integration"}, change: month},
	)
	if err != nil {
		return nil, err
	}
	if len(a.Rows) == 0 && len(sheets[2].Rows) == 0 {
		return nil, errNotThere
	}
	text := func(name string) string { s, _ := a.Value(0, name).(string); return s }
	p := &recordPage{
		Key: key, Facts: v.sheet(a), Values: sheets[0], Differ: sheets[1], Story: sheets[2], Deliveries: sheets[3], Failures: sheets[4],
		SourceLink: text("source_link"), TargetLink: text("target_link"), Source: "source", Target: "target", Integration: text("integration"),
	}
	if p.Integration == "" {
		p.Integration, _, _ = strings.Cut(key, "/")
	}
	if in := v.integration(p.Integration); in != nil {
		p.Source, p.Target = systemName(in.Source.System), systemName(in.Target.System)
	}
	return &content{Title: key, Data: p}, v.divergences(ctx, p)
}

// divergences are those a person may accept, or take back.
func (v *visit) divergences(ctx context.Context, p *recordPage) error {
	a, err := v.ask(ctx, "divergences", rowsShown, map[string]string{"record_key": p.Key})
	if err != nil {
		return err
	}
	for i := range a.Rows {
		text := func(name string) string { s, _ := a.Value(i, name).(string); return s }
		if state := text("state"); state == "confirmed" || state == "accepted" {
			p.Divergences = append(p.Divergences, divergenceLine{
				ID: text("divergence_id"), Field: text("field"), State: state,
				Source: shorten(text("source_value"), 80), Target: shorten(text("target_value"), 80),
			})
		}
	}
	return nil
}
