package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/pipelines/classify"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/connect"
	"plumbline.dev/services/standalone"
)

func importCommand() *cobra.Command {
	parent := &cobra.Command{Use: "import", Short: "Bring in what happened before", Args: cobra.NoArgs}
	var c common
	var integration string
	var dry bool
	cmd := &cobra.Command{
		Use: "hubspot-sync-errors FILE", Args: cobra.ExactArgs(1),
		Short: "HubSpot's exported Salesforce sync errors (CSV), as classified failures",
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			i := slices.IndexFunc(o.Config.Integrations, func(in config.Integration) bool { return in.ID == integration })
			if i < 0 {
				return errors.Join(errUsage, fmt.Errorf("the configuration has no integration %q: name one with --integration", integration))
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			attempts, skipped, err := connect.SyncErrors(f, &o.Config.Integrations[i], event.At(time.Now()))
			if err != nil {
				return err
			}
			classifier, classes := classify.Default(), map[string]int{}
			for _, a := range attempts {
				copied := *a
				classifier.Enrich(&copied)
				classes[copied.Verdict.Class]++
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d errors read, %d lines without a record or a message left out; by class:\n", len(attempts), skipped)
			for _, class := range event.Classes {
				if n := classes[class]; n > 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "  %-14s %d\n", class, n)
				}
			}
			if dry {
				return nil
			}
			return standalone.Import(cmd.Context(), o, &o.Config.Integrations[i], attempts)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&integration, "integration", "hubspot-salesforce", "id of the integration they belong to")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only read and classify")
	parent.AddCommand(cmd)
	return parent
}
