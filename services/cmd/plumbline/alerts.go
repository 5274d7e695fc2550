package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/notify"
	"plumbline.dev/services/notify/kit"
	"plumbline.dev/services/standalone"
)

func alertsCommand() *cobra.Command {
	parent := &cobra.Command{Use: "alerts", Short: "Alerts, as any consumer reads them", Args: cobra.NoArgs}
	var c common
	var now, asJSON bool
	tail := &cobra.Command{
		Use: "tail", Short: "Print what stands, then every change as it comes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			source, err := c.alertSource()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return tailAlerts(ctx, cmd.OutOrStdout(), source, now, asJSON)
		},
	}
	c.register(tail)
	tail.Flags().BoolVar(&now, "now", false, "print what stands and leave")
	tail.Flags().BoolVar(&asJSON, "json", false, "print the alerts' JSON, one a line")
	parent.AddCommand(tail, acknowledgeCommand())
	return parent
}

// acknowledgeCommand takes an alert: it is quiet until it is over, and is not
// escalated.
func acknowledgeCommand() *cobra.Command {
	var c common
	var by, reason string
	cmd := &cobra.Command{
		Use: "acknowledge ALERT", Short: "Take an alert or incident, by name", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" {
				by = os.Getenv("USER")
			}
			if by == "" {
				return errors.Join(errUsage, errors.New("say who takes it, with --by NAME"))
			}
			return c.click(cmd.Context(), map[string]any{
				"kind": event.ClickAcknowledge, "subject": args[0], "by": by, "reason": reason, "at": time.Now().UTC().Format(time.RFC3339Nano),
			})
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&by, "by", "", "who takes it (default $USER)")
	cmd.Flags().StringVar(&reason, "reason", "", "in a sentence")
	return cmd
}

func (c *common) alertSource() (kit.Source, error) {
	o, err := c.options()
	if err != nil {
		return kit.Source{}, err
	}
	secrets := cfgload.Secrets{Dir: o.ConfigDir}
	b, err := bus.FromConfig(o.Config.Kafka, o.Config.Listen.Kafka, secrets.Resolve, o.Logger)
	if err != nil {
		return kit.Source{}, err
	}
	return notify.SourceOf(b, o.Config.Kafka, secrets.Resolve)
}

// tailAlerts rebuilds the world from offset 0, prints it, and goes on.
func tailAlerts(ctx context.Context, out io.Writer, source kit.Source, now, asJSON bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, caughtUp := kit.NewWorld(), false
	show := func(a *event.Alert) {
		if asJSON {
			line, _ := json.Marshal(a) //nolint:errchkjson // plain data
			fmt.Fprintf(out, "%s\n", line)
			return
		}
		fmt.Fprintf(out, "%s %-12s %-6s %-16s %s\n", event.Time(a.ObservedAt), a.Status, a.Severity, a.Rule, a.Summary)
	}
	return source.Follow(ctx, topic.AlertStates, w, func(a event.Alert, err error) {
		switch {
		case err != nil:
			fmt.Fprintf(os.Stderr, "plumbline: %v\n", err)
		case caughtUp && a.ID != "":
			show(&a)
		}
	}, func() {
		caughtUp = true
		for _, a := range w.Standing() {
			show(&a)
		}
		if now {
			cancel()
		}
	})
}

func notifyTestCommand() *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: "test", Short: "Send a sample alert to every receiver and report each one's answer", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			if n := o.Config.Notify; n.Slack == "" && n.Email == "" && n.Alertmanager == "" {
				return errors.Join(errUsage, errors.New("nobody is configured: set notify.slack, notify.email or notify.alertmanager"))
			}
			secrets := cfgload.Secrets{Dir: o.ConfigDir}
			no := standalone.NotifyOptions(o.Config, o.ConfigDir, secrets.Resolve)
			no.Logger = o.Logger
			outcomes, err := notify.Trial(cmd.Context(), no)
			if err != nil {
				return err
			}
			return reportTrial(cmd.OutOrStdout(), outcomes)
		},
	}
	c.register(cmd)
	return cmd
}

func reportTrial(out io.Writer, outcomes []notify.Outcome) error {
	failed := 0
	for _, o := range outcomes {
		if o.Err != nil {
			failed++
			fmt.Fprintf(out, "%s: failed: %v\n", o.Receiver, o.Err)
			continue
		}
		fmt.Fprintf(out, "%s: taken\n", o.Receiver)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d receivers did not take the sample", failed, len(outcomes))
	}
	return nil
}
