package reconcile

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/pace"
)

const (
	pollEvery = time.Minute
	// firstLook is how far the first poll ever reaches back.
	firstLook = 15 * time.Minute
	authPause = 5 * time.Minute
)

// use is an object of an integration that a poll serves.
type use struct {
	*subject
	side string
}

// poll reads one native kind of record of one account, for everybody who
// maps it.
type poll struct {
	r      *Role
	a      *account
	native string
	uses   []use
	every  time.Duration
	late   lateness
	log    *zap.Logger
}

// position is where a poll stands: everything modified before Through was read.
type position struct {
	Through event.Time    `json:"through"`
	Late    time.Duration `json:"late"`
}

func (p *poll) name() string { return "poll/" + p.a.conn.ID + "/" + p.native }

// polls runs every poll in a loop of its own.
func (r *Role) polls(ctx context.Context) error {
	all := r.planPolls()
	if err := r.untilDone(ctx, "read what polling may cost", func(ctx context.Context) error { return r.price(ctx, all) }); err != nil {
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range all {
		g.Go(func() error { return p.run(ctx) })
	}
	return g.Wait()
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
func (p *poll) run(ctx context.Context) error {
	err := p.r.untilDone(ctx, "start polling "+p.native, func(ctx context.Context) error {
		for _, u := range p.uses {
			if _, err := u.learn(crm.In(ctx, crm.LaneProbe), p.log); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	for ctx.Err() == nil {
		began := p.r.o.Clock.Now()
		err := p.once(ctx)
		wait := max(p.every-p.r.o.Clock.Now().Sub(began), 0)
		if err != nil && ctx.Err() == nil {
			p.r.metrics.failures.WithLabelValues(string(crm.KindOf(err))).Inc()
			if wait = max(wait, crm.AfterOf(err)); !crm.Passes(err) {
				wait = max(wait, authPause)
			}
			p.log.Warn("poll failed", zap.Error(err), zap.Duration("again_in", wait))
		}
		if p.r.o.Clock.Sleep(ctx, wait) != nil {
			return nil
		}
	}
	return nil
}

// once reads what was modified since the last poll, reaching back by what is
// known to show late.
func (p *poll) once(ctx context.Context) error {
	ctx, done := pace.Hold(crm.In(ctx, crm.LanePoll), p.r.o.Clock)
	defer done()
	began := p.r.o.now()
	var pos position
	if _, err := p.r.store.load(ctx, p.name(), &pos); err != nil {
		return err
	}
	p.late.late = max(p.late.late, pos.Late)
	since := pos.Through - event.Time(p.late.overlap().Milliseconds())
	if pos.Through == 0 {
		since = began - event.Time(firstLook.Milliseconds())
	}
	q := p.query()
	q.Since = since
	at := began // an answer is at least as new as its question
	err := p.a.reader.Modified(ctx, q, func(records []crm.Record) error {
		asked := at
		at = p.r.o.now()
		records = slices.DeleteFunc(records, func(x crm.Record) bool { return p.late.seen[x.ID] >= x.Since() && x.Since() > 0 })
		if err := p.take(ctx, records, asked, since); err != nil {
			return err
		}
		for i := range records { // only what was taken is seen
			p.late.news(records[i].ID, records[i].Since())
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.late.ended(began)
	p.r.metrics.late.WithLabelValues(p.a.conn.System, p.native).Set(p.late.late.Seconds())
	return p.r.store.save(ctx, p.name(), position{Through: began, Late: p.late.late})
}

// query asks for the fields of every use. Scopes are marked a use, so the
// first one's is asked for and others have to have the same.
func (p *poll) query() crm.Query {
	q := crm.Query{Object: p.native}
	for _, u := range p.uses {
		own := u.Query(u.side, p.native)
		q.Scope = own.Scope
		q.Fields = append(q.Fields, own.Fields...)
	}
	slices.Sort(q.Fields)
	q.Fields = slices.Compact(q.Fields)
	return q
}

func (p *poll) take(ctx context.Context, records []crm.Record, at, since event.Time) error {
	if len(records) == 0 {
		return nil
	}
	p.r.metrics.polled.WithLabelValues(p.a.conn.System, p.native).Add(float64(len(records)))
	for _, u := range p.uses {
		rows := make([]match.Row, len(records))
		for i := range records {
			rows[i] = u.Row(u.side, &records[i], at)
		}
		if err := p.deliver(ctx, u, rows, since); err != nil {
			return err
		}
	}
	return nil
}
