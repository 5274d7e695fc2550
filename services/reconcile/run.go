package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/pace"
)

// resumable is how old an interrupted run may be to go on: what it read first
// is still compared by what is read last.
const resumable = 24 * time.Hour

// progress is how far a run is; a process that is killed leaves it to the next.
type progress struct {
	ID        string            `json:"id"`
	StartedAt event.Time        `json:"started_at"`
	Config    string            `json:"config"`
	After     map[string]string `json:"after"` // side/native -> where reading goes on
	Read      map[string]bool   `json:"read"`  // side/native -> read to the end
	Records   map[string]int64  `json:"records"`
	Calls     int64             `json:"calls"`
}

// run compares one object of one integration.
type run struct {
	r       *Role
	s       *subject
	state   progress
	missing map[string]string // side.field -> why it cannot be compared
	counts  map[string]int64  // side -> as the system counts
	expect  map[string]int64  // side/native -> the same
	tell    func(Step)
	began   time.Time // of this process's part

	mu    sync.Mutex
	saved time.Time
}

// Step is how far a run is, for people.
type Step struct {
	Integration, Object string
	Phase               string
	Done, Total         int64
	Left                time.Duration // 0 = not known
}

func (s *subject) runName() string { return "run/" + s.name() }

// Once compares one object and tells what it found. An interrupted run of the
// same configuration goes on where it stopped.
func (r *Role) once(ctx context.Context, s *subject, tell func(Step)) (*Result, error) {
	r.running.Lock()
	defer r.running.Unlock()
	ctx, done := pace.Hold(ctx, r.o.Clock)
	defer done()
	x := &run{r: r, s: s, tell: tell, began: r.o.Clock.Now(), counts: map[string]int64{}, expect: map[string]int64{}}
	ctx = crm.In(ctx, crm.LaneCompare)
	if err := x.begin(ctx); err != nil {
		return nil, err
	}
	calls := x.calls()
	result, err := x.whole(ctx)
	x.state.Calls += x.calls() - calls
	switch {
	case ctx.Err() != nil: // stopped, not failed: the next start goes on
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return nil, errors.Join(ctx.Err(), r.store.save(last, s.runName(), x.state))
	case err != nil:
		return nil, errors.Join(err, r.failed(ctx, s, &x.state, err))
	}
	if err := r.store.save(ctx, s.runName(), nil); err != nil {
		return nil, err
	}
	result.Calls = x.state.Calls
	return result, r.passed(ctx, s, result)
}

func (x *run) calls() int64 {
	return x.s.sides[event.Source].budget.Calls() + x.s.sides[event.Target].budget.Calls()
}

func (x *run) begin(ctx context.Context) error {
	hash := config.Hash([]config.Integration{*x.s.Integration})
	found, err := x.r.store.load(ctx, x.s.runName(), &x.state)
	if err != nil {
		return err
	}
	now := x.r.o.now()
	if found && x.state.Config == hash && now-x.state.StartedAt < event.Time(resumable.Milliseconds()) {
		x.r.log.Info("going on with an interrupted comparison", zap.String("run", x.state.ID), zap.String("object", x.s.name()))
		return nil
	}
	x.state = progress{
		ID: event.Hash("run", x.s.name(), now.String())[:16], StartedAt: now, Config: hash,
		After: map[string]string{}, Read: map[string]bool{}, Records: map[string]int64{},
	}
	return x.r.store.save(ctx, x.s.runName(), x.state)
}

// whole is the run: describe, count, read both sides, settle what is gone,
// compare.
func (x *run) whole(ctx context.Context) (*Result, error) {
	var err error
	if err = x.patient(ctx, func() error { x.missing, err = x.s.learn(ctx, x.r.log); return err }); err != nil {
		return nil, err
	}
	for _, side := range []string{event.Source, event.Target} {
		for _, native := range x.s.Natives(side) {
			err := x.patient(ctx, func() error {
				n, err := x.s.sides[side].reader.Count(ctx, x.s.Query(side, native))
				x.counts[side] += n
				x.expect[side+"/"+native] = n
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("count %s: %w", native, err)
			}
		}
	}
	g, both := errgroup.WithContext(ctx)
	for _, side := range []string{event.Source, event.Target} {
		g.Go(func() error {
			for _, native := range x.s.Natives(side) {
				if err := x.patient(both, func() error { return x.read(both, side, native) }); err != nil {
					return fmt.Errorf("read %s: %w", native, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, side := range []string{event.Source, event.Target} {
		if err := x.gone(ctx, side); err != nil {
			return nil, fmt.Errorf("look for what is gone: %w", err)
		}
	}
	return x.compare(ctx)
}

// tries is how often what passes is tried again: a limit takes longer to pass,
// and our own budget comes back by itself.
func tries(kind crm.Kind) int {
	switch kind {
	case crm.KindBudget:
		return math.MaxInt
	case crm.KindLimit:
		return 30
	}
	return 5
}

// patient waits for what passes: a run may take longer than a day's budget.
func (x *run) patient(ctx context.Context, do func() error) error {
	for fails := 0; ; fails++ {
		err := do()
		if err == nil || !crm.Passes(err) || ctx.Err() != nil {
			return err
		}
		if fails >= tries(crm.KindOf(err)) {
			return err
		}
		wait := max(crm.AfterOf(err), retryFirst<<min(fails, 6))
		x.r.log.Warn("the comparison waits", zap.String("object", x.s.name()), zap.Error(err), zap.Duration("for", wait))
		x.say("waiting: "+err.Error(), 0, 0)
		if err := x.r.o.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// read stores every record of a native kind.
func (x *run) read(ctx context.Context, side, native string) error {
	key := side + "/" + native
	x.mu.Lock()
	done, after := x.state.Read[key], x.state.After[key]
	x.mu.Unlock()
	if done {
		return nil
	}
	q := x.s.Query(side, native)
	q.After, q.Expect = after, x.expect[key]
	at := x.r.o.now()
	err := x.s.sides[side].reader.All(ctx, q, func(p crm.Page) error {
		if p.At != 0 {
			at = min(at, p.At)
		}
		rows := make([]match.Row, len(p.Records))
		for i := range p.Records {
			rows[i] = x.s.Row(side, &p.Records[i], at)
		}
		if err := x.r.store.put(ctx, x.s.Mapping, rows); err != nil {
			return err
		}
		at = x.r.o.now()
		return x.advance(ctx, key, p)
	})
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state.Read[key] = true
	return x.r.store.save(ctx, x.s.runName(), x.state)
}

const saveEvery = 2 * time.Second

// advance notes where reading goes on: after rows are stored, never before.
func (x *run) advance(ctx context.Context, key string, p crm.Page) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if p.Next != "" {
		x.state.After[key] = p.Next
	}
	x.state.Records[key] += int64(len(p.Records))
	var done int64
	for _, n := range x.state.Records {
		done += n
	}
	x.say("reading both sides", done, x.counts[event.Source]+x.counts[event.Target])
	if now := time.Now(); now.Sub(x.saved) >= saveEvery {
		x.saved = now
		return x.r.store.save(ctx, x.s.runName(), x.state)
	}
	return nil
}

func (x *run) say(phase string, done, total int64) {
	if x.tell == nil {
		return
	}
	s := Step{Integration: x.s.Integration.ID, Object: x.s.Object.Name, Phase: phase, Done: done, Total: total}
	if spent := x.r.o.Clock.Now().Sub(x.began); done > 0 && total > done {
		s.Left = time.Duration(float64(spent) / float64(done) * float64(total-done))
	}
	x.tell(s)
}

// gone settles records that were known and did not come: deleted, or out of
// scope by now. Each is asked for by name before it is believed.
func (x *run) gone(ctx context.Context, side string) error {
	for {
		rows, err := x.r.store.rows(ctx, x.s.Mapping, side,
			"AND NOT deleted AND in_scope AND read_at < ? ORDER BY record_id LIMIT 1000", x.state.StartedAt.Std())
		if err != nil || len(rows) == 0 {
			return err
		}
		x.say("asking for records that did not come", 0, int64(len(rows)))
		at := x.r.o.now()
		var present []match.Row
		err = x.patient(ctx, func() error {
			present, err = x.s.Read(ctx, x.s.sides[side].reader, side, ids(rows), x.r.o.now)
			return err
		})
		if err != nil {
			return err
		}
		for i := range rows {
			if !slices.ContainsFunc(present, func(p match.Row) bool { return p.ID == rows[i].ID }) {
				rows[i].Deleted, rows[i].ReadAt = true, at
				present = append(present, rows[i])
			}
		}
		if err := x.r.store.put(ctx, x.s.Mapping, present); err != nil {
			return err
		}
	}
}
