package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/standalone"
)

// cadences of the checklists, and where each begins in their order.
var cadences = []string{"daily", "weekly", "monthly", "quarterly"}

// checked is one item of a checklist as it stands.
type checked struct {
	Integration string     `ch:"integration"`
	Every       string     `ch:"every"`
	Item        string     `ch:"item"`
	Title       string     `ch:"title"`
	State       string     `ch:"state"`
	Finding     string     `ch:"finding"`
	TickedAt    *time.Time `ch:"ticked_at"`
	TickedBy    string     `ch:"ticked_by"`
	Remark      string     `ch:"remark"`
	Look        string     `ch:"look"`
}

func checklistCommand() *cobra.Command {
	var c common
	var integration string
	var verbose bool
	cmd := &cobra.Command{
		Use: "checklist [daily|weekly|monthly|quarterly]", Short: "What to look at now: answered by data, or ticked by a person", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			every := "daily"
			if len(args) == 1 {
				every = args[0]
			}
			if !slices.Contains(cadences, every) {
				return errors.Join(errUsage, fmt.Errorf("there is no checklist %q: there are %s", every, strings.Join(cadences, ", ")))
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
			list, err := readChecklist(cmd.Context(), db, every, integration)
			if err != nil {
				return err
			}
			return printChecklist(cmd.OutOrStdout(), list, verbose)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&integration, "integration", "", "only this integration")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "with the query that shows more")
	return cmd
}

func readChecklist(ctx context.Context, db *warehouse.DB, every, integration string) (list []checked, err error) {
	err = db.Query(ctx, &list, "SELECT integration, every, item, title, state, finding, ticked_at, ticked_by, remark, look FROM checklists "+
		"WHERE every = ? AND (? = '' OR integration = ?) ORDER BY integration, item", every, integration, integration)
	return list, err
}

func printChecklist(out io.Writer, list []checked, verbose bool) error {
	if len(list) == 0 {
		return errors.New("no integration is known to ClickHouse yet: is Plumbline running with this configuration?")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	last := ""
	for i := range list {
		x := &list[i]
		if x.Integration != last {
			fmt.Fprintf(w, "%s\t\t\t\n", x.Integration)
			last = x.Integration
		}
		said := x.Finding
		if x.TickedAt != nil {
			said = strings.Trim(said+"; "+fmt.Sprintf("%s, %s", x.TickedBy, x.TickedAt.Format("2006-01-02 15:04")), "; ")
			if x.Remark != "" {
				said += ": " + x.Remark
			}
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", x.State, x.Item, x.Title, said)
		if verbose && x.Look != "" {
			fmt.Fprintf(w, "\t\t\t  %s\n", x.Look)
		}
	}
	return w.Flush()
}

// tickCommand is what a person says of an item: through ingest, like
// everything else, so that a replay knows it.
func tickCommand() *cobra.Command {
	var c common
	var integration, by, result, remark string
	cmd := &cobra.Command{
		Use: "tick ITEM --integration ID --by NAME", Short: "Tick an item of a checklist, by name", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			every, _, ok := strings.Cut(args[0], ".")
			if !ok || !slices.Contains(cadences, every) {
				return errors.Join(errUsage, fmt.Errorf("%q is no item: `plumbline runbook checklist quarterly` lists them", args[0]))
			}
			if by == "" || integration == "" || result != "done" && result != "failed" {
				return errors.Join(errUsage, errors.New("say --integration ID, --by NAME, and --result done or failed"))
			}
			now := time.Now().UTC()
			return c.post(cmd.Context(), "signals", map[string]any{
				"id": event.Hash("tick", integration, args[0], by, now.Format(time.RFC3339Nano)), "kind": event.SignalChecklist,
				"integration": integration, "field": args[0], "started_at": now.Format(time.RFC3339Nano), "summary": remark,
				"detail": map[string]any{"result": result}, "actor": map[string]any{"kind": event.ActorUser, "id": by},
			})
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&integration, "integration", "", "the integration it was done for")
	cmd.Flags().StringVar(&by, "by", "", "who did it")
	cmd.Flags().StringVar(&result, "result", "done", "done, or failed")
	cmd.Flags().StringVar(&remark, "remark", "", "in a sentence")
	return cmd
}
