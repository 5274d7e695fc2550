package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/clickhouse"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/standalone"
)

func configCommand() *cobra.Command {
	parent := &cobra.Command{Use: "config", Short: "Look at the configuration", Args: cobra.NoArgs}
	var c common
	check := &cobra.Command{
		Use: "check", Short: "Check the config file; every problem with its line", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			fmt.Fprint(cmd.OutOrStdout(), cfgload.Summary(cfg))
			return nil
		},
	}
	c.register(check)
	parent.AddCommand(check)
	return parent
}

const applyTimeout = time.Minute

func topicsCommand() *cobra.Command {
	parent := &cobra.Command{Use: "topics", Short: "Kafka topics", Args: cobra.NoArgs}
	var c common
	apply := &cobra.Command{
		Use: "apply", Short: "Create missing topics and check the others", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			secrets := cfgload.Secrets{Dir: o.ConfigDir}
			b, err := bus.FromConfig(o.Config.Kafka, o.Config.Listen.Kafka, secrets.Resolve, o.Logger)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), applyTimeout)
			defer cancel()
			t, err := bus.ApplyTopics(ctx, b, o.Config.Kafka.Partitions, -1)
			if err != nil {
				return err
			}
			for _, spec := range topic.All {
				fmt.Fprintf(cmd.OutOrStdout(), "%-28s %3d partitions\n", spec.Name, t.Partitions[spec.Name])
			}
			return nil
		},
	}
	c.register(apply)
	parent.AddCommand(apply)
	return parent
}

func schemaCommand() *cobra.Command {
	parent := &cobra.Command{Use: "schema", Short: "ClickHouse tables and views", Args: cobra.NoArgs}
	var c common
	apply := &cobra.Command{
		Use: "apply", Short: "Bring the ClickHouse schema up to this version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			if err := standalone.ApplySchema(cmd.Context(), o); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "schema is up to date")
			return nil
		},
	}
	c.register(apply)
	grants := &cobra.Command{
		Use: "grants", Short: "Print the statements that make a read-only user on a real server", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), clickhouse.Grants) },
	}
	parent.AddCommand(apply, grants)
	return parent
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), version()) },
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "plumbline (unknown build)"
	}
	i := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.revision" })
	if i < 0 {
		return "plumbline " + info.Main.Version + " " + info.GoVersion
	}
	return "plumbline " + info.Settings[i].Value[:12] + " " + info.GoVersion
}
