package reconcile

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
)

const (
	checksGroup = "plumbline.reconcile.checks"
	checksWait  = 2 * time.Second // what comes within is asked in one go
	checksMost  = 2000
)

// checks answers what the ledger asks, batch after batch, for as long as ctx
// lasts.
func (r *Role) checks(ctx context.Context) error {
	for ctx.Err() == nil {
		err := r.checksMember(ctx)
		if ctx.Err() != nil {
			return nil
		}
		r.log.Warn("reading checks again", zap.Error(err))
		if r.o.Clock.Sleep(ctx, retryFirst) != nil {
			return nil
		}
	}
	return nil
}

func (r *Role) checksMember(ctx context.Context) error {
	g, err := bus.NewGroup(bus.GroupOptions{Options: r.o.Bus, Group: checksGroup, Topic: topic.Checks})
	if err != nil {
		return err
	}
	defer g.Close()
	for ctx.Err() == nil {
		batch, positions, err := r.gather(ctx, g)
		if err != nil {
			return err
		}
		if len(positions) == 0 {
			continue
		}
		if err := r.untilDone(ctx, "answer checks", func(ctx context.Context) error { return r.Answer(ctx, batch) }); err != nil {
			return err
		}
		if err := g.Commit(ctx, positions); err != nil {
			return err
		}
	}
	return nil
}

// gather waits for a check and then polls for a moment more, so that one call
// answers many.
func (r *Role) gather(ctx context.Context, g *bus.Group) ([]*event.Check, map[int32]bus.Position, error) {
	got := gathered{positions: map[int32]bus.Position{}}
	first, stop := context.WithTimeout(ctx, checksWait)
	defer stop()
	if err := got.poll(first, g, 1); err != nil || len(got.batch) == 0 {
		return got.batch, got.positions, err
	}
	more, end := context.WithTimeout(ctx, r.o.Clock.Wall(checksWait))
	defer end()
	err := got.poll(more, g, checksMost)
	return got.batch, got.positions, err
}

// gathered is what was polled and where that ends.
type gathered struct {
	batch     []*event.Check
	positions map[int32]bus.Position
}

// poll goes on until it has that many checks, or ctx ends.
func (b *gathered) poll(ctx context.Context, g *bus.Group, most int) error {
	for ctx.Err() == nil && len(b.batch) < most {
		polled, err := g.Poll(ctx, checksMost)
		if err != nil {
			return err
		}
		for _, c := range polled.Changes { // another member has them now
			if !c.Owned {
				delete(b.positions, c.Partition)
			}
		}
		for i := range polled.Records {
			rec := &polled.Records[i]
			b.positions[rec.Partition] = bus.Position{Offset: rec.Offset + 1}
			if c, ok := rec.Event.(*event.Check); ok {
				b.batch = append(b.batch, c)
			}
		}
	}
	return nil
}

// Answer reads what the checks ask for and tells it to intake.
func (r *Role) Answer(ctx context.Context, batch []*event.Check) error {
	ctx, done := pace.Hold(crm.In(ctx, crm.LaneCheck), r.o.Clock)
	defer done()
	for _, s := range r.subjects {
		var mine []*event.Check
		for _, c := range batch {
			if c.Integration == s.Integration.ID && c.Object == s.Object.Name {
				mine = append(mine, c)
			}
		}
		if len(mine) == 0 {
			continue
		}
		mine = newest(mine)
		chosen := r.sample(s, mine)
		r.note(s, len(mine), len(chosen))
		err := r.answer(ctx, s, chosen)
		if crm.KindOf(err) == crm.KindBudget {
			r.log.Warn("checks stay unanswered: the budget is used up", zap.String("object", s.name()), zap.Int("checks", len(chosen)), zap.Error(err))
			continue // nobody waits for them until tomorrow
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newest leaves one check a record and side: a later one asks for the same.
func newest(checks []*event.Check) []*event.Check {
	by := map[string]*event.Check{}
	for _, c := range checks {
		k := c.Side + "\x1f" + c.RecordKey
		if was := by[k]; was == nil || was.Version <= c.Version {
			by[k] = c
		}
	}
	out := make([]*event.Check, 0, len(by))
	for _, c := range by {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *event.Check) int { return strings.Compare(event.Hash(a.ID), event.Hash(b.ID)) })
	return out
}

// sample takes as many as the budget bears. The order is that of hashes, so
// that any first part is a uniform sample.
func (r *Role) sample(s *subject, checks []*event.Check) []*event.Check {
	n := len(checks)
	for _, a := range s.sides {
		left := a.budget.Left(crm.LaneCheck) / 2 // half of what is left: the next ones are as good
		for n > 0 && a.reader.Cost(crm.ByID, int64(n)) > left {
			n = int(int64(n) * left / max(a.reader.Cost(crm.ByID, int64(n)), 1))
		}
	}
	return checks[:n]
}

func (r *Role) note(s *subject, asked, answered int) {
	r.metrics.asked.Add(float64(asked))
	r.metrics.answered.Add(float64(answered))
	s.sides[event.Target].budget.Note(asked, answered)
	if answered < asked {
		r.log.Warn("the budget is short: a uniform sample of the checks is answered", zap.String("object", s.name()),
			zap.Int("asked", asked), zap.Int("answered", answered), zap.Float64("share", float64(answered)/float64(asked)))
	}
}
