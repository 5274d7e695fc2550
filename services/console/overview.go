package console

import (
	"html/template"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
)

// Overview is the page in the order it is read. Everything in it is decided
// here; the templates only lay it out.
type Overview struct {
	Window  Window
	HasData bool   // there are numbers to show
	Title   string // of the browser's tab
	Setup   []setup
	Verdict Status
	Says    string // the verdict in a sentence
	Silent  silent
	Cards   []card
	Classes []classLine
	Opens   []incidentLine // incidents that are not over
	Strange []machineLine  // agents that are stopped, tokens that are used as they never were
	Differ  []differenceLine
	Differs uint64 // all of them
	Money   []moneyLine
	Recent  []failureLine
	Sources []sourceLine
	Through template.HTML // how far the data goes
	Changed []changedLine // what may explain it
	Earlier string        // number of changes that are not shown
	Gaps    []gapLine
	Checks  []Check
}

type trouble struct {
	Title, Advice string
	Since         template.HTML
}

// overview makes a page of a state. A state without a snapshot makes one that
// says why.
func (s *Server) overview(w Window, st State[*Snapshot], list []config.Integration) *Overview {
	o := &Overview{Window: w, Checks: s.checks(st.Has, st.Err), Title: "Plumbline"}
	snap := st.Value
	if snap == nil {
		o.Verdict, o.Says = statusOf("unknown"), "No numbers yet"
		return o
	}
	if !snap.HasData() {
		o.Setup = setupList(list, s.o.Ingest)
		o.Verdict, o.Says = statusOf("unknown"), "Nothing has arrived yet"
		return o
	}
	o.HasData = true
	o.Silent = newSilent(snap)
	o.Cards = cards(snap, list)
	o.Verdict, o.Says = verdict(o.Cards, o.Silent)
	o.Classes, o.Recent = classLines(snap), failureLines(snap)
	o.Opens, o.Strange = incidentLines(snap), machineLines(snap)
	o.Differ, o.Differs = differenceLines(snap)
	o.Money = moneyLines(snap)
	o.Sources, o.Through = sourceLines(snap)
	o.Changed, o.Earlier = changedLines(snap)
	o.Gaps = gapLines(snap)
	o.Title = title(o)
	return o
}

func newTrouble(err error, has bool, at, now time.Time) *trouble {
	t := &trouble{}
	t.Title, t.Advice = excuse(err)
	if !has {
		t.Since = "Nothing could be read since this console was started."
	} else {
		t.Since = "The numbers below are those of " + momentUTC(at, now) + plainText(" ("+ago(now.Sub(at))+").")
	}
	return t
}

// checks are the system's own, and ClickHouse as this page found it.
func (s *Server) checks(has bool, err error) []Check {
	c := Check{Name: "ClickHouse", OK: err == nil, Detail: "answers"}
	if err != nil {
		c.Detail = brief(err)
	} else if !has {
		c.OK, c.Detail = false, "has not answered yet"
	}
	return append([]Check{c}, s.o.Health()...)
}

// brief is an excuse to stand after the name.
func brief(err error) string {
	words, _ := excuse(err)
	return strings.TrimPrefix(words, "ClickHouse ")
}

func title(o *Overview) string {
	switch {
	case o.Silent.N > 0:
		return "(" + number(o.Silent.N) + " silent) Plumbline"
	case o.Verdict.Key != "ok":
		return o.Verdict.Word + " · Plumbline"
	}
	return "Plumbline"
}

// verdict is the sentence at the top. It is ok only when everything is
// measured, on target and nothing failed in silence.
func verdict(list []card, silent silent) (Status, string) {
	count := map[string]uint64{}
	for _, c := range list {
		count[c.Status.Key]++
	}
	all := plural(uint64(len(list)), "integration")
	of := func(key string) string { return number(count[key]) + " of " + all }
	switch {
	case len(list) == 0:
		return statusOf("unknown"), "No integration is configured"
	case count["breach"] > 0:
		return statusOf("breach"), of("breach") + verb(count["breach"], " misses a target", " miss a target")
	case count["warning"] > 0:
		return statusOf("warning"), of("warning") + verb(count["warning"], " shows a warning", " show a warning")
	case silent.N > 0:
		return statusOf("warning"), "Rates look fine, yet " + plural(silent.N, "change") + " never arrived"
	case count["unknown"] > 0:
		return statusOf("unknown"), of("unknown") + " cannot be judged yet"
	case len(list) == 1:
		return statusOf("ok"), "All five KPIs are measured and on target"
	}
	return statusOf("ok"), "All five KPIs of all " + all + " are measured and on target"
}

func verb(n uint64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// endpoints is "HubSpot → Salesforce" of a configured integration.
func endpoints(list []config.Integration, tenant, id string) (route, priority string) {
	i := slices.IndexFunc(list, func(c config.Integration) bool {
		return c.ID == id && (c.Tenant == tenant || c.Tenant == "" && tenant == "default")
	})
	if i < 0 {
		return "", ""
	}
	c := list[i]
	arrow := " → "
	if c.Bidirectional {
		arrow = " ⇄ "
	}
	return systemName(c.Source.System) + arrow + systemName(c.Target.System), c.Priority
}

// systemName writes a system as its maker does.
func systemName(s string) string {
	if n, ok := map[string]string{
		"hubspot": "HubSpot", "salesforce": "Salesforce", "dataverse": "Dynamics 365", "pipedrive": "Pipedrive", "zoho": "Zoho",
	}[s]; ok {
		return n
	}
	if s == "" {
		return "?"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
