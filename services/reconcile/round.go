package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
)

const pollEvery = time.Minute

// round is the polls of one account that one call answers: as many objects as
// the system can be asked for together.
type round struct {
	r     *Role
	a     *account
	polls []*poll
	every time.Duration
}

// polls runs every round in a loop of its own.
func (r *Role) polls(ctx context.Context) error {
	all := r.planRounds()
	if err := r.untilDone(ctx, "read what polling may cost", func(ctx context.Context) error { return r.price(ctx, all) }); err != nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, x := range all {
		g.Go(func() error { return x.run(ctx) })
	}
	return g.Wait()
}

func (r *Role) planRounds() []*round {
	var out []*round
	byAccount := map[*account][]*poll{}
	var accounts []*account
	for _, p := range r.planPolls() {
		if byAccount[p.a] == nil {
			accounts = append(accounts, p.a)
		}
		byAccount[p.a] = append(byAccount[p.a], p)
	}
	for _, a := range accounts {
		for together := range slices.Chunk(byAccount[a], a.reader.Together()) {
			out = append(out, &round{r, a, together, together[0].every})
		}
	}
	return out
}

func (r *Role) planPolls() []*poll {
	byName := map[string]*poll{}
	var all []*poll
	for _, s := range r.subjects {
		for _, side := range []string{event.Source, event.Target} {
			a := s.sides[side]
			if !a.polls() {
				continue
			}
			for _, native := range s.Natives(side) {
				key := a.conn.ID + "/" + native
				p := byName[key]
				if p == nil {
					p = &poll{r: r, a: a, native: native, every: time.Duration(a.conn.PollEvery)}
					p.log = r.log.With(zap.String("connection", a.conn.ID), zap.String("object", native))
					if p.every == 0 {
						p.every = pollEvery
					}
					byName[key], all = p, append(all, p)
				}
				p.uses = append(p.uses, use{s, side})
			}
		}
	}
	return all
}

// run polls until ctx ends.
func (x *round) run(ctx context.Context) error {
	if x.r.untilDone(ctx, "start polling", x.learn) != nil {
		return nil
	}
	for ctx.Err() == nil {
		_ = x.once(ctx) // told, and tried again
		if x.r.o.Clock.Sleep(ctx, max(x.next().Sub(x.r.o.Clock.Now()), 0)) != nil {
			return nil
		}
	}
	return nil
}

// learn reads what fields there are. What only somebody can mend waits as it
// does later.
func (x *round) learn(ctx context.Context) error {
	for _, p := range x.polls {
		if err := p.learn(ctx); crm.Passes(err) {
			return err
		} else if err != nil {
			x.failed(ctx, p, err)
		}
	}
	return nil
}

// next is when the first of the polls looks again.
func (x *round) next() time.Time {
	next := x.polls[0].next
	for _, p := range x.polls {
		if p.next.Before(next) {
			next = p.next
		}
	}
	return next
}

// once asks for whatever is not to be left alone, and has each poll take its
// own. What fails for one does not stop the others.
func (x *round) once(ctx context.Context) error {
	ctx, done := pace.Hold(crm.In(ctx, crm.LanePoll), x.r.o.Clock)
	defer done()
	now := x.r.o.Clock.Now()
	var due []*poll
	var queries []crm.Query
	var all []error
	for _, p := range x.polls {
		if p.next.Sub(now) > x.every/10 { // what is due in a moment is asked in the same call
			continue
		}
		p.next = now.Add(x.every)
		q, err := p.begin(ctx, event.At(now))
		if err != nil {
			x.failed(ctx, p, err)
			all = append(all, err)
			continue
		}
		due, queries = append(due, p), append(queries, q)
	}
	if len(due) == 0 {
		return errors.Join(all...)
	}
	errs := x.a.reader.Modified(ctx, queries, func(i int, records []crm.Record) error { return due[i].page(ctx, records) })
	for i, p := range due {
		if errs[i] == nil {
			errs[i] = p.end(ctx)
		}
		if errs[i] != nil {
			x.failed(ctx, p, errs[i])
		}
	}
	return errors.Join(append(all, errs...)...)
}

// failed has a poll wait: for as long as its error asks for; where the account
// answers nobody, not long, since what differs is often over soon after that;
// and for the others of its round where only somebody can mend it.
func (x *round) failed(ctx context.Context, p *poll, err error) {
	if ctx.Err() != nil {
		return
	}
	x.r.metrics.failures.WithLabelValues(string(crm.KindOf(err))).Inc()
	wait := max(crm.AfterOf(err), x.every)
	if crm.Passes(err) || crm.KindOf(err) == crm.KindAuth { // the latter may be an outage too
		wait = max(crm.AfterOf(err), min(retryMost, x.every))
	}
	p.next = x.r.o.Clock.Now().Add(wait)
	p.log.Warn("poll failed", zap.Error(err), zap.Duration("again_in", wait))
}
