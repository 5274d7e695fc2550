package resolve

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// Links is what one native record knows: its peers in the other system, and
// the echoes that wait to learn one.
type Links struct {
	Peers   []Peer    `msg:"p,omitempty"`
	Waiting []Waiting `msg:"w,omitempty"`
}

// Peer is the record's counterpart within one integration.
type Peer struct {
	Integration string `msg:"i"`
	Object      string `msg:"o"`
	ID          string `msg:"id"`
}

// Waiting is an echo whose record is not linked yet.
type Waiting struct {
	Integration string             `msg:"i"`
	Object      string             `msg:"o"`
	Until       event.Time         `msg:"u"`
	Change      *event.Change      `msg:"c,omitempty"`
	Observation *event.Observation `msg:"b,omitempty"`
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
func (l *Links) Empty() bool { return len(l.Peers) == 0 && len(l.Waiting) == 0 }

func (l *Links) peer(integration, object string) string {
	for i := range l.Peers {
		if l.Peers[i].Integration == integration && l.Peers[i].Object == object {
			return l.Peers[i].ID
		}
	}
	return ""
}

// learn keeps the newest peer and reports whether it is news.
func (l *Links) learn(integration, object, id string) bool {
	for i := range l.Peers {
		p := &l.Peers[i]
		if p.Integration == integration && p.Object == object {
			news := p.ID != id
			p.ID = id
			return news
		}
	}
	l.Peers = append(l.Peers, Peer{integration, object, id})
	return true
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
