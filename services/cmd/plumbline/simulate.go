package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/simulate"
	"plumbline.dev/services/simulate/scenario"
)

// simulateFlags are those of one run.
type simulateFlags struct {
	common
	scenario, truth, ingest, listen, configOut, start, pace string
	seed                                                    uint64
	speed                                                   float64
	instant, live                                           bool
}

// simulateStart is when a run begins that nobody listens to: always the same,
// so that the same seed gives the same truth.
var simulateStart = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func simulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate --scenario F",
		Short: "Play a scenario: two fake CRMs, a sync worker, faults, and the truth",
		Long: `Play a scenario (scenarios/README.md). Without --ingest only the truth is written.

To play against a running Plumbline, in this order:
  plumbline simulate --scenario F --config-out DIR --listen 127.0.0.1:8090    writes DIR/plumbline.yaml and its secrets
  plumbline up --config DIR/plumbline.yaml
  plumbline simulate --scenario F --config DIR/plumbline.yaml --ingest http://127.0.0.1:8081 --listen 127.0.0.1:8090 --truth truth.ndjson
With --speed, events are dated back so that the run ends now. With --pace, given to both commands alike, time itself is fast.

For two CRMs to try Plumbline on (docs/quickstart/two-tokens.md):
  plumbline simulate --scenario F --listen 127.0.0.1:8090 --live`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	f.register(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.scenario, "scenario", "", "scenario file")
	fl.StringVar(&f.truth, "truth", "", "file for the truth, NDJSON; - is stdout")
	fl.Uint64Var(&f.seed, "seed", 0, "seed (default the scenario's)")
	fl.StringVar(&f.ingest, "ingest", "", "ingest of a running Plumbline, http://host:port")
	fl.StringVar(&f.listen, "listen", "", "host:port of the first fake API; the others take the ports after it")
	fl.StringVar(&f.configOut, "config-out", "", "write a matching config and its secrets into this folder, and stop")
	fl.StringVar(&f.start, "start", "", "when the run begins, RFC 3339 (default now, or 2026-03-02T09:00:00Z with neither --ingest nor --live)")
	fl.StringVar(&f.pace, "pace", "", "fast time, as given to `plumbline up --pace`: SPEED@INSTANT")
	fl.Float64Var(&f.speed, "speed", 1, "seconds of the scenario a second")
	fl.BoolVar(&f.instant, "instant", false, "as fast as it is taken")
	fl.BoolVar(&f.live, "live", false, "the scenario is already over when the fake CRMs open, and goes on in real time until interrupted")
	cobra.CheckErr(cmd.MarkFlagRequired("scenario"))
	return cmd
}

func (f *simulateFlags) run(ctx context.Context, stdout io.Writer) error {
	s, err := scenario.Load(f.scenario)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	apis, err := f.addresses(s)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	if f.configOut != "" {
		return f.writeConfig(s, apis)
	}
	if f.live && (f.listen == "" || f.ingest != "") {
		return errors.Join(errUsage, errors.New("--live needs --listen host:port, where the fake CRMs are served, and goes without --ingest"))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, err := f.logger()
	if err != nil {
		return err
	}
	o, err := f.options(s, log)
	if err != nil {
		return err
	}
	out, closeTruth, err := truthFile(f.truth, stdout)
	if err != nil {
		return err
	}
	o.Truth = out
	sim, err := simulate.New(o)
	if err != nil {
		return errors.Join(errUsage, err)
	}
	servers, err := serveFakes(ctx, sim, apis, log)
	if err == nil {
		if f.live {
			tellFakes(log, apis)
		}
		go tellProgress(ctx, sim, log)
		err = sim.Run(ctx)
	}
	stats := sim.Stats()
	log.Info("played", zap.String("scenario", s.Name), zap.Uint64("accepted", stats.Accepted), zap.Uint64("refused", stats.Refused),
		zap.Uint64("lost", stats.Lost), zap.Uint64("repeated", stats.Retried), zap.Duration("behind", sim.Behind()))
	for _, server := range servers {
		err = errors.Join(err, server.Close())
	}
	return errors.Join(err, closeTruth())
}

// options take the door and its secrets from the config file.
func (f *simulateFlags) options(s *scenario.Scenario, log *zap.Logger) (simulate.Options, error) {
	o := simulate.Options{Scenario: s, Seed: f.seed, IngestURL: f.ingest, Speed: f.speed, Logger: log, Start: simulateStart}
	if f.ingest != "" {
		if err := f.door(&o); err != nil {
			return o, err
		}
		o.Start = time.Now()
		switch length := time.Duration(s.Length); {
		case f.pace != "":
			clock, err := pace.Parse(f.pace, time.Now())
			if err != nil {
				return o, errors.Join(errUsage, err)
			}
			o.Clock, o.Speed, o.Start = clock, 1, clock.Now()
		case f.instant:
			o.Speed, o.Start = simulate.Unpaced, o.Start.Add(-length)
		case f.speed > 1:
			o.Start = o.Start.Add(-time.Duration(float64(length) * (1 - 1/f.speed)))
		}
	}
	if f.live {
		o.Live, o.Start = true, time.Now()
	}
	if f.start != "" {
		at, err := time.Parse(time.RFC3339, f.start)
		if err != nil {
			return o, errors.Join(errUsage, fmt.Errorf("--start %q is no RFC 3339 instant", f.start))
		}
		o.Start = at
	}
	return o, nil
}

func (f *simulateFlags) door(o *simulate.Options) error {
	cfg, dir, err := f.load()
	if err != nil {
		return err
	}
	if len(cfg.Hooks) == 0 || len(cfg.Senders) == 0 || len(cfg.Integrations) == 0 {
		return errors.Join(errUsage, errors.New("--ingest needs --config with the scenario's hooks and senders: make one with --config-out"))
	}
	secrets := cfgload.Secrets{Dir: dir}
	if o.HookSecret, err = secrets.Resolve(cfg.Hooks[0].Secrets[0]); err != nil {
		return err
	}
	token, err := secrets.Resolve(cfg.Senders[0].Tokens[0])
	if err != nil {
		return err
	}
	o.SenderToken, o.Integrations = string(token), cfg.Integrations
	return nil
}

func (f *simulateFlags) writeConfig(s *scenario.Scenario, apis []simulate.Addrs) error {
	if _, err := simulate.WriteConfig(f.configOut, s, apis, randomSecret(), randomSecret()); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "wrote", filepath.Join(f.configOut, simulate.ConfigFile))
	return nil
}

// addresses number the fakes' ports from the first one on.
func (f *simulateFlags) addresses(s *scenario.Scenario) ([]simulate.Addrs, error) {
	if f.listen == "" {
		return nil, nil
	}
	a, err := net.ResolveTCPAddr("tcp", f.listen)
	if err != nil || a.Port == 0 || a.IP == nil {
		return nil, fmt.Errorf("--listen %q: expected host:port", f.listen)
	}
	out := make([]simulate.Addrs, s.Tenants)
	for i := range out {
		out[i].HubSpot = fmt.Sprintf("http://%s:%d", a.IP, a.Port+2*i)
		out[i].Salesforce = fmt.Sprintf("http://%s:%d", a.IP, a.Port+2*i+1)
	}
	return out, nil
}

const headerTimeout = 10 * time.Second

func serveFakes(ctx context.Context, sim *simulate.Simulation, apis []simulate.Addrs, log *zap.Logger) ([]*http.Server, error) {
	var out []*http.Server
	for i, a := range apis {
		f := sim.Fakes()[i]
		for addr, h := range map[string]http.Handler{a.HubSpot: f.HubSpot, a.Salesforce: f.Salesforce} {
			var lc net.ListenConfig
			l, err := lc.Listen(ctx, "tcp", addr[len("http://"):])
			if err != nil {
				return out, err
			}
			server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
			out = append(out, server)
			go func() {
				if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
					log.Error("fake CRM ended", zap.Error(err))
				}
			}()
		}
	}
	return out, nil
}

// tellFakes says where the CRMs are and what opens them.
func tellFakes(log *zap.Logger, apis []simulate.Addrs) {
	for _, a := range apis {
		log.Info("two fake CRMs, until interrupted", zap.String("hubspot", a.HubSpot), zap.String("salesforce", a.Salesforce),
			zap.String("HUBSPOT_TOKEN", simulate.HubSpotToken), zap.String("SF_ID", simulate.SalesforceClientID), zap.String("SF_SECRET", simulate.SalesforceSecret))
	}
}

// tellProgress says every ten seconds how far the run is.
func tellProgress(ctx context.Context, sim *simulate.Simulation, log *zap.Logger) {
	for pace.Real.Sleep(ctx, 10*time.Second) == nil {
		s := sim.Stats()
		log.Info("playing", zap.Time("at", sim.Now()), zap.Uint64("accepted", s.Accepted), zap.Uint64("lost", s.Lost))
	}
}

func truthFile(path string, stdout io.Writer) (io.Writer, func() error, error) {
	nothing := func() error { return nil }
	switch path {
	case "":
		return nil, nothing, nil
	case "-":
		return stdout, nothing, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, nothing, fmt.Errorf("write truth: %w", err)
	}
	return f, f.Close, nil
}
