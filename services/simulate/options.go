package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/simulate/scenario"
)

// Unpaced as Speed runs as fast as the receiver takes it.
var Unpaced = math.Inf(1)

// Clock is wall time.
type Clock interface {
	Now() time.Time
	Sleep(ctx context.Context, d time.Duration) error
}

// Options of a run. IngestURL, HookSecret and SenderToken are required, unless
// a scenario is played for its truth alone; the zero value of all others works.
type Options struct {
	Seed     uint64
	Rate     float64       // saves a second of virtual time; 0 = 5
	Speed    float64       // virtual seconds a wall second; 0 = 1, or Unpaced
	Start    time.Time     // when live traffic begins; zero: now
	History  time.Duration // traffic before Start, sent as fast as it is taken
	Duration time.Duration // of virtual time after Start; 0 = until stopped
	Records  int           // contacts at the beginning; 0 = 400, with companies and deals to match
	Profile  *Profile      // what goes wrong; nil: DefaultProfile

	IngestURL    string // http://127.0.0.1:8081
	HookSecret   []byte
	PublicURL    string // that HubSpot signs; empty: DemoPublicURL
	SenderToken  string
	Hook         string               // id; empty: the integration's
	Integration  *config.Integration  // nil: the bundled demo's
	Integrations []config.Integration // of a scenario's tenants; nil: the one above
	Scenario     *scenario.Scenario   // what happens; nil: the Profile, for ever

	Live   bool      // the scenario lies before Start, and goes on in real time until stopped
	InTurn bool      // one request after the other, each before time goes on
	Truth  io.Writer // nil: not written
	Logger *zap.Logger
	Clock  Clock
	Client *http.Client // nil: one of its own
}

// Profile says how often things go wrong. Shares are of what they can happen
// to; a zero interval switches an episode off.
type Profile struct {
	Drop, Coerce     float64 // of acknowledged writes: silently not taken, silently changed
	BadOption        float64 // of picklist edits: an option the target does not have
	TooLong          float64 // of job titles
	Duplicate        float64 // of new contacts: the target has the person already
	Lock             float64 // of writes: another transaction holds the row
	TargetEdit       float64 // of saves: a person edits the copy in Salesforce
	Redelivered      float64 // of webhook requests: sent a second time
	Late             float64 // of webhook requests: overtaken by later ones
	AuthEvery        time.Duration
	LimitEvery       time.Duration
	OutageEvery      time.Duration
	Import           time.Duration // between bulk imports
	Agent            float64       // share of the saves that an AI agent makes
	RepairAfter      time.Duration // until somebody mends a refused record
	FirstFault       time.Duration // no episode earlier than this after the run's begin
	AcknowledgeAfter time.Duration // median from a save to the worker's try
}

// DefaultProfile is a normal week in a few minutes: mostly well.
func DefaultProfile() Profile {
	return Profile{
		Drop: 0.0008, Coerce: 0.0008, BadOption: 0.02, TooLong: 0.01, Duplicate: 0.03, Lock: 0.003, TargetEdit: 0.02,
		Redelivered: 0.01, Late: 0.02,
		AuthEvery: 50 * time.Minute, LimitEvery: 35 * time.Minute, OutageEvery: 45 * time.Minute, Import: 12 * time.Minute,
		Agent: 0.15, RepairAfter: 6 * time.Minute, FirstFault: 90 * time.Second, AcknowledgeAfter: 1800 * time.Millisecond,
	}
}

func (o *Options) fill() error {
	if err := o.door(); err != nil {
		return err
	}
	if o.Integration == nil {
		in, err := demoIntegration()
		if err != nil {
			return fmt.Errorf("simulate: bundled demo: %w", err)
		}
		o.Integration = in
	}
	if s := o.Scenario; s != nil {
		o.play(s)
	}
	if o.Integrations == nil {
		o.Integrations = []config.Integration{*o.Integration}
	}
	o.Integration = &o.Integrations[0]
	if o.IngestURL == "" && !o.Live {
		o.Speed = Unpaced
	}
	orDefault(&o.Rate, 5)
	orDefault(&o.Speed, 1)
	orDefault(&o.Records, 400)
	orDefault(&o.Hook, o.Integration.Source.Hook)
	orDefault(&o.PublicURL, DemoPublicURL)
	if o.Profile == nil {
		p := DefaultProfile()
		o.Profile = &p
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Clock == nil {
		o.Clock = wall{}
	}
	if o.Start.IsZero() {
		o.Start = o.Clock.Now()
	}
	if o.Rate < 0 || o.Speed < 0 || o.Duration < 0 || o.History < 0 {
		return errors.New("simulate: Rate, Speed, Duration and History cannot be negative")
	}
	return nil
}

// door checks where the run sends to. A scenario may be played to nobody.
func (o *Options) door() error {
	if o.IngestURL == "" && o.Scenario != nil {
		return nil
	}
	if o.IngestURL == "" || len(o.HookSecret) == 0 || o.SenderToken == "" {
		return errors.New("simulate: IngestURL, HookSecret and SenderToken are required")
	}
	if u, err := url.Parse(o.IngestURL); err != nil || u.Host == "" {
		return fmt.Errorf("simulate: IngestURL %q: expected http://host:port", o.IngestURL)
	}
	return nil
}

// play takes the world from a scenario; what it does not name goes well.
func (o *Options) play(s *scenario.Scenario) {
	o.Rate, o.Records, o.Duration = s.Traffic.Rate, s.Population, time.Duration(s.Length)
	if o.Live {
		o.History, o.Duration = o.Duration, 0
	}
	orDefault(&o.Seed, s.Seed)
	o.Profile = &Profile{
		TargetEdit: s.Traffic.TargetEdits, Redelivered: s.Traffic.Redelivered, Late: s.Traffic.Late, Agent: s.Traffic.Agents,
		Import: time.Duration(s.Traffic.Imports), RepairAfter: time.Duration(s.Worker.Repair), AcknowledgeAfter: time.Duration(s.Worker.Delay),
	}
	if o.Integrations == nil {
		o.Integrations = tenants(*o.Integration, s)
	}
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

type wall struct{}

func (wall) Now() time.Time { return time.Now() }

func (wall) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
