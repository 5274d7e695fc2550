package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/standalone"
)

const adminUse = "host:port for health, metrics and profiles, without a login: keep it private"

func upCommand() *cobra.Command {
	var c common
	var demo bool
	var roles, fast, admin string
	demoOptions := standalone.Demo{}
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run everything in one process, on the embedded broker and engine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			o.Roles, o.Migrate = standalone.AllRoles, true
			if roles != "" {
				if o.Roles, err = standalone.ParseRoles(roles); err != nil {
					return errors.Join(errUsage, err)
				}
			}
			if fast != "" {
				clock, err := pace.Parse(fast, time.Now())
				if err != nil {
					return errors.Join(errUsage, err)
				}
				o.Pace = clock
				fmt.Fprintf(os.Stderr, "FAST TIME: give --pace %s to simulate\n", clock)
			}
			if demo {
				o.Demo = &demoOptions
				if c.data == "" {
					o.Data = filepath.Join(o.Data, "demo") // never mixed with real data
				}
			}
			o.AdminAddr = admin
			return serve(cmd.Context(), o)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&admin, "admin-addr", "", adminUse)
	cmd.Flags().BoolVar(&demo, "demo", false, "run simulated traffic in tenant demo, in a data folder of its own")
	cmd.Flags().Uint64Var(&demoOptions.Seed, "demo-seed", 1, "seed of the simulated traffic")
	cmd.Flags().Float64Var(&demoOptions.Rate, "demo-rate", 5, "simulated changes a second")
	cmd.Flags().StringVar(&fast, "pace", "", "for evaluations: run time so many times faster, SPEED or SPEED@INSTANT")
	cmd.Flags().StringVar(&roles, "roles", "", "only these roles, comma-separated (kafka,clickhouse,ingest,process,sink,reconcile,console)")
	return cmd
}

// roleCommands run one role alone, on the log and warehouse the config names.
func roleCommands() []*cobra.Command {
	about := map[standalone.Role]string{
		standalone.Ingest:    "Run the ingest role alone: webhooks and reports in, durable",
		standalone.Process:   "Run the process role alone: intake to deliveries and failures",
		standalone.Sink:      "Run the sink role alone: topics to ClickHouse, counted once",
		standalone.Reconcile: "Run the reconcile role alone: reads the CRMs, compares whole record sets",
		standalone.Notify:    "Run the notify role alone: alerts to people",
		standalone.Console:   "Run the console role alone: the live page and JSON API",
	}
	var out []*cobra.Command
	for _, role := range standalone.AllRoles {
		text, ok := about[role]
		if !ok {
			continue
		}
		var c common
		var admin, instance string
		cmd := &cobra.Command{
			Use: string(role), Short: text, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				o, err := c.options()
				if err != nil {
					return err
				}
				o.Roles, o.AdminAddr, o.Instance = []standalone.Role{role}, admin, instance
				return serve(cmd.Context(), o)
			},
		}
		c.register(cmd)
		cmd.Flags().StringVar(&admin, "admin-addr", "", adminUse)
		cmd.Flags().StringVar(&instance, "instance", hostname(),
			"name of this copy: two copies need two, and a restart the same")
		if role == standalone.Reconcile {
			cmd.AddCommand(reconcileOnceCommand())
		}
		if role == standalone.Notify {
			cmd.AddCommand(notifyTestCommand(), notifyDigestCommand())
		}
		out = append(out, cmd)
	}
	return out
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "0"
	}
	return name
}

func (c *common) options() (standalone.Options, error) {
	cfg, dir, err := c.load()
	if err != nil {
		return standalone.Options{}, err
	}
	log, err := c.logger()
	if err != nil {
		return standalone.Options{}, err
	}
	return standalone.Options{Config: cfg, ConfigDir: dir, Data: cfg.Data, Logger: log, Instance: "0"}, nil
}

// serve runs until SIGTERM or Ctrl-C, then drains. A second signal ends at once.
func serve(ctx context.Context, o standalone.Options) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	app, err := standalone.Start(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	announce(app, o)
	var failure error
	select {
	case <-ctx.Done():
		o.Logger.Info("stopping: finishing what was accepted; press Ctrl-C again to leave at once")
	case failure = <-app.Failed():
		o.Logger.Error("stopping", zap.Error(failure))
	}
	stop() // the next signal kills
	return errors.Join(failure, app.Stop())
}

func announce(app *standalone.App, o standalone.Options) {
	say := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	if o.Demo != nil {
		say("DEMO: everything shown is simulated")
	}
	if a := app.Addrs.Console; a != "" {
		say("console     http://%s", a)
	}
	if a := app.Addrs.Ingest; a != "" {
		say("ingest      http://%s", a)
	}
	if a := app.Addrs.ClickHouse; a != "" {
		say("clickhouse  http://%s  (database plumbline)", a)
	}
	if a := app.Addrs.Kafka; a != "" {
		say("kafka       %s", a)
	}
}
