// Package scenario reads scenario files: a world, how long it is played, and
// a timeline of faults. scenarios/README.md is its manual.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"plumbline.dev/schemas/config"
)

// Scenario is one file.
type Scenario struct {
	Name       string          `yaml:"name"`
	About      string          `yaml:"about"`
	Length     config.Duration `yaml:"length"`
	Seed       uint64          `yaml:"seed"`
	Tenants    int             `yaml:"tenants"`    // each with the integration of its own
	Population int             `yaml:"population"` // contacts a tenant, with companies and deals to match
	Echoes     *bool           `yaml:"echoes"`     // Salesforce tells of its changes; false: only readers can know
	Traffic    Traffic         `yaml:"traffic"`
	Worker     Worker          `yaml:"worker"`
	Faults     []Fault         `yaml:"faults"`
}

// Traffic is what goes on without any fault, a tenant.
type Traffic struct {
	Rate        float64         `yaml:"rate"`         // saves a second
	Agents      float64         `yaml:"agents"`       // share of the saves that an AI agent makes
	Imports     config.Duration `yaml:"imports"`      // mean time between bulk imports
	TargetEdits float64         `yaml:"target_edits"` // share of saves after which a person edits a copy in the target
	Redelivered float64         `yaml:"redelivered"`  // share of webhook requests sent twice
	Late        float64         `yaml:"late"`         // share of webhook requests that others overtake
}

// Worker is the sync that is watched.
type Worker struct {
	Reports string          `yaml:"reports"` // full, errors_only, none
	Delay   config.Duration `yaml:"delay"`   // median from a save to the first try
	Repair  config.Duration `yaml:"repair"`  // median until a person mends a refused record
	// Careless: it names no idempotency key, creates again what it had no answer
	// to, and waits no longer than it pleases, whatever Retry-After says.
	Careless bool `yaml:"careless"`
}

// Fault is one entry of the timeline.
type Fault struct {
	Fault  string          `yaml:"fault"`
	At     config.Duration `yaml:"at"`
	For    config.Duration `yaml:"for"`    // 0: to the end
	Tenant int             `yaml:"tenant"` // 1 is the first; 0: each
	Object string          `yaml:"object"`
	Field  string          `yaml:"field"` // the source's name
	Value  string          `yaml:"value"`
	Share  float64         `yaml:"share"`  // of what it can happen to
	Answer int             `yaml:"answer"` // HTTP status
	Rate   float64         `yaml:"rate"`   // a second
	Factor float64         `yaml:"factor"`
	Count  int             `yaml:"count"`
	By     config.Duration `yaml:"by"`
	Says   string          `yaml:"says"`   // what the worker reports of a hidden error: ok or nothing
	Signal bool            `yaml:"signal"` // somebody tells Plumbline of it
}

// Kind is what the fault is.
func (f *Fault) Kind() Kind { return Kinds[f.Fault] }

// Load reads and checks a file.
func Load(path string) (*Scenario, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return Parse(filepath.Base(path), b)
}

// Parse is Load on bytes; name stands in the errors.
func Parse(name string, b []byte) (s *Scenario, err error) {
	defer func() {
		if r := recover(); r != nil { // the YAML library has panicked on hostile input before
			s, err = nil, fmt.Errorf("%s: is not YAML that can be read", name)
		}
	}()
	s = new(Scenario)
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, false)))
	}
	if want := strings.TrimSuffix(name, filepath.Ext(name)); s.Name == "" {
		s.Name = want
	}
	s.fill()
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (s *Scenario) fill() {
	orDefault(&s.Length, config.Duration(40*time.Minute))
	orDefault(&s.Seed, 1)
	orDefault(&s.Tenants, 1)
	orDefault(&s.Population, 200)
	orDefault(&s.Traffic.Rate, 1)
	orDefault(&s.Worker.Reports, config.AttemptsFull)
	orDefault(&s.Worker.Delay, config.Duration(1800*time.Millisecond))
	orDefault(&s.Worker.Repair, config.Duration(8*time.Minute))
	if s.Echoes == nil {
		told := true
		s.Echoes = &told
	}
	for i := range s.Faults {
		f := &s.Faults[i]
		k := f.Kind()
		orDefault(&f.Share, k.Share)
		orDefault(&f.Rate, k.Rate)
		orDefault(&f.Factor, k.Factor)
		orDefault(&f.Count, k.Count)
		orDefault(&f.Answer, k.Answer)
		orDefault(&f.By, config.Duration(k.By))
		orDefault(&f.Says, k.Says)
		orDefault(&f.Object, k.Object)
		orDefault(&f.Field, k.Field)
		orDefault(&f.Value, k.Value)
	}
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Bounds of a scenario: it ends by itself, on a laptop.
const (
	maxLength     = 48 * time.Hour
	maxTenants    = 50
	maxPopulation = 100_000
	maxRate       = 1000
	maxFaults     = 100
)

func (s *Scenario) check() error {
	switch {
	case time.Duration(s.Length) > maxLength:
		return fmt.Errorf("length is %s, expected at most %s", time.Duration(s.Length), maxLength)
	case s.Tenants < 0 || s.Tenants > maxTenants:
		return fmt.Errorf("tenants is %d, expected 1 to %d", s.Tenants, maxTenants)
	case s.Population < 10 || s.Population > maxPopulation:
		return fmt.Errorf("population is %d, expected 10 to %d", s.Population, maxPopulation)
	case s.Traffic.Rate < 0 || s.Traffic.Rate > maxRate:
		return fmt.Errorf("traffic.rate is %g, expected up to %d", s.Traffic.Rate, maxRate)
	case !slices.Contains([]string{config.AttemptsFull, config.AttemptsErrors, config.AttemptsNone}, s.Worker.Reports):
		return fmt.Errorf("worker.reports is %q, expected full, errors_only or none", s.Worker.Reports)
	case len(s.Faults) > maxFaults:
		return fmt.Errorf("faults has %d entries, expected at most %d", len(s.Faults), maxFaults)
	}
	for i := range s.Faults {
		if err := s.Faults[i].check(s); err != nil {
			return fmt.Errorf("faults[%d]: %w", i, err)
		}
	}
	return nil
}

func (f *Fault) check(s *Scenario) error {
	k, ok := Kinds[f.Fault]
	switch {
	case !ok:
		return fmt.Errorf("there is no fault %q; the faults are %s", f.Fault, strings.Join(Names(), ", "))
	case f.At >= s.Length:
		return fmt.Errorf("%s begins at %s, after the end", f.Fault, time.Duration(f.At))
	case f.Tenant < 0 || f.Tenant > s.Tenants:
		return fmt.Errorf("tenant is %d, expected up to %d", f.Tenant, s.Tenants)
	case f.Share < 0 || f.Share > 1:
		return fmt.Errorf("share is %g, expected 0 to 1", f.Share)
	case f.Rate < 0 || f.Rate > maxRate || f.Factor < 0 || f.Count < 0 || f.Count > maxPopulation:
		return errors.New("rate, factor or count is out of bounds")
	case k.Answers != nil && !slices.Contains(k.Answers, f.Answer):
		return fmt.Errorf("answer is %d, expected one of %v", f.Answer, k.Answers)
	case f.Says != "" && f.Says != SaysOK && f.Says != SaysNothing:
		return fmt.Errorf("says is %q, expected ok or nothing", f.Says)
	}
	return nil
}
