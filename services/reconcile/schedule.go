package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

const (
	lookEvery   = time.Minute
	overdueAt   = 1.5 // of the schedule: the KPI counts the set as a gap from here on
	retryRunMin = 10 * time.Minute
)

// schedule runs each object's comparison when it is due, one at a time.
func (r *Role) schedule(ctx context.Context) error {
	for _, s := range r.subjects {
		if err := r.untilDone(ctx, "declare what is compared", func(ctx context.Context) error { return r.declare(ctx, s) }); err != nil {
			return nil
		}
	}
	next := map[*subject]time.Time{} // not before, after a failure
	lastErr := map[*subject]string{}
	for {
		for _, s := range r.subjects {
			if ctx.Err() != nil {
				return nil
			}
			last, err := r.lastRun(ctx, s)
			if err != nil {
				r.log.Warn("cannot read when a comparison ran last", zap.Error(err))
				continue
			}
			now := r.o.Clock.Now()
			age := now.Sub(last.Std())
			if last > 0 && float64(age) > overdueAt*float64(every(s.Object)) {
				r.missed(ctx, s, last, event.At(now), every(s.Object), lastErr[s])
			}
			asked, err := r.demanded(ctx, s, last)
			if err != nil {
				r.log.Warn("cannot read whether a comparison is asked for", zap.Error(err))
			}
			if age < every(s.Object) && !asked || now.Before(next[s]) {
				continue
			}
			lastErr[s] = ""
			if err := r.runOne(ctx, s); err != nil && ctx.Err() == nil {
				lastErr[s] = err.Error()
				next[s] = r.o.Clock.Now().Add(max(retryRunMin, crm.AfterOf(err)))
			}
		}
		if r.o.Clock.Sleep(ctx, lookEvery) != nil {
			return nil
		}
	}
}

func (r *Role) lastRun(ctx context.Context, s *subject) (event.Time, error) {
	known, err := r.sets(ctx, s)
	if err != nil || known[""] == nil {
		return 0, err
	}
	return known[""].Compared, nil
}

const logEvery = 10 * time.Second

func (r *Role) runOne(ctx context.Context, s *subject) error {
	log := r.log.With(zap.String("integration", s.Integration.ID), zap.String("object", s.Object.Name))
	log.Info("comparison begins")
	var told time.Time
	res, err := r.once(ctx, s, func(st Step) {
		if now := time.Now(); now.Sub(told) > logEvery {
			told = now
			log.Info("comparison", zap.String("phase", st.Phase), zap.Int64("done", st.Done), zap.Int64("of", st.Total), zap.Duration("left", st.Left))
		}
	})
	if err != nil {
		if ctx.Err() == nil {
			log.Error("comparison failed", zap.Error(err))
		}
		return err
	}
	log.Info("comparison complete", zap.String("run", res.Run), zap.Int64("source", res.Source), zap.Int64("target", res.Target),
		zap.Int64("equal", res.Equal), zap.Int64("different", res.Different), zap.Int64("missing_in_target", res.MissingInTarget),
		zap.Int64("missing_in_source", res.MissingInSource), zap.Int64("duplicates", res.Duplicates), zap.Int64("in_flight", res.InFlight),
		zap.Int64("calls", res.Calls), zap.Duration("took", time.Duration(res.EndedAt-res.StartedAt)*time.Millisecond))
	return nil
}

// Once compares now: one object of an integration, or all of them.
func (r *Role) Once(ctx context.Context, integration, object string, tell func(Step)) ([]*Result, error) {
	var out []*Result
	var names []string
	for _, s := range r.subjects {
		names = append(names, s.name())
		if s.Integration.ID != integration || object != "" && s.Object.Name != object {
			continue
		}
		if err := r.declare(ctx, s); err != nil {
			return out, err
		}
		res, err := r.once(ctx, s, tell)
		if err != nil {
			return out, fmt.Errorf("compare %s: %w", s.name(), err)
		}
		out = append(out, res)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is nothing to compare as integration %q, object %q: with a connection on both sides there are %s",
			integration, object, orNone(strings.Join(names, ", ")))
	}
	return out, nil
}

func orNone(s string) string {
	if s == "" {
		return "none: add connections, and name them in the integration's source and target"
	}
	return s
}
