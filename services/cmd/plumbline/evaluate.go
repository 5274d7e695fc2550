package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"plumbline.dev/services/evaluate"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/standalone/rehearse"
)

type evaluateFlags struct {
	common
	truth, dsn, dir string
	deadline        time.Duration
	seed            uint64
	seeds           int
	speed           float64
	json, fold      bool
	causes          bool
}

func evaluateCommand() *cobra.Command {
	var f evaluateFlags
	cmd := &cobra.Command{
		Use:   "evaluate --truth F | evaluate SCENARIO...",
		Short: "Score what Plumbline says against what really happened",
		Long: `With --truth, score a database against the truth of a run that was played to it.
With scenario files, play each against a fresh Plumbline in this process, in fast time, and score it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if (f.truth == "") == (len(args) == 0) {
				return errors.Join(errUsage, errors.New("give --truth F, or scenario files to play"))
			}
			if f.truth != "" {
				return f.score(ctx, cmd.OutOrStdout())
			}
			return f.rehearse(ctx, cmd.OutOrStdout(), args)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.truth, "truth", "", "truth of a run, NDJSON")
	fl.StringVar(&f.dsn, "clickhouse", "http://127.0.0.1:8123/plumbline", "where the rows are")
	fl.DurationVar(&f.deadline, "deadline", 5*time.Minute, "the integrations' deadline: what ends sooner was under way")
	fl.Uint64Var(&f.seed, "seed", 0, "seed of the runs (default each scenario's)")
	fl.IntVar(&f.seeds, "seeds", 1, "play each scenario so many times, with one seed after the other")
	fl.Float64Var(&f.speed, "speed", rehearse.DefaultSpeed, "seconds of a scenario a second")
	fl.StringVar(&f.dir, "keep", "", "folder to keep everything of a single scenario in")
	fl.BoolVar(&f.fold, "fold", false, "play to door, operators and readers alone: seconds a scenario, the same in every run; no KPIs, lists, incidents")
	fl.BoolVar(&f.causes, "causes", false, "print what was named of causes, a line a scenario, all seeds together")
	fl.BoolVar(&f.json, "json", false, "print JSON, one object a scenario")
	fl.BoolVar(&f.debug, "debug", false, "log what the product logs")
	return cmd
}

func (f *evaluateFlags) score(ctx context.Context, out io.Writer) error {
	db, err := warehouse.Open(warehouse.Options{DSN: f.dsn})
	if err != nil {
		return errors.Join(errUsage, err)
	}
	defer db.Close()
	rows, _, err := rehearse.Score(ctx, db, f.truth, f.deadline, nil)
	if err != nil {
		return err
	}
	if f.json {
		return json.NewEncoder(out).Encode(rows)
	}
	return evaluate.Print(out, rows)
}

// rehearse plays scenario after scenario: they would slow each other down.
func (f *evaluateFlags) rehearse(ctx context.Context, out io.Writer, files []string) error {
	var list []*scenario.Scenario
	for _, path := range files {
		s, err := scenario.Load(path)
		if err != nil {
			return errors.Join(errUsage, err)
		}
		list = append(list, s)
	}
	if f.dir != "" && (len(list) > 1 || f.seeds > 1) {
		return errors.Join(errUsage, errors.New("--keep is for a single scenario"))
	}
	log := zap.NewNop()
	if f.debug {
		var err error
		if log, err = f.logger(); err != nil {
			return err
		}
	}
	var table evaluate.Table
	var causes evaluate.CauseTable
	for i := range len(list) * max(f.seeds, 1) {
		s, seed := list[i/max(f.seeds, 1)], f.seed
		if f.seeds > 1 {
			seed = cmp.Or(f.seed, s.Seed) + uint64(i%f.seeds)
		}
		play := rehearse.Play
		if f.fold {
			play = rehearse.Fold
		}
		r, err := play(ctx, rehearse.Options{Scenario: s, Seed: seed, Speed: f.speed, Dir: f.dir, Keep: f.dir != "", Logger: log})
		if err != nil {
			return err
		}
		if f.seeds > 1 {
			r.Scenario += fmt.Sprintf(" #%d", seed)
		}
		causes.Add(s.Name, r.Rows)
		fmt.Fprintf(os.Stderr, "%-28s %5.0f s, %d events, at most %.0f s of its time behind\n",
			r.Scenario, r.Took.Seconds(), r.Sent.Accepted, r.Behind.Seconds())
		if f.json {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return err
			}
		}
		table.Add(r.Scenario, r.Rows)
	}
	switch {
	case f.json:
		return nil
	case f.causes:
		return causes.Print(out)
	case len(list) == 1 && f.seeds <= 1:
		return evaluate.Print(out, table.Only())
	}
	return table.Print(out)
}

func randomSecret() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
