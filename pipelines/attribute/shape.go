package attribute

import (
	"fmt"
	"hash/fnv"
	"math/bits"

	"plumbline.dev/schemas/event"
)

// What a change of ours looks like that nobody announced: calls that worked
// are refused alike, all at once, whatever the record and the object. A single
// object may as well be a field that somebody made mandatory.
const (
	brokenBefore  = 20  // successes before
	brokenN       = 10  // failures
	brokenShare   = 0.8 // of all calls since, that fail; likewise of the failures, that are alike
	brokenRecords = 8   // records among them
	brokenObjects = 2   // objects among them
	brokenSpan    = 30 * event.Second
)

// dataErrors are about what is sent, not about who sends it or whether anybody
// answers.
func dataErrors(class string) bool {
	return class == event.ClassSchema || class == event.ClassDuplicate || class == event.ClassOther
}

// add counts failures into the shape. The fingerprint that is ahead in the end
// had the majority (Boyer and Moore), and its lead tells by how much at least.
func (h *Shape) add(f *event.FailureCount) {
	if f.Status >= 400 && f.Status < 500 && f.Status != 408 && f.Status != 429 {
		h.Refused += f.N
	}
	switch {
	case f.Fingerprint == h.Print:
		h.Lead += f.N
	case h.Lead >= f.N:
		h.Lead -= f.N
	default:
		h.Print, h.Lead = f.Fingerprint, f.N-h.Lead
	}
	for _, key := range f.Records {
		sum := fnv.New32a()
		sum.Write([]byte(key))
		h.Records |= 1 << (sum.Sum32() % 64)
	}
}

// records is how many records there are at least.
func (h *Shape) records() int { return bits.OnesCount64(h.Records) }

// looksBroken reports whether a spell of data errors has the shape.
func looksBroken(l *Line, s *Spell) bool {
	h := &s.Shape
	if s.Class != event.ClassSchema && s.Class != event.ClassOther {
		return false
	}
	n := float64(s.N)
	return s.N >= brokenN && s.Last-s.Start >= brokenSpan && h.Before >= brokenBefore && h.LastOK+recent >= s.Start &&
		n >= brokenShare*float64(s.N+s.OK) && float64(h.Refused) >= brokenShare*n && float64(s.N+h.Lead)/2 >= brokenShare*n &&
		h.records() >= brokenRecords && objects(l, s) >= brokenObjects
}

// objects counts those with failures since the spell began.
func objects(l *Line, s *Spell) int {
	seen := map[string]bool{}
	for i := range l.Places {
		if l.Places[i].Bad >= s.Start {
			seen[l.Places[i].Object] = true
		}
	}
	return len(seen)
}

// broken speaks for a change of ours, where a witness tells that the vendor is
// well: others there whose calls pass, or our own credential.
func (a *Attribute) broken(l *Line, s *Spell, v *breadth) (clue, bool) {
	if !looksBroken(l, s) {
		return clue{}, false
	}
	others := v.n > 0 && v.alike+v.otherwise == 0
	if n := a.note(event.SignalProbe, l, l.Provider); !others && (n == nil || n.Result != event.ProbeOK || n.At < s.Start) || v.alike > 0 {
		return clue{}, false
	}
	words := fmt.Sprintf("calls that worked are refused alike since one moment, over %d records or more of %d objects",
		s.Shape.records(), objects(l, s))
	return clue{-0.5, -0.8, 2, words, false, false}, true
}
