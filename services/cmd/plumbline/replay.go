package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/pipelines/classify"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/process"
	"plumbline.dev/services/standalone"
)

func replayCommand() *cobra.Command {
	var c common
	var from, to, rules string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay --from T [--to T] [--rules F]",
		Short: "What other rules would have said of the past; reads topics, writes nothing",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			r, err := replayed(cmd.Context(), o, from, to, rules)
			if err != nil {
				return err
			}
			if asJSON {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(r)
			}
			printReplay(cmd.OutOrStdout(), r)
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&from, "from", "", "count from this time: RFC 3339, or a span like 24h before now")
	cmd.Flags().StringVar(&to, "to", "", "and up to this one (default: everything)")
	cmd.Flags().StringVar(&rules, "rules", "", "a rule file to put in front of the built-in ones")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the report as JSON")
	return cmd
}

func replayed(ctx context.Context, o standalone.Options, from, to, rules string) (*process.Report, error) {
	if from == "" {
		return nil, fmt.Errorf("%w: say from when, with --from 2026-01-31T08:00:00Z or --from 24h", errUsage)
	}
	start, err1 := instant(from)
	end, err2 := instant(to)
	newer, err3 := classifier(rules)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errors.Join(errUsage, err)
	}
	secrets := cfgload.Secrets{Dir: o.ConfigDir}
	b, err := bus.FromConfig(o.Config.Kafka, o.Config.Listen.Kafka, secrets.Resolve, o.Logger)
	if err != nil {
		return nil, err
	}
	checkCtx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	topics, err := bus.CheckTopics(checkCtx, b)
	if err != nil {
		return nil, fmt.Errorf("%w; is Plumbline running, and the config file its own?", err)
	}
	stages := func(c *classify.Classifier) process.StageOptions {
		return process.StageOptions{
			Integrations: o.Config.Integrations, Agents: o.Config.Agents, Console: standalone.ConsoleURL(o.Config),
			Enrich: func(a *event.Attempt) { c.Enrich(a) },
		}
	}
	return process.Replay(ctx, process.ReplayOptions{
		Bus: b, Topics: topics, From: start, To: end, Old: stages(classify.Default()), New: stages(newer),
	})
}

// instant reads a time, or a span before now; nothing is none.
func instant(text string) (event.Time, error) {
	if text == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return event.At(time.Now().Add(-d)), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a time like 2026-01-31T08:00:00Z nor a span like 24h", text)
	}
	return event.At(t), nil
}

func printReplay(w io.Writer, r *process.Report) {
	if r.Facts == 0 {
		fmt.Fprintln(w, "no facts in the log: nothing to replay")
		return
	}
	fmt.Fprintf(w, "%d facts from %s to %s folded twice; nothing was written\n\nfailures, old class -> new class\n", r.Facts, r.Since, r.Through)
	for _, from := range slices.Sorted(maps.Keys(r.Classes)) {
		for _, to := range slices.Sorted(maps.Keys(r.Classes[from])) {
			mark := ""
			if from != to {
				mark = "  changed"
			}
			fmt.Fprintf(w, "  %-14s -> %-14s %8d%s\n", from, to, r.Classes[from][to], mark)
		}
	}
	printCounts(w, "deliveries by last state", r.Deliveries)
	printCounts(w, "divergences by kind and last state", r.Divergences)
	fmt.Fprintf(w, "\nalerts: %d the same, %d gained, %d lost\n", r.Kept, len(r.Gained), len(r.Lost))
	printAlerts(w, "+", r.Gained)
	printAlerts(w, "-", r.Lost)
}

func printCounts(w io.Writer, title string, counts map[string]process.Change) {
	fmt.Fprintf(w, "\n%s, old and new\n", title)
	for _, state := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "  %-32s %8d %8d\n", state, counts[state].Old, counts[state].New)
	}
}

func printAlerts(w io.Writer, mark string, list []process.AlertLine) {
	for _, a := range list {
		fmt.Fprintf(w, "%s %s %-6s %s %s\n", mark, a.At, a.Severity, a.Rule, strings.TrimSpace(a.Integration+" "+a.Subject))
	}
}
