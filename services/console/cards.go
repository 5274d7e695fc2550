package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"plumbline.dev/schemas/config"
)

// card is one integration: its two KPIs and what stands beside them.
type card struct {
	ID, Name, Tenant, Route, Priority string
	Href                              string // to its own page
	Status                            Status
	Panels                            []panel
	Beside                            []panel // KPI 3 to 5
	Objects                           []objectLine
	Series                            []objectLine // runs and imports, which never mix with the rest
	rank                              int
}

// panel is one KPI of one integration.
type panel struct {
	ID, Name string
	Status   Status
	Severity string
	Value    string // a dash where nothing was measured
	Rows     string // the rows behind the value
	Fraction string // numerator and denominator in words
	Lines    string // target and warning line
	Todo     string // what is missing, where it is unknown
	Notes    []string
	Spark    *Spark
	From     string // left end of the sparkline
	Facts    []fact
	rank     int
}

type fact struct{ Label, Value string }

// objectLine is one kind of record of an integration.
type objectLine struct{ Name, Success, Latency, SuccessIs, LatencyIs string }

// cards puts the worst first.
func cards(s *Snapshot, configured []config.Integration) []card {
	var out []card
	tenants := map[string]bool{}
	for _, r := range s.Success {
		tenants[r.Tenant] = true
	}
	for _, r := range s.Success {
		if r.Object != "" || r.Series != "" {
			continue
		}
		c := card{ID: "i-" + r.Tenant + "-" + r.Integration, Name: r.Integration, Status: statusOf(r.Status)}
		c.Href = "/integration?" + url.Values{"integration": {r.Integration}, "window": {s.Window.Name}}.Encode()
		if len(tenants) > 1 {
			c.Tenant = r.Tenant
		}
		c.Route, c.Priority = endpoints(configured, r.Tenant, r.Integration)
		c.Panels = []panel{s.successPanel(r)}
		if l := s.latencyOf(r.kpiRow); l != nil {
			c.Panels = append(c.Panels, s.latencyPanel(*l))
		}
		c.Beside = s.besideOf(r.kpiRow)
		s.explain(c.Panels, r.kpiRow, configured)
		c.rank = 99
		for _, list := range [][]panel{c.Panels, c.Beside} {
			for i := range list {
				p := &list[i]
				p.Rows = rowsURL("kpi_"+p.ID, s.Window, "integration", r.Integration, "tenant", r.Tenant)
				p.ID = c.ID + "-" + p.ID
				if p.rank < c.rank {
					c.rank, c.Status = p.rank, p.Status
				}
			}
		}
		c.Objects, c.Series = s.lines(r.kpiRow)
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b card) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return strings.Compare(a.Priority+a.Name, b.Priority+b.Name)
	})
	return out
}

func (s *Snapshot) latencyOf(r kpiRow) *LatencyRow {
	for i := range s.Latency {
		l := &s.Latency[i]
		if l.Tenant == r.Tenant && l.Integration == r.Integration && l.Object == r.Object && l.Series == r.Series {
			return l
		}
	}
	return nil
}

func (s *Snapshot) successPanel(r SuccessRow) panel {
	p := newPanel("success", "Sync success rate", r.kpiRow)
	p.From = "−" + s.Window.Name
	p.Value, p.Spark = share(r.Value), s.successSpark(r)
	p.Fraction = fraction(r.kpiRow, "write attempt", " succeeded")
	if r.Basis == "records" {
		p.Fraction = fraction(r.kpiRow, "due change", " arrived in time")
		p.Notes = append(p.Notes, "Nobody reports all attempts here: this is record success.")
	}
	p.Lines = "Target > " + percent(r.Target)
	if r.Warning != nil {
		p.Lines += " · warning < " + percent(*r.Warning) + " over any 24 h"
	}
	if p.Status.Key == "unknown" {
		p.Todo = successTodo(r)
	} else if r.WarningFired != nil && *r.WarningFired > 0 && r.WorstDay != nil && s.Window.Span > 24*time.Hour {
		p.Notes = append(p.Notes, "Worst 24 h: "+percent(*r.WorstDay))
	}
	p.Facts = []fact{
		{"Record success", share(r.RecordSuccessRate)},
		{"First try", share(r.FirstTryRate)},
		{"Attempts per record", decimal(r.AttemptsPerRecord)},
	}
	if r.VendorOutageShare != nil && *r.VendorOutageShare > 0 {
		p.Facts = append(p.Facts, fact{"Failures by vendor outage", share(r.VendorOutageShare)})
	}
	return p
}

func (s *Snapshot) latencyPanel(r LatencyRow) panel {
	p := newPanel("latency", "Sync latency, p95", r.kpiRow)
	p.From = "−" + s.Window.Name
	p.Value, p.Spark = latency(r), s.latencySpark(r)
	p.Fraction = fraction(r.kpiRow, "due change", " on time")
	p.Lines = "Target < " + duration(r.Target)
	if r.Warning != nil {
		p.Lines += " · warning > " + duration(*r.Warning) + " (3 × usual)"
	} else {
		p.Lines += " · warning line is being learnt"
	}
	if p.Status.Key == "unknown" {
		p.Todo = latencyTodo(r, s.learntHours(r))
	} else if r.Detail != "" {
		p.Notes = append(p.Notes, capital(r.Detail))
	}
	p.Notes = append(p.Notes, bases(r)...)
	median := "–"
	if m := s.median(r); m != nil {
		median = duration(*m)
	}
	oldest := "none"
	if r.OldestWaiting != nil {
		oldest = duration(float64(*r.OldestWaiting))
	}
	p.Facts = []fact{
		{"p50 / p95", median + " / " + latency(r)},
		{"On time", share(r.OnTimeShare)},
		{"Waiting now", number(r.Backlog)},
		{"Oldest waiting", oldest},
	}
	return p
}

func newPanel(id, name string, r kpiRow) panel {
	return panel{ID: id, Name: name, Status: statusOf(r.Status), Severity: severities[r.Severity], rank: rank(r)}
}

// bases says from where to where a latency is measured, wherever it is not
// from the change to the target's own event.
func bases(r LatencyRow) []string {
	var out []string
	switch r.Basis {
	case "applied_poll":
		out = append(out, "Seen by polling, ± "+duration(float64(r.Resolution)))
	case "applied_readback":
		out = append(out, "Seen by reading back")
	case "acknowledged":
		out = append(out, "Latency to ack only: whether it was applied is not known")
	case "":
		if r.Value != nil {
			out = append(out, "Nothing was delivered: this is the age of what waits")
		}
	}
	switch r.StartBasis {
	case "received":
		out = append(out, "Starts at receipt: the source gives no time of change")
	case "mixed":
		out = append(out, "Some changes start at receipt")
	}
	return out
}

// lines are the objects of an integration, and its series.
func (s *Snapshot) lines(of kpiRow) (objects, series []objectLine) {
	for _, r := range s.Success {
		if r.Tenant != of.Tenant || r.Integration != of.Integration || r.Object == "" && r.Series == "" {
			continue
		}
		line := objectLine{Name: r.Object, Success: share(r.Value), SuccessIs: statusOf(r.Status).Key, Latency: "–", LatencyIs: "unknown"}
		if l := s.latencyOf(r.kpiRow); l != nil {
			line.Latency, line.LatencyIs = latency(*l), statusOf(l.Status).Key
		}
		switch {
		case r.Series == "":
			objects = append(objects, line)
		case r.Object == "":
			line.Name = map[string]string{"run": "Runs, by records", "import": "Imports"}[r.Series]
			series = append(series, line)
		}
	}
	return objects, append(series, s.imports(of)...)
}

// imports have a latency and no success rate of their own.
func (s *Snapshot) imports(of kpiRow) (out []objectLine) {
	for _, l := range s.Latency {
		if l.Tenant == of.Tenant && l.Integration == of.Integration && l.Object == "" && l.Series == "import" {
			out = append(out, objectLine{"Imports", "–", latency(l), "unknown", statusOf(l.Status).Key})
		}
	}
	return out
}

// fraction is the numerator and denominator in words.
func fraction(r kpiRow, one, did string) string {
	if r.Denominator == 0 {
		return "Nothing was measured in this window"
	}
	return number(r.Numerator) + " of " + plural(r.Denominator, one) + did
}

func share(v *float64) string {
	if v == nil {
		return "–"
	}
	return percent(*v)
}

func decimal(v *float64) string {
	if v == nil {
		return "–"
	}
	return strconv.FormatFloat(*v, 'f', 2, 64)
}

func latency(r LatencyRow) string {
	switch {
	case r.Value == nil:
		return "–"
	case r.AtLeast:
		return "≥ " + duration(*r.Value)
	}
	return duration(*r.Value)
}

func capital(s string) string {
	if s == "" {
		return ""
	}
	first, n := utf8.DecodeRuneInString(s) // it may be "≥"
	return string(unicode.ToUpper(first)) + s[n:]
}
