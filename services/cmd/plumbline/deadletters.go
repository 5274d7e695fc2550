package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/standalone"
)

// letters is what the commands about dead letters share.
type letters struct {
	common
	origin string
	since  time.Duration
	limit  int
}

func deadLettersCommand() *cobra.Command {
	parent := &cobra.Command{Use: "dead-letters", Short: "What was accepted and could not be used", Args: cobra.NoArgs}
	parent.AddCommand(lettersListCommand(), lettersShowCommand(), lettersReplayCommand())
	return parent
}

func (l *letters) register(cmd *cobra.Command) {
	l.common.register(cmd)
	cmd.Flags().StringVar(&l.origin, "origin", "", "only letters of this origin, as hook:ID or sink:TABLE")
	cmd.Flags().DurationVar(&l.since, "since", 7*24*time.Hour, "only letters received since; they are kept for 7 days")
	cmd.Flags().IntVar(&l.limit, "limit", 1000, "at most this many")
}

func (l *letters) read(ctx context.Context, db *warehouse.DB, ids []string) ([]warehouse.Letter, error) {
	found, err := db.Letters(ctx, ids, l.origin, time.Now().Add(-l.since), l.limit)
	if err == nil && len(ids) > len(found) {
		err = fmt.Errorf("%d of %d letters are not there (any more)", len(ids)-len(found), len(ids))
	}
	return found, err
}

func lettersListCommand() *cobra.Command {
	var l letters
	cmd := &cobra.Command{
		Use: "list", Short: "List them, the newest first, without their bytes", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, db, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			defer db.Close()
			found, err := l.read(cmd.Context(), db, nil)
			for _, x := range found {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %s  %-28s %-12s %s\n", x.ID, x.ReceivedAt.UTC().Format(time.RFC3339), x.Origin, x.Code, x.Reason)
			}
			return err
		},
	}
	l.register(cmd)
	return cmd
}

func (l *letters) open(ctx context.Context) (standalone.Options, *warehouse.DB, error) {
	o, err := l.options()
	if err != nil {
		return o, nil, err
	}
	db, err := standalone.OpenWarehouse(ctx, o)
	return o, db, err
}

func lettersShowCommand() *cobra.Command {
	var l letters
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one with its bytes, unsealed", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, db, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			defer db.Close()
			found, err := l.read(cmd.Context(), db, args)
			if err != nil {
				return err
			}
			policy, err := standalone.OpenPolicy(o)
			if err != nil {
				return err
			}
			raw, err := (&standalone.Letters{Policy: policy}).Unseal(&found[0])
			if err != nil {
				return err
			}
			x := found[0]
			fmt.Fprintf(cmd.OutOrStdout(), "id        %s\norigin    %s\nreceived  %s\ncode      %s\nreason    %s\n\n", x.ID, x.Origin, x.ReceivedAt.UTC().Format(time.RFC3339Nano), x.Code, x.Reason)
			if utf8.Valid(raw) {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n", raw)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "%x\n", raw)
			}
			return nil
		},
	}
	l.common.register(cmd)
	l.limit = 1
	return cmd
}

func lettersReplayCommand() *cobra.Command {
	var l letters
	var dry bool
	cmd := &cobra.Command{
		Use: "replay [ID...]", Short: "Take letters in again, with the configuration as it is now; twice counts once",
		RunE: func(cmd *cobra.Command, args []string) error {
			o, db, err := l.open(cmd.Context())
			if err != nil {
				return err
			}
			defer db.Close()
			found, err := l.read(cmd.Context(), db, args)
			if err != nil {
				return err
			}
			r := replayer{cmd: cmd, o: o, db: db, dry: dry}
			return r.run(cmd.Context(), found)
		},
	}
	l.register(cmd)
	cmd.Flags().BoolVar(&dry, "dry-run", false, "say what would happen, and write nothing")
	return cmd
}

// replayer takes letters in again.
type replayer struct {
	cmd *cobra.Command
	o   standalone.Options
	db  *warehouse.DB
	dry bool
}

func (r *replayer) run(ctx context.Context, found []warehouse.Letter) error {
	policy, err := standalone.OpenPolicy(r.o)
	if err != nil {
		return err
	}
	letters := &standalone.Letters{DB: r.db, Policy: policy, Options: r.o}
	if !r.dry {
		secrets := cfgload.Secrets{Dir: r.o.ConfigDir}
		b, err := bus.FromConfig(r.o.Config.Kafka, r.o.Config.Listen.Kafka, secrets.Resolve, r.o.Logger)
		if err != nil {
			return err
		}
		if letters.Producer, err = bus.NewProducer(b, config.Hash(r.o.Config.Integrations)); err != nil {
			return err
		}
		defer letters.Producer.Close()
	}
	events, failed := 0, 0
	for i := range found {
		n, why, err := letters.Take(ctx, &found[i], r.dry)
		if err != nil {
			return err
		}
		events += n
		if len(why) > 0 {
			failed++
			fmt.Fprintf(r.cmd.OutOrStdout(), "%s  still refused: %s\n", found[i].ID, strings.Join(why, "; "))
			continue
		}
		fmt.Fprintf(r.cmd.OutOrStdout(), "%s  %d events\n", found[i].ID, n)
	}
	word := "written"
	if r.dry {
		word = "would be written"
	}
	fmt.Fprintf(r.cmd.ErrOrStderr(), "%d letters, %d events %s, %d letters still refused\n", len(found), events, word, failed)
	if failed > 0 {
		return errQuiet{errors.New("some letters are still refused")}
	}
	return nil
}
