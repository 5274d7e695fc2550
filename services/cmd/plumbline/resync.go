package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/resync"
	"plumbline.dev/services/standalone"
)

func resyncCommand() *cobra.Command {
	parent := &cobra.Command{Use: "resync", Short: "Write again what differs: the plan, its cost, and the proof afterwards", Args: cobra.NoArgs}
	parent.AddCommand(resyncPlanCommand(), resyncVerifyCommand())
	return parent
}

func resyncPlanCommand() *cobra.Command {
	var c common
	var q resync.Query
	var most int64
	cmd := &cobra.Command{
		Use: "plan INTEGRATION", Args: cobra.ExactArgs(1),
		Short: "Plan how the records that differ are written again: a JSON line a batch on stdout, calls, hours and quota on stderr; writes to no CRM",
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			q.Integration = args[0]
			systems, err := systemsOf(o.Config, args[0])
			if err != nil {
				return errors.Join(errUsage, err)
			}
			db, err := standalone.OpenWarehouse(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer db.Close()
			out := bufio.NewWriter(cmd.OutOrStdout())
			enc := json.NewEncoder(out)
			enc.SetEscapeHTML(false)
			var cost resync.Cost
			err = resync.Each(cmd.Context(), db, systems, q, func(b resync.Batch) error {
				cost.Add(&b)
				return enc.Encode(b)
			})
			if err := errors.Join(err, out.Flush()); err != nil {
				return err
			}
			budgets, err := resync.Budgets(cmd.Context(), db, time.Now(), systems.Source, systems.Target)
			if err != nil {
				return err
			}
			for _, line := range cost.Lines(budgets, most) {
				fmt.Fprintln(cmd.ErrOrStderr(), line)
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&q.Object, "object", "", "only this object")
	cmd.Flags().StringVar(&q.Field, "field", "", "only records in which this field differs")
	cmd.Flags().StringVar(&q.Incident, "incident", "", "only the records of this incident")
	cmd.Flags().StringVar(&q.Explanation, "explanation", "", "only what this explanation (explanation_id) covers")
	cmd.Flags().Int64Var(&most, "limit", 0, "records that may be written at once: bulk_resync_limit of the runbook")
	return cmd
}

func systemsOf(cfg *config.Config, integration string) (resync.Systems, error) {
	var known []string
	for i := range cfg.Integrations {
		in := &cfg.Integrations[i]
		if in.ID == integration {
			return resync.Systems{Source: in.Source.System, Target: in.Target.System}, nil
		}
		known = append(known, in.ID)
	}
	return resync.Systems{}, fmt.Errorf("integration %q is not configured: there are %v", integration, known)
}

func resyncVerifyCommand() *cobra.Command {
	var c common
	var since string
	cmd := &cobra.Command{
		Use: "verify PLAN", Short: "Whether the records of a plan are equal now, and no others", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := moment(since)
			if err != nil || at.IsZero() {
				return errors.Join(errUsage, fmt.Errorf("--since says when the plan began to be carried out: %w", err))
			}
			plan, err := readBatches(args[0])
			if err != nil {
				return err
			}
			o, err := c.options()
			if err != nil {
				return err
			}
			db, err := standalone.OpenWarehouse(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer db.Close()
			p, err := resync.Verify(cmd.Context(), db, plan, at)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d of %d records are equal, %d still differ, %d were not looked at since\n", p.Verified, p.Records, p.Differ, p.Unseen)
			for _, r := range p.First {
				fmt.Fprintf(cmd.OutOrStdout(), "not equal yet: %s %v\n", r.Key, r.Fields)
			}
			if !p.Done() {
				return errors.New("not all of it is equal: see above; a comparison (plumbline reconcile once) looks at what nobody has seen since")
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&since, "since", "", "when the plan began to be carried out: a time, or 3h for three hours ago")
	return cmd
}

func readBatches(file string) ([]resync.Batch, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	defer f.Close()
	var plan []resync.Batch
	for dec := json.NewDecoder(f); ; {
		var b resync.Batch
		err := dec.Decode(&b)
		if errors.Is(err, io.EOF) {
			return plan, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d of %s is no batch of a plan: %w", len(plan)+1, file, err)
		}
		plan = append(plan, b)
	}
}
