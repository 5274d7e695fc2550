package streamtest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/topic"
)

// Scenario is a parsed file.
type Scenario struct {
	Name     string
	Settings map[string]string
	Sections []Section

	partitions int
	clock      clock
	source     []string          // the file's lines, for -update
	names      map[string]string // the change of a delivery's hash
	shown      map[string][]pair // a delivery as it last came out, for Changes
}

// Section is some lines and what must come out of them.
type Section struct {
	Lines  []Line
	Expect []string

	expectFrom, expectTo int // lines of the file, expectation only
}

// Line is one statement and the records it stands for.
type Line struct {
	Number  int
	Text    string
	Records []stream.Record // without offsets: playing gives them
}

const (
	expectMark = "---- expect"
	thenMark   = "---- then"
)

// known settings and their defaults.
var defaults = map[string]string{
	"input": "facts", "partitions": "1", "date": "2026-01-01", "integration": "hs-sf", "tenant": "default",
	"object": "contact", "source": "hubspot", "target": "salesforce", "source_account": "62515",
	"target_account": "00D000000000001EAA",
}

// maxRecords bounds a scenario: a tick a second for a day is too many to read.
const maxRecords = 100_000

// Parse reads a scenario. Errors say the line and what to write instead.
// Settings beyond the package's own must be named in more.
func Parse(name, text string, more ...string) (*Scenario, error) {
	s := &Scenario{Name: name, Settings: maps.Clone(defaults), source: strings.Split(text, "\n")}
	if err := s.apply(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := parser{s: s, more: more}
	for i, line := range s.source {
		if err := p.line(i, strings.TrimRight(line, " \t\r")); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	if len(s.Sections) == 0 || p.expecting == nil {
		return nil, fmt.Errorf("%s:%d: the scenario does not end with %q and what must come out", name, len(s.source), expectMark)
	}
	return s, nil
}

type parser struct {
	s         *Scenario
	more      []string
	lines     []Line
	expecting *Section // set between "expect" and "then"
	records   int
}

func (p *parser) line(i int, text string) error {
	switch {
	case text == expectMark:
		if p.expecting != nil {
			return fmt.Errorf("an expectation stands already: write %q before more events", thenMark)
		}
		p.s.Sections = append(p.s.Sections, Section{Lines: p.lines, expectFrom: i + 1, expectTo: i + 1})
		p.expecting, p.lines = &p.s.Sections[len(p.s.Sections)-1], nil
		return nil
	case text == thenMark:
		if p.expecting == nil {
			return fmt.Errorf("%q without %q before it", thenMark, expectMark)
		}
		p.expecting = nil
		return nil
	case strings.HasPrefix(text, "----"):
		return fmt.Errorf("%q: write %q or %q", text, expectMark, thenMark)
	case p.expecting != nil:
		if text != "" {
			p.expecting.Expect = append(p.expecting.Expect, text)
			p.expecting.expectTo = i + 1
		}
		return nil
	case text == "" || text[0] == '#':
		return nil
	}
	return p.statement(i+1, text)
}

func (p *parser) statement(number int, text string) error {
	w, err := words(text)
	if err != nil || len(w) == 0 {
		return err
	}
	if w[0] == "set" {
		if p.records > 0 {
			return fmt.Errorf("set comes before the first event")
		}
		return p.set(w[1:])
	}
	records, err := p.s.records(number, w)
	if err != nil {
		return err
	}
	if p.records += len(records); p.records > maxRecords {
		return fmt.Errorf("the scenario has more than %d records", maxRecords)
	}
	p.lines = append(p.lines, Line{Number: number, Text: text, Records: records})
	return nil
}

func (p *parser) set(pairs []string) error {
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		_, own := defaults[name]
		if !ok || (!own && !slices.Contains(p.more, name)) {
			return fmt.Errorf("no setting is called %q: there are %s", name, strings.Join(append(sorted(defaults), p.more...), ", "))
		}
		p.s.Settings[name] = value
	}
	return p.s.apply()
}

// apply checks the settings that parsing itself needs.
func (s *Scenario) apply() error {
	n, err := strconv.Atoi(s.Settings["partitions"])
	if err != nil || n < 1 || n > 64 {
		return fmt.Errorf("partitions is %q, want 1 to 64", s.Settings["partitions"])
	}
	day, err := time.Parse(time.DateOnly, s.Settings["date"])
	if err != nil || day.Year() < 1971 {
		return fmt.Errorf("date is %q, want one like 2026-01-01", s.Settings["date"])
	}
	if in := s.Settings["input"]; in != "facts" && in != "intake" && in != "partials" {
		return fmt.Errorf("input is %q, want facts, intake or partials", in)
	}
	s.partitions, s.clock = n, clock{day}
	return nil
}

// topic is the input's name.
func (s *Scenario) topic() string { return topic.Prefix + s.Settings["input"] }

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
