package console

import (
	"context"
	"slices"
	"strings"

	"plumbline.dev/schemas/config"
)

// doorsPage is how data gets in, and how it goes.
type doorsPage struct {
	Hooks    []hookLine
	Trouble  string // why nothing is known of the hooks
	Setup    []setup
	Snippets []snippet
	Sender   string
	Token    string // where it is, never the token
	Sources  *sheet
	Letters  *sheet
	Matrix   []feed
	Ingest   string
}

type hookLine struct {
	DoorCard
	Name, Tone, State string
	Taken, Denied     *stamp
}

func loadDoors(ctx context.Context, v *visit) (*content, error) {
	sheets, err := v.sheets(ctx, part{name: "sources"}, part{name: "dead_letters_by_origin"})
	if err != nil {
		return nil, err
	}
	ingest := strings.TrimSuffix(v.s.o.Ingest, "/")
	p := &doorsPage{Sources: sheets[0], Letters: sheets[1], Setup: setupList(v.integrations(), ingest), Matrix: feeds, Ingest: ingest}
	p.hooks(ctx, v)
	p.snippets(v)
	return &content{Title: "Set-up", Data: p}, nil
}

func (p *doorsPage) hooks(ctx context.Context, v *visit) {
	if v.s.o.Door == nil {
		p.Trouble = "No sender is configured: add one under senders, its token lets this page ask ingest what the hooks took and refused."
		return
	}
	list, err := v.s.o.Door.Cards(ctx)
	if err != nil {
		p.Trouble = capital(err.Error()) + "."
		return
	}
	mine := hooksOf(v.integrations())
	for _, c := range list {
		if v.person.Tenants != nil && !slices.Contains(mine, c.Hook) {
			continue
		}
		h := hookLine{DoorCard: c, Name: systemName(c.System), State: "Nothing came yet", Tone: "unknown"}
		if c.URL == "" {
			h.URL = p.Ingest + "/hooks/" + c.Hook
		}
		if !c.LastTaken.IsZero() {
			h.Taken, h.State, h.Tone = newStamp(c.LastTaken, v.now), "Takes events", "ok"
		}
		if !c.LastRefuse.IsZero() {
			h.Denied = newStamp(c.LastRefuse, v.now)
			if c.LastRefuse.After(c.LastTaken) {
				h.State, h.Tone = "Refused the last request", "breach"
			}
		}
		p.Hooks = append(p.Hooks, h)
	}
}

func hooksOf(list []config.Integration) []string {
	var out []string
	for _, c := range list {
		out = append(out, c.Source.Hook, c.Target.Hook)
	}
	return out
}

func (p *doorsPage) snippets(v *visit) {
	senders := v.s.o.Senders
	if len(senders) == 0 || len(senders[0].Tokens) == 0 {
		return
	}
	p.Sender, p.Token = senders[0].ID, string(senders[0].Tokens[0])
	id := "hubspot-salesforce"
	if list := v.integrations(); len(list) > 0 {
		id = list[0].ID
	}
	p.Snippets = snippets(p.Ingest, p.Token, id)
}

// feed says which KPI a source can feed: y yes, p in part, empty no.
type feed struct {
	Source, Success, Latency, Drift, Note string
}

// feeds is honest: what a source does not report, no dashboard can show.
var feeds = []feed{
	{"Your own worker, reporting attempts", "yes", "yes, to ack", "no", "With webhooks or read access to the target, latency is to what is really there."},
	{"HubSpot or Salesforce webhooks", "as record success", "yes", "from the fields they carry", "Lost webhooks show as quiet or lossy sources."},
	{"Two read-only connections", "as record success", "yes, ± the poll", "yes, with coverage", "Nobody has to report anything: both sides are looked at."},
	{"HubSpot's own Salesforce sync", "as record success", "by observing both sides", "by observing both sides", "It reports no attempts."},
	{"Airbyte, Fivetran, Nango", "per run", "no", "no", "They report runs, not records. Add connections for the rest."},
}
