package resolve

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// Links is what one native record knows: its peers in the other system, the
// echoes that wait to learn one, and the keys it goes by. Under a key's hash it
// is what goes by that key.
type Links struct {
	Peers   []Peer    `msg:"p,omitempty"`
	Waiting []Waiting `msg:"w,omitempty"`
	Keys    []Held    `msg:"k,omitempty"`
	Orphans []Peer    `msg:"r,omitempty"` // where an echo of it went that nobody had claimed
	Sharers []Sharer  `msg:"s,omitempty"`
}

// Peer is the record's counterpart within one integration.
type Peer struct {
	Integration string `msg:"i"`
	Object      string `msg:"o"`
	ID          string `msg:"id"`
	Type        string `msg:"t,omitempty"` // native object of a target id
	ByKey       bool   `msg:"k,omitempty"` // paired by a key alone: nobody wrote to it, no id says so
}

// Waiting is an echo whose record is not linked yet.
type Waiting struct {
	Integration string             `msg:"i"`
	Object      string             `msg:"o"`
	Until       event.Time         `msg:"u"`
	Change      *event.Change      `msg:"c,omitempty"`
	Observation *event.Observation `msg:"b,omitempty"`
}

// Held is the hash of the value that the record has in a key field.
type Held struct {
	Integration string `msg:"i"`
	Object      string `msg:"o"`
	Index       int    `msg:"n"` // of the configuration's list of keys
	Hash        string `msg:"h"`
}

// Sharer is a record that goes by a key.
type Sharer struct {
	SourceID string `msg:"s,omitempty"`
	TargetID string `msg:"t,omitempty"`
	Type     string `msg:"y,omitempty"`
}

// Due implements stream.KeyState: when the first echo stops waiting.
func (l *Links) Due() event.Time {
	var due event.Time
	for i := range l.Waiting {
		if due == 0 || l.Waiting[i].Until < due {
			due = l.Waiting[i].Until
		}
	}
	return due
}

// Empty implements stream.KeyState.
func (l *Links) Empty() bool {
	return len(l.Peers) == 0 && len(l.Waiting) == 0 && len(l.Keys) == 0 && len(l.Orphans) == 0 && len(l.Sharers) == 0
}

func (l *Links) find(integration, object string) *Peer {
	for i := range l.Peers {
		if p := &l.Peers[i]; p.Integration == integration && p.Object == object {
			return p
		}
	}
	return nil
}

func (l *Links) peer(integration, object string) string {
	if p := l.find(integration, object); p != nil {
		return p.ID
	}
	return ""
}

// orphanID reports whether an id stands for a source record that is not there.
func orphanID(id string) bool { return strings.HasPrefix(id, event.OrphanID("")) }

// learn keeps the newest peer and reports whether it is news. That nobody is
// known to be the peer never replaces one.
func (l *Links) learn(integration, object, id string) bool {
	p := l.find(integration, object)
	switch {
	case p == nil:
		l.Peers = append(l.Peers, Peer{Integration: integration, Object: object, ID: id})
		return true
	case p.ID == id || orphanID(id) && !orphanID(p.ID):
		return false
	}
	p.ID, p.Type = id, ""
	return true
}

// drop forgets a peer.
func (l *Links) drop(integration, object, id string) {
	l.Peers = slices.DeleteFunc(l.Peers, func(p Peer) bool {
		return p.Integration == integration && p.Object == object && p.ID == id
	})
}

// take removes and returns the echoes that stop waiting.
func (l *Links) take(stop func(*Waiting) bool) []Waiting {
	var taken []Waiting
	l.Waiting = slices.DeleteFunc(l.Waiting, func(w Waiting) bool {
		if stop(&w) {
			taken = append(taken, w)
			return true
		}
		return false
	})
	return taken
}

// held notes the hash of a key field and returns the one before.
func (l *Links) held(integration, object string, index int, hash string) (before string) {
	for i := range l.Keys {
		k := &l.Keys[i]
		if k.Integration == integration && k.Object == object && k.Index == index {
			if before, k.Hash = k.Hash, hash; hash == "" {
				l.Keys = slices.Delete(l.Keys, i, i+1)
			}
			return before
		}
	}
	if hash != "" {
		l.Keys = append(l.Keys, Held{integration, object, index, hash})
	}
	return ""
}
