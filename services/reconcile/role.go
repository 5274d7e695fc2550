package reconcile

import (
	"context"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"plumbline.dev/services/internal/crm"
)

// Role reads the CRMs for every integration that has two connections.
type Role struct {
	o        Options
	log      *zap.Logger
	store    store
	metrics  *metrics
	accounts map[string]*account
	subjects []*subject
	// process is new at every start: its calls are its own row, so that a
	// restart adds to the day instead of replacing it.
	process string
	running sync.Mutex // one comparison at a time: they share the budget
}

// New prepares the role; it calls nobody yet.
func New(o Options) (*Role, error) {
	o.fill()
	r := &Role{
		o: o, log: o.Logger, store: store{o.Warehouse}, metrics: newMetrics(o.Registerer), accounts: map[string]*account{},
		process: o.Instance + "-" + strconv.FormatInt(time.Now().UnixNano(), 36),
	}
	if err := r.connect(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// Close ends idle connections.
func (r *Role) Close() {
	for _, a := range r.accounts {
		a.close()
	}
}

// Idle reports whether there is nothing to read.
func (r *Role) Idle() bool { return len(r.subjects) == 0 }

// Prepare takes what earlier processes spent of the accounts' budgets.
func (r *Role) Prepare(ctx context.Context) error {
	for _, a := range r.accounts {
		spent, err := r.store.spent(ctx, a.conn.System, a.conn.Account, r.process, r.o.Clock.Now())
		if err != nil {
			return err
		}
		a.budget.Restore(spent)
	}
	return nil
}

// Run works until ctx ends. What fails in one place is logged, tried again,
// and does not stop the others.
func (r *Role) Run(ctx context.Context) error {
	defer r.Close()
	if r.Idle() {
		r.log.Info("nothing to read: no integration has a connection on both sides")
		<-ctx.Done()
		return nil
	}
	if err := r.untilDone(ctx, "read what earlier processes spent", r.Prepare); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.polls(ctx) })
	g.Go(func() error { return r.checks(ctx) })
	g.Go(func() error { return r.probes(ctx) })
	g.Go(func() error { return r.schemas(ctx) })
	g.Go(func() error { return r.schedule(ctx) })
	g.Go(func() error { return r.gaps(ctx) })
	g.Go(func() error { return r.flush(ctx) })
	return g.Wait()
}

const (
	retryFirst = time.Second
	retryMost  = 30 * time.Second // what differs may be over soon after an outage
)

// untilDone repeats what must succeed once, patiently. Its error is the end
// of ctx only.
func (r *Role) untilDone(ctx context.Context, what string, do func(context.Context) error) error {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		r.metrics.failures.WithLabelValues(string(crm.KindOf(err))).Inc()
		r.log.Warn("cannot "+what, zap.Error(err), zap.Duration("again_in", max(wait, crm.AfterOf(err))))
		if r.o.Clock.Sleep(ctx, max(wait, crm.AfterOf(err))) != nil {
			return ctx.Err()
		}
	}
}

// flushEvery is how much of the day's count a crash may lose.
const flushEvery = 10 * time.Second

// flush stores what the calls cost, and once more at the end.
func (r *Role) flush(ctx context.Context) error {
	for {
		ended := r.o.Clock.Sleep(ctx, flushEvery) != nil
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		if err := r.Spend(last); err != nil && !ended {
			r.log.Warn("cannot store what calls cost", zap.Error(err))
		}
		cancel()
		if ended {
			return nil
		}
	}
}

// Spend stores what this process's calls cost so far.
func (r *Role) Spend(ctx context.Context) error {
	for _, a := range r.accounts {
		spent := a.budget.Spent()
		for _, s := range spent {
			r.metrics.calls.WithLabelValues(a.conn.System, a.conn.Account, string(s.Lane)).Set(float64(s.Calls))
		}
		r.metrics.left.WithLabelValues(a.conn.System, a.conn.Account).Set(float64(a.budget.Left(crm.LanePoll)))
		if err := r.store.spend(ctx, a.conn.System, a.conn.Account, r.process, spent, r.o.Clock.Now()); err != nil {
			return err
		}
	}
	return nil
}
