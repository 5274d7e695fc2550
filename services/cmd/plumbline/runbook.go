package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/runbook"
)

func runbookCommand() *cobra.Command {
	parent := &cobra.Command{Use: "runbook", Short: "The runbooks of the integrations", Args: cobra.NoArgs}
	parent.AddCommand(runbookLintCommand(), runbookShowCommand(), runbookNewCommand(), checklistCommand(), tickCommand())
	return parent
}

func runbookLintCommand() *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: "lint [FILE...]", Short: "List what is missing in each runbook; exit 1 if anything is",
		RunE: func(cmd *cobra.Command, args []string) error {
			gaps := 0
			say := func(name string, list []string) {
				gaps += len(list)
				for _, g := range list {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, g)
				}
			}
			if len(args) > 0 {
				for _, file := range args {
					r, err := runbook.Load(file)
					if err != nil {
						return errors.Join(errUsage, err)
					}
					say(file, r.Lint(time.Now()))
				}
			} else {
				cfg, dir, err := c.load()
				if err != nil {
					return err
				}
				book := runbook.Open(cfg.Integrations, dir, time.Now())
				for i := range cfg.Integrations {
					say(cfg.Integrations[i].ID, book.Gaps(cfg.Integrations[i].ID))
				}
			}
			if gaps > 0 {
				return fmt.Errorf("%d gaps; nothing is refused for them, but somebody will miss what is missing at night", gaps)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "no gaps")
			return nil
		},
	}
	c.register(cmd)
	return cmd
}

func runbookShowCommand() *cobra.Command {
	var c common
	var what string
	cmd := &cobra.Command{
		Use: "show INTEGRATION", Short: "Who is called and what to do, for a person in a hurry", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, dir, err := c.load()
			if err != nil {
				return err
			}
			in, err := findIntegration(cfg, args[0])
			if err != nil {
				return errors.Join(errUsage, err)
			}
			if in.Runbook == "" {
				return fmt.Errorf("%s has no runbook: `plumbline runbook new` writes one, name it as runbook: of the integration", in.ID)
			}
			r, err := runbook.Load(runbook.Path(in, dir))
			if err != nil {
				return err
			}
			return r.Show(cmd.OutOrStdout(), what)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&what, "for", "", "only the steps of this class or fingerprint")
	return cmd
}

func findIntegration(cfg *config.Config, id string) (*config.Integration, error) {
	var ids []string
	for i := range cfg.Integrations {
		if cfg.Integrations[i].ID == id {
			return &cfg.Integrations[i], nil
		}
		ids = append(ids, cfg.Integrations[i].ID)
	}
	return nil, fmt.Errorf("there is no integration %q: there are %v", id, ids)
}

func runbookNewCommand() *cobra.Command {
	var template string
	cmd := &cobra.Command{
		Use: "new", Short: "Print a runbook to start from", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := runbook.Template(template)
			if err != nil {
				return errors.Join(errUsage, err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&template, "template", "generic", "hubspot-salesforce or generic")
	return cmd
}
