package resolve

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// How a link was learned. What a worker wrote to moves the link; what only
// claims to be the same record makes two of them a duplicate.
const (
	fromAttempt    = "attempt"
	fromExternalID = "external_id"
	fromKey        = "key"
	fromShared     = "shared_key" // nobody has been asked yet
	fromMerge      = "merge"
	fromConversion = "conversion"
)

func (t route) link(sourceID, targetID, targetType, from string, at event.Time) *event.Link {
	return &event.Link{
		Tenant: t.integration.Tenant, Integration: t.integration.ID, Object: t.object.Name, SourceID: sourceID, TargetID: targetID,
		TargetType: targetType, LearnedFrom: from, LearnedAt: at,
	}
}

func (t route) sourceKey(id string) string {
	return event.NativeKey(t.integration.Source.System, t.integration.Source.Account, t.object.Source, id)
}

// link arrives under the target-side id, the source-side id, or a key.
func (f *fold) link(key string, l *Links, e *event.Link, out *stream.Out) {
	to, ok := f.routes.to(e.Integration, e.Object)
	switch {
	case !ok: // removed from the configuration since
	case e.Key != "":
		f.shared(l, to, e, out)
	case e.MovedTo != "": // the system told the survivor only
		out.Emit(topic.Facts, event.RecordKey(e.Integration, e.Object, e.SourceID), e)
		f.move(l, to, e, out)
	case key == to.sourceKey(e.SourceID):
		if f.atSource(l, to, e, e.LearnedFrom == fromConversion, out) && e.LearnedFrom == fromKey {
			f.tellTarget(to, e, out)
		}
	case e.LearnedFrom == fromShared:
		f.asked(l, to, e, out)
	default:
		f.atTarget(l, e, out)
	}
}

// asked is a target's record that goes by the same key as one of the source. If it
// is known to be another's copy, somebody wrote the wrong values into it. Else
// the source's record says whether it is its copy or one too many.
func (f *fold) asked(l *Links, to route, e *event.Link, out *stream.Out) {
	p := l.find(e.Integration, e.Object)
	if p != nil && !p.ByKey && !orphanID(p.ID) && p.ID != e.SourceID {
		return
	}
	e.LearnedFrom = fromKey
	f.tellSource(to, e, out)
}

// atTarget teaches the target's record which one of the source it is: what
// waited for that goes on, and what was taken for an orphan is none.
func (f *fold) atTarget(l *Links, e *event.Link, out *stream.Out) {
	if e.Gone {
		l.drop(e.Integration, e.Object, e.SourceID)
		return
	}
	before := l.peer(e.Integration, e.Object)
	news := l.learn(e.Integration, e.Object, e.SourceID)
	if p := l.find(e.Integration, e.Object); p.ID == e.SourceID {
		p.ByKey = e.LearnedFrom == fromKey && (news || p.ByKey)
	}
	if !news {
		return
	}
	l.Orphans = slices.DeleteFunc(l.Orphans, func(p Peer) bool {
		if p.Integration != e.Integration || p.Object != e.Object {
			return false
		}
		out.Emit(topic.Facts, event.RecordKey(p.Integration, p.Object, event.OrphanID(p.ID)), e)
		return true
	})
	if orphanID(before) {
		out.Emit(topic.Facts, event.RecordKey(e.Integration, e.Object, before), e)
	}
	f.release(l, e, out)
}

// atSource teaches the source's record its copy, and notices a second one that
// claims to be it, unless the record moved. It reports whether the target has to
// be told.
func (f *fold) atSource(l *Links, to route, e *event.Link, moves bool, out *stream.Out) bool {
	if e.Gone {
		l.drop(e.Integration, e.Object, e.TargetID)
		return false
	}
	p := l.find(e.Integration, e.Object)
	switch {
	case p == nil:
		news := l.learn(e.Integration, e.Object, e.TargetID)
		l.find(e.Integration, e.Object).ByKey = e.LearnedFrom == fromKey
		return news
	case p.ID == e.TargetID:
		p.ByKey = p.ByKey && e.LearnedFrom == fromKey
		return false
	case moves:
		p.ByKey = false
		return l.learn(e.Integration, e.Object, e.TargetID)
	case p.ByKey && (e.LearnedFrom == fromAttempt || e.LearnedFrom == fromExternalID) && to.byID():
		f.outranked(p, to, e, out)
		return true
	}
	rival := *e
	rival.TargetID, rival.Rival = p.ID, e.TargetID
	out.Emit(topic.Facts, event.RecordKey(e.Integration, e.Object, e.SourceID), &rival)
	return true
}

// outranked lets go of what only had the same key, where systems know each
// other's ids: the copy is what the sync made, and somebody typed in the other.
func (f *fold) outranked(p *Peer, to route, e *event.Link, out *stream.Out) {
	gone := *e
	gone.TargetID, gone.TargetType, gone.Gone = p.ID, "", true
	f.tellTarget(to, &gone, out)
	p.ID, p.Type, p.ByKey = e.TargetID, "", false
}

// tellTarget sends the link to where the target's own events arrive. The target
// may hold the record as one of several objects (Lead, Contact): where nobody
// says which, each learns it.
func (f *fold) tellTarget(to route, e *event.Link, out *stream.Out) {
	for _, name := range to.object.Target {
		if e.TargetType == "" || e.TargetType == name {
			told := *e
			told.TargetType = name
			end := to.integration.Target
			out.Emit(topic.Intake, event.NativeKey(end.System, end.Account, name, e.TargetID), &told)
		}
	}
}

func (f *fold) tellSource(to route, e *event.Link, out *stream.Out) {
	told := *e
	out.Emit(topic.Intake, to.sourceKey(e.SourceID), &told)
}

// merged moves the links of source records that ceased to exist: each is told
// under its own id, and passes them on to the survivor.
func (f *fold) merged(l *Links, to route, c *event.Change, out *stream.Out) {
	if c.MergedInto == "" {
		return
	}
	for _, id := range c.MergedIDs {
		if id != c.MergedInto && id != c.RecordID {
			e := to.link(id, "", "", fromMerge, c.ChangedAt)
			e.MovedTo = c.MergedInto
			f.tellSource(to, e, out)
		}
	}
	if c.RecordID != c.MergedInto {
		e := to.link(c.RecordID, "", "", fromMerge, c.ChangedAt)
		e.MovedTo = c.MergedInto
		f.move(l, to, e, out)
	}
}

func (f *fold) move(l *Links, to route, e *event.Link, out *stream.Out) {
	id := l.peer(e.Integration, e.Object)
	f.retract(l, native{route: route{to.integration, to.object, event.Source}, id: e.SourceID, at: e.LearnedAt}, out)
	if id == "" {
		return
	}
	l.drop(e.Integration, e.Object, id)
	moved := to.link(e.MovedTo, id, "", fromMerge, e.LearnedAt)
	f.tellTarget(to, moved, out)
	f.tellSource(to, moved, out)
}

// converted moves the link of a target record that became another: a lead that
// is a contact now, a duplicate that was merged away.
func (f *fold) converted(l *Links, to route, c *event.Change, out *stream.Out) {
	sourceID := l.peer(to.integration.ID, to.object.Name)
	if c.MergedInto == "" || c.MergedInto == c.RecordID || orphanID(sourceID) {
		return
	}
	moved := to.link(sourceID, c.MergedInto, "", fromConversion, c.ChangedAt)
	f.tellTarget(to, moved, out)
	f.tellSource(to, moved, out)
}

// retire lets go what a deleted record was known by. The other side is told,
// so that a new copy is not taken for a second one.
func (f *fold) retire(l *Links, n native, deleted bool, out *stream.Out) {
	if !deleted {
		return
	}
	f.retract(l, n, out)
	id := l.peer(n.integration.ID, n.object.Name)
	if n.side == event.Target && id != "" && !orphanID(id) {
		gone := n.link(id, n.id, n.kind, "", n.at)
		gone.Gone = true
		f.tellSource(n.route, gone, out)
	}
}
