package resolve

import (
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// native is a record as its own system showed it, within one integration.
type native struct {
	route
	id       string
	kind     string // the system's name of the object
	fields   []event.Field
	external string // the other system's id, where the record carries it
	at       event.Time
}

// maxSharers bounds how many records may go by one key: a shared mailbox is
// nobody's key.
const maxSharers = 64

// byID reports whether a record of one side may carry the id of the other's.
func (t route) byID() bool {
	return slices.ContainsFunc(t.object.Key, config.Key.ByID)
}

// ofSource learns from a record of the source: the target's id that it carries,
// and the keys it goes by. The first key that is set wins.
func (f *fold) ofSource(l *Links, n native, out *stream.Out) {
	id := n.external
	for i := len(n.object.Key) - 1; i >= 0; i-- {
		k := &n.object.Key[i]
		v, ok := event.Find(n.fields, k.Source)
		switch {
		case !ok:
		case config.IsID(k.Target):
			if !v.Blank() && v.Kind != event.KindHash && v.Kind != event.KindSeal {
				id = strings.TrimSpace(v.Text)
			}
		default:
			f.goesBy(l, n, i, k, v, out)
		}
	}
	if id != "" {
		e := n.link(n.id, id, "", fromExternalID, n.at)
		if f.atSource(l, n.route, e, false, out) {
			f.tellTarget(n.route, e, out)
		}
	}
}

// ofTarget does the same for a record of the target.
func (f *fold) ofTarget(l *Links, n native, out *stream.Out) {
	id := n.external
	for i := len(n.object.Key) - 1; i >= 0; i-- {
		k := &n.object.Key[i]
		v, ok := event.Find(n.fields, k.Target)
		switch {
		case !ok || config.IsID(k.Target):
		case config.IsID(k.Source):
			if !v.Blank() && v.Kind != event.KindHash && v.Kind != event.KindSeal {
				id = strings.TrimSpace(v.Text)
			}
		default:
			f.goesBy(l, n, i, k, v, out)
		}
	}
	if id == "" {
		return
	}
	e := n.link(id, n.id, n.kind, fromExternalID, n.at)
	news := l.peer(n.integration.ID, n.object.Name) != id
	f.atTarget(l, e, out)
	if news && !orphanID(id) {
		f.tellSource(n.route, e, out)
	}
}

// goesBy notes the value of a key field, and takes the record away from the
// value it had before.
func (f *fold) goesBy(l *Links, n native, index int, k *config.Key, v event.Value, out *stream.Out) {
	hash := ""
	if normal := value.Normalize(k.Normalize, v); normal != "" && v.Kind != event.KindSeal {
		hash = event.Hash("key", normal)
	}
	before := l.held(n.integration.ID, n.object.Name, index, hash)
	if before == hash {
		return
	}
	if before != "" {
		f.meet(n, index, before, true, out)
	}
	if hash != "" {
		f.meet(n, index, hash, false, out)
	}
}

// meet writes to where all that share a key's value are known.
func (f *fold) meet(n native, index int, hash string, gone bool, out *stream.Out) {
	e := n.link(n.id, "", "", fromKey, n.at)
	if n.side == event.Target {
		e.SourceID, e.TargetID, e.TargetType = "", n.id, n.kind
	}
	e.Key, e.Gone = hash, gone
	out.Emit(topic.Intake, "key/"+n.integration.ID+"/"+n.object.Name+"/"+string(rune('0'+index))+"/"+hash, e)
}

// retract takes a record away from all its keys.
func (f *fold) retract(l *Links, n native, out *stream.Out) {
	for i := range n.object.Key {
		if before := l.held(n.integration.ID, n.object.Name, i, ""); before != "" {
			f.meet(n, i, before, true, out)
		}
	}
}

// shared adds a record to those that go by one value of a key. One on either
// side are the same record; of several none is paired at random: the first is
// the copy, unless another is known to be, and the others are duplicates.
func (f *fold) shared(l *Links, to route, e *event.Link, out *stream.Out) {
	n := Sharer{e.SourceID, e.TargetID, e.TargetType}
	for i, s := range l.Sharers {
		if s.SourceID == n.SourceID && s.TargetID == n.TargetID {
			if e.Gone {
				l.Sharers = append(l.Sharers[:i], l.Sharers[i+1:]...)
			}
			return
		}
	}
	if e.Gone || len(l.Sharers) >= maxSharers {
		return
	}
	l.Sharers = append(l.Sharers, n)
	var sources, targets []Sharer
	for _, s := range l.Sharers {
		if s.SourceID != "" {
			sources = append(sources, s)
		} else {
			targets = append(targets, s)
		}
	}
	if len(sources) != 1 {
		return
	}
	for _, s := range targets { // each knows whether it is another's copy
		f.tellTarget(to, to.link(sources[0].SourceID, s.TargetID, s.Type, fromShared, e.LearnedAt), out)
	}
}
