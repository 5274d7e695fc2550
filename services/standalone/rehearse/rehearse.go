// Package rehearse plays a scenario against the whole product, in one process
// and in fast time, and scores what came of it: a fresh standalone in a folder
// of its own, the simulator at its door, ClickHouse asked in the end.
package rehearse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/evaluate"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/simulate"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/standalone"
)

// Options of a rehearsal. Scenario is required.
type Options struct {
	Scenario *scenario.Scenario
	Seed     uint64  // 0: the scenario's
	Speed    float64 // 0: DefaultSpeed
	Dir      string  // empty: a temporary folder, removed in the end
	Keep     bool    // write what was got wrong and what ClickHouse holds into Dir
	Logger   *zap.Logger
}

// DefaultSpeed plays an hour in a minute.
const DefaultSpeed = 60

// Result is what a rehearsal came to.
type Result struct {
	Scenario string         `json:"scenario"`
	Rows     []evaluate.Row `json:"rows"`
	Sent     simulate.Stats `json:"sent"`
	Took     time.Duration  `json:"took"`
	Behind   time.Duration  `json:"behind"` // in the scenario's time
}

// Play plays and scores.
func Play(ctx context.Context, o Options) (*Result, error) {
	began := time.Now()
	if o.Speed == 0 {
		o.Speed = DefaultSpeed
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Dir == "" {
		dir, err := os.MkdirTemp("", "plumbline-rehearse-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		o.Dir = dir
	}
	s := &stage{o: o, truth: filepath.Join(o.Dir, "truth.ndjson")}
	err := errors.Join(s.play(ctx), s.close())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Scenario.Name, err)
	}
	return &Result{Scenario: o.Scenario.Name, Rows: s.rows, Sent: s.sent, Behind: s.behind, Took: time.Since(began)}, nil
}

// stage is one rehearsal while it lasts.
type stage struct {
	o      Options
	truth  string
	cfg    *config.Config
	app    *standalone.App
	rows   []evaluate.Row
	sent   simulate.Stats
	behind time.Duration
	sim    atomic.Pointer[simulate.Simulation]
	stops  []func() error
}

func (s *stage) close() error {
	var errs []error
	for _, stop := range slices.Backward(s.stops) {
		errs = append(errs, stop())
	}
	return errors.Join(errs...)
}

// roles are all but the page.
var roles = slices.DeleteFunc(slices.Clone(standalone.AllRoles), func(r standalone.Role) bool { return r == standalone.Console })

const (
	// ahead is how far time may run beyond what the slowest stage has folded and
	// the door has taken: the resolution of every time to detect.
	ahead       = 10 * time.Second
	commitEvery = 50 * time.Millisecond
	// grace is what the roles are given after the end to say what was due.
	grace = 40 * time.Second
)

// follow tells the clock how far everybody has come, until the returned func
// is called.
func (s *stage) follow(ctx context.Context, clock *pace.Gated) func() {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pace.Real.Sleep(ctx, 10*time.Millisecond) == nil {
			at := s.app.StreamTime()
			if sim := s.sim.Load(); sim != nil {
				if sent := sim.Through(); sent.Before(at) {
					at = sent
				}
			}
			clock.Done(at)
		}
	}()
	return func() { cancel(); <-done }
}

func (s *stage) play(ctx context.Context) error {
	apis, err := s.listen(ctx)
	if err != nil {
		return err
	}
	if err := s.configure(apis); err != nil {
		return err
	}
	clock := pace.NewGated(s.o.Speed, ahead)
	s.app, err = standalone.Start(ctx, s.options(clock))
	if err != nil {
		return err
	}
	s.stops = append(s.stops, s.app.Stop)
	defer s.follow(ctx, clock)()
	if err := s.simulate(ctx, clock, apis); err != nil {
		return err
	}
	return s.score(ctx, clock)
}

func (s *stage) options(clock pace.Clock) standalone.Options {
	return standalone.Options{
		Config: s.cfg, ConfigDir: s.o.Dir, Data: filepath.Join(s.o.Dir, "data"), Roles: roles, Migrate: true, Instance: "0",
		Pace: clock, CommitEvery: commitEvery, Logger: s.o.Logger,
	}
}

// simulate plays the scenario at the door.
func (s *stage) simulate(ctx context.Context, clock pace.Clock, apis []api) error {
	out, err := os.Create(s.truth)
	if err != nil {
		return err
	}
	defer out.Close()
	sim, err := simulate.New(simulate.Options{
		Scenario: s.o.Scenario, Seed: s.o.Seed, Start: clock.Now(), Clock: clock, Truth: out,
		IngestURL: "http://" + s.app.Addrs.Ingest, HookSecret: []byte(hookSecret), SenderToken: senderToken, Logger: s.o.Logger,
	})
	if err != nil {
		return err
	}
	for i, a := range apis {
		s.serve(a.hubspot, sim.Fakes()[i].HubSpot)
		s.serve(a.salesforce, sim.Fakes()[i].Salesforce)
	}
	s.sim.Store(sim)
	done := make(chan error, 1)
	go func() { done <- sim.Run(ctx) }()
	select {
	case err = <-done:
	case err = <-s.app.Failed():
		return fmt.Errorf("the product failed: %w", err)
	}
	s.sim.Store(nil)
	s.sent, s.behind = sim.Stats(), sim.Behind()
	if s.sent.Lost > 0 || s.sent.Refused > 0 {
		err = errors.Join(err, fmt.Errorf("%d events were not taken, %d dead-lettered", s.sent.Lost, s.sent.Refused))
	}
	return err
}

// score waits until the grace is over and everything sent is visible, and asks.
// Time goes by the wall meanwhile: what comes to be so much later is not asked for,
// and takes the rows of what was.
func (s *stage) score(ctx context.Context, clock *pace.Gated) error {
	if err := clock.Sleep(ctx, grace); err != nil {
		return err
	}
	clock.Turn(1)
	db, err := warehouse.Open(warehouse.Options{DSN: "http://" + s.app.Addrs.ClickHouse + "/plumbline"})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := Drain(ctx, db); err != nil {
		return err
	}
	all, err := openings(ctx, []string{s.app.Addrs.Kafka})
	if err != nil {
		return err
	}
	var misses []evaluate.Miss
	s.rows, misses, err = Score(ctx, db, s.truth, time.Duration(s.cfg.Integrations[0].Deadline), all)
	if err == nil && s.o.Keep {
		err = keep(ctx, db, s.o.Dir, misses)
	}
	return err
}

// Score holds what a database says against a truth file, and lists what it got
// wrong. Openings are earlier ones of differences that came back.
func Score(ctx context.Context, db *warehouse.DB, path string, deadline time.Duration, openings []evaluate.Divergence) (
	[]evaluate.Row, []evaluate.Miss, error,
) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read truth: %w", err)
	}
	defer f.Close()
	w, err := evaluate.Read(f, deadline.Milliseconds())
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	found, err := evaluate.Gather(ctx, db, w)
	if err != nil {
		return nil, nil, err
	}
	found.Add(openings)
	rows, misses := evaluate.Score(w, found)
	return rows, misses, nil
}

const (
	drainFor  = 2 * time.Minute
	drainStep = 500 * time.Millisecond
)

// Drain waits until nothing new becomes visible.
func Drain(ctx context.Context, db *warehouse.DB) error {
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	const sql = "SELECT sum(total_rows) AS n FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_raw' AND name NOT IN ('api_calls_raw', 'alerts_raw')"
	var last uint64
	for same := 0; same < 4; {
		var rows []struct {
			N *uint64 `ch:"n"`
		}
		if err := db.Query(ctx, &rows, sql); err != nil {
			return err
		}
		n := uint64(0)
		if len(rows) > 0 && rows[0].N != nil {
			n = *rows[0].N
		}
		if n == last {
			same++
		} else {
			same, last = 0, n
		}
		if err := pace.Real.Sleep(ctx, drainStep); err != nil {
			return errors.New("rows kept coming for two minutes after the end")
		}
	}
	return nil
}

// api are the two fakes' listeners of one tenant.
type api struct{ hubspot, salesforce net.Listener }

// listen opens the fakes' ports before the product starts: its configuration
// names them.
func (s *stage) listen(ctx context.Context) ([]api, error) {
	var lc net.ListenConfig
	var out []api
	for range s.o.Scenario.Tenants {
		var a api
		for _, l := range []*net.Listener{&a.hubspot, &a.salesforce} {
			var err error
			if *l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
				return nil, err
			}
			one := *l
			s.stops = append(s.stops, func() error {
				if err := one.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
					return err
				}
				return nil
			})
		}
		out = append(out, a)
	}
	return out, nil
}

// configure writes the config file and its secrets.
func (s *stage) configure(apis []api) error {
	addrs := make([]simulate.Addrs, len(apis))
	for i, a := range apis {
		addrs[i] = simulate.Addrs{HubSpot: "http://" + a.hubspot.Addr().String(), Salesforce: "http://" + a.salesforce.Addr().String()}
	}
	text, err := simulate.WriteConfig(s.o.Dir, s.o.Scenario, addrs, hookSecret, senderToken)
	if err != nil {
		return err
	}
	s.cfg, err = cfgload.Parse("scenario.yaml", text)
	if err != nil {
		return err
	}
	s.cfg.Listen = config.Listen{Ingest: any0, Console: any0, ClickHouse: any0, Kafka: any0}
	return nil
}

const (
	any0        = "127.0.0.1:0"
	hookSecret  = "the secret of a rehearsal's webhooks" //nolint:gosec // of a CRM that does not exist
	senderToken = "the token of a rehearsal's worker"    //nolint:gosec // of a worker that does not exist
)
