package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/reconcile"
	"plumbline.dev/services/standalone"
)

func reconcileOnceCommand() *cobra.Command {
	var c common
	var what standalone.Comparison
	cmd := &cobra.Command{
		Use: "once", Short: "Compare whole record sets now, with progress and counts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if what.Integration == "" {
				return errors.Join(errUsage, errors.New("--integration is missing: name the integration to compare"))
			}
			o, err := c.options()
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(o.Config.Integrations, func(in config.Integration) bool { return in.ID == what.Integration }) {
				return errors.Join(errUsage, fmt.Errorf("the configuration has no integration %q", what.Integration))
			}
			o.Logger = o.Logger.WithOptions(zap.IncreaseLevel(quiet(&c)))
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			progress := newProgress(os.Stderr)
			what.Tell = progress.step
			results, err := standalone.CompareOnce(ctx, o, what)
			progress.end()
			for _, r := range results {
				printResult(os.Stderr, r)
			}
			if errors.Is(err, context.Canceled) {
				return errors.New("stopped: run it again, it goes on where it stopped")
			}
			return err
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&what.Integration, "integration", "", "id of the integration (required)")
	cmd.Flags().StringVar(&what.Object, "object", "", "only this object (default all)")
	return cmd
}

// quiet keeps logs out of a person's way.
func quiet(c *common) zap.AtomicLevel {
	if c.debug {
		return zap.NewAtomicLevelAt(zap.DebugLevel)
	}
	return zap.NewAtomicLevelAt(zap.WarnLevel)
}

// progress writes a line a moment: over itself on a terminal, else every few
// seconds.
type progress struct {
	w      io.Writer
	over   bool
	last   time.Time
	phase  string
	behind bool
}

func newProgress(f *os.File) *progress {
	info, err := f.Stat()
	return &progress{w: f, over: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (p *progress) step(s reconcile.Step) {
	wait := 5 * time.Second
	if p.over {
		wait = 200 * time.Millisecond
	}
	key := s.Object + s.Phase
	if time.Since(p.last) < wait && key == p.phase {
		return
	}
	p.last, p.phase = time.Now(), key
	line := s.Object + ": " + s.Phase
	if s.Total > 0 {
		line += fmt.Sprintf(", %d of %d", s.Done, s.Total)
	}
	if s.Left > 0 {
		line += fmt.Sprintf(", about %s left", s.Left.Round(time.Second))
	}
	if p.over {
		fmt.Fprintf(p.w, "\r\033[K%s", line)
		p.behind = true
		return
	}
	fmt.Fprintln(p.w, line)
}

func (p *progress) end() {
	if p.behind {
		fmt.Fprint(p.w, "\r\033[K")
	}
}

func printResult(w io.Writer, r *reconcile.Result) {
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	say("%s / %s, as of %s", r.Integration, r.Object, r.StartedAt)
	say("  source %d records (the system counts %d), target %d (%d), %d out of scope, %d without a key",
		r.Source, r.SourceCount, r.Target, r.TargetCount, r.OutOfScope, r.Unlinkable)
	say("  linking %.0f %%: %d of the source's %d records have their copy in the target", math.Floor(100*r.Linking()), r.Compared, r.Source)
	say("  %d pairs compared: %d equal, %d differ, %d changed so recently that it may be under way", r.Compared, r.Equal, r.Different, r.InFlight)
	say("  %d missing in the target, %d missing in the source, %d duplicates, %d accepted", r.MissingInTarget, r.MissingInSource, r.Duplicates, r.Accepted)
	for _, f := range r.Fields {
		switch {
		case f.Blocked != "":
			say("  %s: not compared: %s", f.Source, f.Blocked)
		case f.Different > 0:
			say("  %s -> %s: %d differ (%s)", f.Source, f.Target, f.Different, how(f.How))
		}
	}
	for i, e := range r.Examples {
		if i == 5 {
			say("  ... and more: SELECT * FROM divergences WHERE integration = '%s' AND object = '%s'", r.Integration, r.Object)
			break
		}
		say("  e.g. %s %s %s %s", e.Kind, e.SourceID, e.TargetID, shownPair(e))
	}
	say("  drift %.2f %% (%d of %d records), %d API calls", 100*r.Drift(), r.Diverging(),
		r.Compared+r.MissingInTarget+r.MissingInSource+r.Duplicates, r.Calls)
}

func shownPair(e reconcile.Example) string {
	if e.Field == "" {
		return ""
	}
	return fmt.Sprintf("%s: %q / %q (%s)", e.Field, e.Source, e.Target, e.How)
}

func how(m map[string]int64) string {
	var out []string
	for word, n := range m {
		out = append(out, fmt.Sprintf("%s %d", word, n))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
