package console

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// classLine is one class of failure with the step that helps first.
type classLine struct {
	Class, Count, Records, Kind, Blame, Step, More, Where, Latest string
	Href                                                          string
}

var classNames = map[string]string{
	"auth": "Authentication", "schema": "Schema", "rate_limit": "Rate limit", "duplicate": "Duplicate",
	"vendor_outage": "Vendor outage", "network": "Network", "other": "Other",
}

func className(c string) string {
	if n, ok := classNames[c]; ok {
		return n
	}
	return c
}

func classLines(s *Snapshot) []classLine {
	var out []classLine
	for _, r := range s.Classes {
		l := classLine{
			Class: className(r.Class), Count: number(r.N), Records: plural(r.Records, "record"), Kind: kind(r.Permanent, r.N),
			Blame: r.Blame, Step: capital(r.FirstStep), Where: strings.Join(r.Integrations, ", "), Latest: ago(s.At.Sub(r.Latest)),
			Href: rowsURL("failures", s.Window, "class", r.Class),
		}
		if l.Step == "" {
			l.Step = "Open the newest failure and read the vendor's message"
		}
		if r.Steps > 1 {
			l.More = plural(r.Steps-1, "other step") + " for some of them"
		}
		if l.Blame == "" || l.Blame == "unknown" {
			l.Blame = "undecided"
		}
		out = append(out, l)
	}
	return out
}

// kind says whether waiting helps.
func kind(permanent, all uint64) string {
	switch permanent {
	case 0:
		return "passes by itself"
	case all:
		return "needs somebody"
	}
	return number(permanent) + " need somebody"
}

// failureLine is one of the newest failures.
type failureLine struct {
	ID, Class, Integration, Record, What, Message, Code, Step, Evidence string
	At                                                                  template.HTML
}

func failureLines(s *Snapshot) []failureLine {
	var out []failureLine
	for _, f := range s.Recent {
		l := failureLine{
			ID: f.FailureID, At: moment(f.OccurredAt, s.At), Class: className(f.Class), Integration: f.Integration,
			Record: f.RecordKey, What: f.Operation + " " + f.Object, Message: shorten(f.Message, 160), Code: code(f),
			Step: capital(f.FirstStep), Evidence: capital(shorten(f.Evidence, 240)),
		}
		if l.Record == "" {
			l.Record = "no record named"
		}
		if f.Origin == "inferred" {
			l.What, l.Code = "silent", "no error was reported"
		}
		if l.Message == "" {
			l.Message = capital(shorten(f.LikelyCause, 160))
		}
		out = append(out, l)
	}
	return out
}

func code(f Failure) string {
	status := ""
	if f.Status > 0 {
		status = "HTTP " + strconv.Itoa(int(f.Status))
	}
	if status != "" && f.Code != "" {
		return status + " · " + f.Code
	}
	return status + f.Code
}

// sourceLine is one door that data comes in by.
type sourceLine struct {
	Name, Integration, Rhythm, Words, Minutes string
	Last                                      template.HTML
}

func sourceLines(s *Snapshot) (out []sourceLine, through template.HTML) {
	var newest time.Time
	for _, r := range s.Sources {
		if r.Last.After(newest) {
			newest = r.Last
		}
		rhythm := r.rhythm(s.At)
		l := sourceLine{
			Name: sourceName(r), Integration: r.Integration, Rhythm: string(rhythm), Minutes: number(r.Minutes),
			Last: moment(r.Last, s.At), Words: "Flowing",
		}
		silent := duration(float64(s.At.Sub(r.Last).Milliseconds()))
		switch rhythm {
		case Quiet:
			l.Words = "Quiet for " + silent
		case Stalled:
			l.Words = "Stalled: silent for " + silent + ", usually every " + duration(float64(r.gap().Milliseconds()))
		}
		if g := s.said(r); g != nil {
			l.Rhythm = strings.TrimPrefix(g.Kind, "source_")
			l.Words = causeWords[g.Kind] + ": " + shorten(g.Summary, 160)
		}
		out = append(out, l)
	}
	if newest.IsZero() {
		return out, "Nothing came in during the last 24 hours."
	}
	return out, "Data through " + momentUTC(newest, s.At)
}

func sourceName(r SourceRow) string {
	switch r.Kind {
	case "attempts":
		return "Attempts reported by " + orNobody(r.Door)
	case "observations":
		return systemName(r.System) + " read by " + orNobody(r.Door)
	}
	name := systemName(r.System) + " changes"
	if r.Door != "" {
		name += " by " + r.Door
	}
	return name
}

func orNobody(s string) string {
	if s == "" {
		return "an unnamed sender"
	}
	return s
}
