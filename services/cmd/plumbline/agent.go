package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/revert"
	"plumbline.dev/services/standalone"
)

func agentCommand() *cobra.Command {
	parent := &cobra.Command{Use: "agent", Short: "AI agents and automations: who is stopped, and how to take back what one wrote", Args: cobra.NoArgs}
	parent.AddCommand(agentStatesCommand(), agentPlanCommand(), agentVerifyCommand(), agentSpreadCommand(), agentResetCommand())
	return parent
}

func agentStatesCommand() *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: "states", Short: "Every agent seen, the stopped ones first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			const sql = `SELECT agent, kind, tenant, state, rule, reason, since, writes_1h, writes_24h FROM agent_states ORDER BY state = 'tripped' DESC, writes_24h DESC LIMIT 500`
			return c.rows(cmd, sql, func(scan warehouse.Scan) error {
				var agent, kind, tenant, state, rule, reason string
				var since time.Time
				var hour, day int64
				if err := scan(&agent, &kind, &tenant, &state, &rule, &reason, &since, &hour, &day); err != nil {
					return err
				}
				if rule != "" {
					reason = " (" + rule + ": " + reason + ")"
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s/%s/%s since %s, %d writes in 1 h, %d in 24 h%s\n",
					state, tenant, kind, agent, since.Format(time.RFC3339), hour, day, reason)
				return nil
			})
		},
	}
	c.register(cmd)
	return cmd
}

// rows runs a query for a command.
func (c *common) rows(cmd *cobra.Command, sql string, row func(warehouse.Scan) error) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	db, err := standalone.OpenWarehouse(cmd.Context(), o)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Each(cmd.Context(), sql, row)
}

// window are the flags that say which of an agent's writes are meant.
type window struct{ tenant, run, since, until string }

func (w *window) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.tenant, "tenant", "", "only this tenant")
	cmd.Flags().StringVar(&w.run, "run", "", "only this run of the agent")
	cmd.Flags().StringVar(&w.since, "since", "", "only what was written since: 2026-11-03T10:00:00Z, or 3h ago written as 3h")
	cmd.Flags().StringVar(&w.until, "until", "", "only what was written before")
}

func (w *window) query(agent string) (revert.Query, error) {
	since, err1 := moment(w.since)
	until, err2 := moment(w.until)
	q := revert.Query{Tenant: w.tenant, Agent: agent, Run: w.run, Since: since, Until: until}
	if err := errors.Join(err1, err2); err != nil {
		return q, errors.Join(errUsage, err)
	}
	return q, nil
}

func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return time.Now().Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is neither a time like 2026-11-03T10:00:00Z nor a span like 3h", s)
	}
	return t, nil
}

func agentPlanCommand() *cobra.Command {
	var c common
	var w window
	var file string
	cmd := &cobra.Command{
		Use: "plan AGENT", Args: cobra.ExactArgs(1),
		Short: "Plan how to take back what an agent wrote: JSON lines on stdout, a summary on stderr; writes to no CRM",
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := w.query(args[0])
			if err != nil {
				return err
			}
			o, err := c.options()
			if err != nil {
				return err
			}
			policy, err := standalone.OpenPolicy(o)
			if err != nil {
				return err
			}
			db, err := standalone.OpenWarehouse(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer db.Close()
			out := bufio.NewWriter(cmd.OutOrStdout())
			if file != "" {
				f, err := os.Create(file)
				if err != nil {
					return fmt.Errorf("write the plan: %w", err)
				}
				defer f.Close()
				out = bufio.NewWriter(f)
			}
			var sum revert.Summary
			enc := json.NewEncoder(out)
			enc.SetEscapeHTML(false)
			err = revert.Each(cmd.Context(), db, policy, q, func(s revert.Step) error {
				sum.Add(s)
				return enc.Encode(s)
			})
			if err := errors.Join(err, out.Flush()); err != nil {
				return err
			}
			for _, line := range sum.Lines() {
				fmt.Fprintln(cmd.ErrOrStderr(), line)
			}
			if sum.Empty() {
				fmt.Fprintf(cmd.ErrOrStderr(), "nothing to take back from %s\n", args[0])
			}
			return nil
		},
	}
	c.register(cmd)
	w.register(cmd)
	cmd.Flags().StringVar(&file, "out", "", "write the plan to this file instead of stdout")
	return cmd
}

func agentVerifyCommand() *cobra.Command {
	var c common
	var since string
	cmd := &cobra.Command{
		Use: "verify PLAN", Short: "How much of a plan was carried out, by what the systems were seen to hold since", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := moment(since)
			if err != nil || at.IsZero() {
				return errors.Join(errUsage, fmt.Errorf("--since says when the plan began to be carried out: %w", err))
			}
			steps, err := readPlan(args[0])
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
			p, err := revert.Verify(cmd.Context(), db, steps, at)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d fields are back, %d are not seen to be, %d were changed again by others\n", p.Done, p.Pending, p.Later)
			for _, s := range p.First {
				fmt.Fprintf(cmd.OutOrStdout(), "  not yet: %s %s %s.%s\n", s.System, s.Object, s.RecordID, s.Field)
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&since, "since", "", "when the plan began to be carried out")
	return cmd
}

func readPlan(file string) ([]revert.Step, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read the plan: %w", err)
	}
	defer f.Close()
	var steps []revert.Step
	for dec := json.NewDecoder(f); ; {
		var s revert.Step
		err := dec.Decode(&s)
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil {
			return nil, fmt.Errorf("line %d of %s is no step of a plan: %w", len(steps)+1, file, err)
		}
		steps = append(steps, s)
	}
}

// agentSpreadCommand: the ledger knows which copies took an agent's values.
func agentSpreadCommand() *cobra.Command {
	var c common
	var w window
	cmd := &cobra.Command{
		Use: "spread AGENT", Short: "Which records downstream already received what an agent wrote", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := w.query(args[0])
			if err != nil {
				return err
			}
			n := 0
			err = c.rows(cmd, revert.SpreadSQL(q), func(scan warehouse.Scan) error {
				var integration, object, source, target, state string
				var changes uint64
				var last time.Time
				if err := scan(&integration, &object, &source, &target, &state, &changes, &last); err != nil {
					return err
				}
				n++
				fmt.Fprintln(cmd.OutOrStdout(), strings.Join([]string{
					integration, object, source, target, state, fmt.Sprint(changes), last.Format(time.RFC3339),
				}, "\t"))
				return nil
			})
			if err == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%d records downstream (integration, object, source id, target id, state, changes, last)\n", n)
			}
			return err
		},
	}
	c.register(cmd)
	w.register(cmd)
	return cmd
}

func agentResetCommand() *cobra.Command {
	var c common
	var by, reason string
	cmd := &cobra.Command{
		Use: "reset TENANT/KIND/AGENT", Short: "Let a stopped agent go on", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tenant, _, ok := strings.Cut(args[0], "/")
			if !ok || by == "" {
				return errors.Join(errUsage, errors.New("name the agent as `plumbline agent states` does, and who decides with --by"))
			}
			return c.click(cmd.Context(), map[string]any{
				"kind": "reset", "subject": args[0], "tenant": tenant, "by": by, "reason": reason,
			})
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&by, "by", "", "who decides")
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return cmd
}
