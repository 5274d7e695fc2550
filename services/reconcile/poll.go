package reconcile

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
)

// firstLook is how far the first poll ever reaches back.
const firstLook = 15 * time.Minute

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

	learned bool
	next    time.Time // when to look again
	looking look      // while it lasts
}

// look is one reading of what was modified since the one before.
type look struct {
	began, since event.Time
	at           event.Time // of the page that comes: an answer is at least as new as its question
}

// position is where a poll stands: everything modified before Through was read.
type position struct {
	Through event.Time    `json:"through"`
	Late    time.Duration `json:"late"`
}

func (p *poll) name() string { return "poll/" + p.a.conn.ID + "/" + p.native }

// begin says what to ask for: what was modified since the last look, reaching
// back by what is known to show late.
func (p *poll) begin(ctx context.Context, now event.Time) (crm.Query, error) {
	if err := p.learn(ctx); err != nil {
		return crm.Query{}, err
	}
	var pos position
	if _, err := p.r.store.load(ctx, p.name(), &pos); err != nil {
		return crm.Query{}, err
	}
	p.late.late = max(p.late.late, pos.Late)
	since := pos.Through - event.Time(p.late.overlap().Milliseconds())
	if pos.Through == 0 {
		since = now - event.Time(firstLook.Milliseconds())
	}
	p.looking = look{began: now, since: since, at: now}
	q := p.query()
	q.Since = since
	return q, nil
}

// learn reads what fields there are, once.
func (p *poll) learn(ctx context.Context) error {
	if p.learned {
		return nil
	}
	for _, u := range p.uses {
		if _, err := u.learn(crm.In(ctx, crm.LaneProbe), p.log); err != nil {
			return err
		}
	}
	p.learned = true
	return nil
}

// page takes what came, as far as it was not seen yet.
func (p *poll) page(ctx context.Context, records []crm.Record) error {
	asked := p.looking.at
	p.looking.at = p.r.o.now()
	records = slices.DeleteFunc(records, func(x crm.Record) bool { return p.late.seen[x.ID] >= x.Since() && x.Since() > 0 })
	if err := p.take(ctx, records, asked, p.looking.since); err != nil {
		return err
	}
	for i := range records { // only what was taken is seen
		p.late.news(records[i].ID, records[i].Since())
	}
	return nil
}

// end notes how far the look came.
func (p *poll) end(ctx context.Context) error {
	began := p.looking.began
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
