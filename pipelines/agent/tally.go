package agent

import (
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// maxRecords bounds one partition's memory of who wrote what. Beyond it new
// records are counted, and nothing is known of them.
const maxRecords = 200_000

// Tally is the operator on facts.
type Tally struct {
	touched *stream.Keyed[Touched, *Touched]
	seconds seconds
	limit   int
	walked  bool // the rewrite walk has passed the open second
}

// NewTally makes the operator of one partition of facts.
func NewTally() *Tally {
	t := &Tally{limit: maxRecords, seconds: newSeconds()}
	t.touched = stream.NewKeyed[Touched](tallyFold{t})
	return t
}

// Step implements stream.Operator.
func (t *Tally) Step(ctx stream.Ctx, key string, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Change:
		if e.RecordKey != "" {
			t.touched.Step(ctx, key, ev, out)
		}
	case *event.Attempt:
		t.attempt(ctx, e)
	}
}

// Tick implements stream.Operator: the second that has passed is told.
func (t *Tally) Tick(ctx stream.Ctx, out *stream.Out) {
	t.seconds.flush(ctx, out)
	t.touched.Tick(ctx, out)
}

// Save implements stream.State.
func (t *Tally) Save(emit stream.Emit) error {
	if err := t.seconds.save(emit); err != nil {
		return err
	}
	return t.touched.Save(prefixed(touchedPrefix, emit))
}

// Rewrite implements stream.State. The open second is small and rewritten
// whole, once a walk: whatever the walk's start lets go is there again.
func (t *Tally) Rewrite(n int, emit stream.Emit) (bool, error) {
	if !t.walked {
		if err := t.seconds.write(t.seconds.keys(), emit); err != nil {
			return false, err
		}
		t.walked = true
	}
	done, err := t.touched.Rewrite(n, prefixed(touchedPrefix, emit))
	t.walked = !done
	return done, err
}

// Load implements stream.State.
func (t *Tally) Load(key string, value []byte) error {
	if rest, ok := strings.CutPrefix(key, touchedPrefix); ok {
		return t.touched.Load(rest, value)
	}
	return t.seconds.load(key, value)
}

// attempt counts a reported try. Who reports no actor and no credential gives
// nothing to judge.
func (t *Tally) attempt(ctx stream.Ctx, a *event.Attempt) {
	if a.Actor.Kind == "" && a.Token == "" || a.Granularity == event.GranularityRun {
		return
	}
	act := t.seconds.of(a.Tenant, a.Integration, a.System, a.Object, a.Actor, a.Token)
	act.Version = ctx.Version
	if !event.IsWrite(a.Operation) {
		act.Reads++
		return
	}
	act.Attempts++
	if a.Failed() {
		act.Failed++
	}
	span(act, a.OccurredAt)
}

// tallyFold counts the changes of one record.
type tallyFold struct{ t *Tally }

// Step implements stream.Fold.
func (f tallyFold) Step(ctx stream.Ctx, key string, s *Touched, ev event.Event, _ *stream.Out) {
	c := ev.(*event.Change)
	known := !s.Empty() || f.t.touched.Len() <= f.t.limit
	act := f.t.watched(c)
	if act != nil {
		act.Version = ctx.Version
		count(act, c)
		span(act, c.ChangedAt)
	}
	if !known {
		if act != nil {
			act.Records++
		}
		return
	}
	s.Until = ctx.Now + keepTouched
	if ctx.Now == 0 {
		s.Until = c.ReceivedAt + keepTouched
	}
	me := actorMark(c.Actor)
	visit(ctx, key, s, c, me, act)
	if s.Fields == nil {
		s.Fields = make([]Touch, 0, min(len(c.Fields), maxFields))
	}
	for i := range c.Fields {
		written(s, c, me, &c.Fields[i], act)
	}
}

// Timer implements stream.Fold.
func (f tallyFold) Timer(_ stream.Ctx, _ string, s *Touched, _ *stream.Out) { *s = Touched{} }

// watched is where a machine's change counts; nil for a person's.
func (t *Tally) watched(c *event.Change) *event.Activity {
	if c.Token == "" && (c.Actor.Kind == "" || c.Actor.Kind == event.ActorUser) {
		return nil
	}
	return t.seconds.of(c.Tenant, c.Integration, c.System, c.Object, c.Actor, c.Token)
}

func count(act *event.Activity, c *event.Change) {
	act.Writes++
	switch c.Operation {
	case event.OpCreate:
		act.Creates++
	case event.OpDelete:
		act.Deletes++
	}
}

func visit(ctx stream.Ctx, key string, s *Touched, c *event.Change, me uint64, act *event.Activity) {
	before, again := s.visit(Visit{Actor: me, Wrote: c.ChangedAt, Seen: ctx.Now})
	if act == nil {
		return
	}
	// Events of one second are one save, told property by property.
	if again && before.Wrote/event.Second != c.ChangedAt/event.Second && c.ChangedAt-before.Wrote < againWithin {
		act.Again++
	}
	if !again || before.Seen != ctx.Now {
		act.Records++
		if len(act.Sample) < event.MaxSample {
			act.Sample = append(act.Sample, key)
		}
	}
}

// written holds a field's new value against what stood there.
func written(s *Touched, c *event.Change, me uint64, field *event.Field, act *event.Activity) {
	now := valueMark(field.Value)
	before, known := s.write(Touch{
		Field: fieldMark(c.Side, field.Name), Value: now, Actor: me, Human: c.Actor.Kind == event.ActorUser,
	})
	if act == nil {
		return
	}
	act.FieldWrites++
	fw := fieldOf(act, field.Name)
	fw.N++
	vote(fw, now, field.Value)
	if !known || before.Value == now || before.Value == 0 {
		return
	}
	if before.Prev == now {
		act.Reverts++
	}
	if before.Actor == me {
		return
	}
	act.Replaced++
	if before.Human {
		act.Human++
		fw.Human++
	}
}

func span(act *event.Activity, at event.Time) {
	if act.First == 0 || at < act.First {
		act.First = at
	}
	act.Last = max(act.Last, at)
}
