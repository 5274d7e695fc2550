package resolve

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// fold keeps the links of one native record.
type fold struct {
	o      Options
	routes *routes
}

// Step implements stream.Fold.
func (f *fold) Step(ctx stream.Ctx, key string, l *Links, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Link:
		f.link(key, l, e, out)
	case *event.Attempt:
		f.attempt(l, e, out)
	case *event.Change:
		f.change(ctx, l, e, out)
	case *event.Observation:
		f.observation(ctx, l, e, out)
	}
}

// attempt arrives under its source-side id, or under its target-side id when
// that is all its sender knows.
func (f *fold) attempt(l *Links, a *event.Attempt, out *stream.Out) {
	if a.SourceID == "" {
		sourceID := l.peer(a.Integration, a.Object)
		if sourceID == "" {
			out.Emit(topic.Facts, a.Integration+"/unlinked", a)
			return
		}
		a.SourceID = sourceID
	} else if to, ok := f.routes.to(a.Integration, a.Object); ok && a.TargetID != "" {
		link := to.link(a.SourceID, a.TargetID, "", fromAttempt, a.OccurredAt)
		if f.atSource(l, to, link, a.Operation != event.OpCreate, out) { // a second copy is made by creating
			f.tellTarget(to, link, out)
		}
	}
	linkAttempt(a, a.SourceID)
	out.Emit(topic.Facts, event.RecordKey(a.Integration, a.Object, a.RecordKey), a)
}

func (f *fold) change(ctx stream.Ctx, l *Links, c *event.Change, out *stream.Out) {
	f.routes.each(c.System, c.Account, c.Object, c.Integration, func(to route) {
		n := native{to, c.RecordID, c.Object, c.Fields, c.ExternalID, c.ChangedAt}
		if to.side == event.Source {
			f.ofSource(l, n, out)
			f.merged(l, to, c, out)
			f.retire(l, n, c.Operation == event.OpDelete, out)
			return
		}
		f.ofTarget(l, n, out)
		fact := *c
		to.stampChange(&fact, l.peer(to.integration.ID, to.object.Name))
		if fact.RecordKey != "" {
			emitChange(&fact, out)
			f.converted(l, to, c, out)
			f.retire(l, n, c.Operation == event.OpDelete, out)
			return
		}
		f.wait(l, Waiting{
			Integration: fact.Integration, Object: fact.Object, Until: f.until(ctx, c.ReceivedAt), Change: &fact,
		}, out)
	})
}

func (f *fold) observation(ctx stream.Ctx, l *Links, b *event.Observation, out *stream.Out) {
	f.routes.each(b.System, b.Account, b.Object, b.Integration, func(to route) {
		n := native{to, b.RecordID, b.Object, b.Fields, b.ExternalID, b.ObservedAt}
		if to.side == event.Source {
			f.ofSource(l, n, out)
			return
		}
		if b.Missing && b.ExternalID != "" { // it only says where it belongs
			l.learn(to.integration.ID, to.object.Name, b.ExternalID)
		} else {
			f.ofTarget(l, n, out)
		}
		fact := *b
		to.stampObservation(&fact, l.peer(to.integration.ID, to.object.Name))
		if fact.RecordKey != "" {
			emitObservation(&fact, out)
			return
		}
		f.wait(l, Waiting{
			Integration: fact.Integration, Object: fact.Object, Until: f.until(ctx, b.ReceivedAt), Observation: &fact,
		}, out)
	})
}

func (f *fold) until(ctx stream.Ctx, received event.Time) event.Time {
	return max(ctx.Now, received) + event.Time(f.o.WaitFor)
}

// wait holds an echo back, bounded: over the limit the oldest goes on as an
// orphan candidate.
func (f *fold) wait(l *Links, w Waiting, out *stream.Out) {
	if len(l.Waiting) >= f.o.WaitLimit {
		orphan(l, &l.Waiting[0], out)
		l.Waiting = append(l.Waiting[:0], l.Waiting[1:]...)
	}
	l.Waiting = append(l.Waiting, w)
}

// release lets the echoes go that waited for this link.
func (f *fold) release(l *Links, link *event.Link, out *stream.Out) {
	for _, w := range l.take(func(w *Waiting) bool { return w.Integration == link.Integration && w.Object == link.Object }) {
		if w.Change != nil {
			w.Change.RecordKey = link.SourceID
			emitChange(w.Change, out)
		}
		if w.Observation != nil {
			w.Observation.RecordKey = link.SourceID
			emitObservation(w.Observation, out)
		}
	}
}

// Timer implements stream.Fold: echoes nobody claimed become orphan candidates.
func (f *fold) Timer(ctx stream.Ctx, _ string, l *Links, out *stream.Out) {
	for _, w := range l.take(func(w *Waiting) bool { return w.Until <= ctx.Now }) {
		orphan(l, &w, out)
	}
}

// orphan sends an unlinked echo on under its own id: a record the source does
// not seem to have. Where it went is remembered: it may turn out otherwise.
func orphan(l *Links, w *Waiting, out *stream.Out) {
	id := ""
	if w.Change != nil {
		id = w.Change.RecordID
		out.Emit(topic.Facts, event.RecordKey(w.Integration, w.Object, event.OrphanID(id)), w.Change)
	}
	if w.Observation != nil {
		id = w.Observation.RecordID
		out.Emit(topic.Facts, event.RecordKey(w.Integration, w.Object, event.OrphanID(id)), w.Observation)
	}
	if gone := (Peer{Integration: w.Integration, Object: w.Object, ID: id}); !slices.Contains(l.Orphans, gone) {
		l.Orphans = append(l.Orphans, gone)
	}
}

func emitChange(c *event.Change, out *stream.Out) {
	out.Emit(topic.Facts, event.RecordKey(c.Integration, c.Object, c.RecordKey), c)
}

func emitObservation(b *event.Observation, out *stream.Out) {
	out.Emit(topic.Facts, event.RecordKey(b.Integration, b.Object, b.RecordKey), b)
}
