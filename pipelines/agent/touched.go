package agent

import (
	"github.com/cespare/xxhash/v2"
	"plumbline.dev/schemas/event"
)

const (
	// keepTouched is how long it is known who wrote a field last.
	keepTouched = 30 * event.Day
	// againWithin is what makes a second write of one actor a repeat.
	againWithin = event.Hour
	maxFields   = 24 // of one record
	maxActors   = 6  // of one record
)

// Touched is who wrote a record's fields last, in either system.
type Touched struct {
	Fields []Touch `msg:"f,omitempty"`
	Actors []Visit `msg:"a,omitempty"`
	Until  Time    `msg:"u"`
}

// Time is event.Time; msgp writes it as the number it is.
type Time = event.Time

// Touch is the last write of a field, by fingerprints.
//
//msgp:tuple Touch
type Touch struct {
	Field uint32 // of side and name
	Value uint64 // the value it holds
	Prev  uint64 // the one before
	Actor uint64
	Human bool
}

// Visit is an actor's last write to the record.
//
//msgp:tuple Visit
type Visit struct {
	Actor uint64
	Wrote Time // by the system's clock
	Seen  Time // stream time
}

// Due implements stream.KeyState.
func (t *Touched) Due() event.Time { return t.Until }

// Empty implements stream.KeyState.
func (t *Touched) Empty() bool { return len(t.Fields) == 0 && len(t.Actors) == 0 }

// visit notes a write and returns the one before of the same actor.
func (t *Touched) visit(v Visit) (Visit, bool) {
	for i := range t.Actors {
		if t.Actors[i].Actor == v.Actor {
			before := t.Actors[i]
			t.Actors[i] = v
			return before, true
		}
	}
	if len(t.Actors) == maxActors {
		t.Actors = append(t.Actors[:0], t.Actors[1:]...)
	}
	if t.Actors == nil {
		t.Actors = make([]Visit, 0, 2) // mostly whoever wrote, and the sync
	}
	t.Actors = append(t.Actors, v)
	return Visit{}, false
}

// write notes a field's new value and returns the touch before.
func (t *Touched) write(w Touch) (Touch, bool) {
	for i := range t.Fields {
		if t.Fields[i].Field == w.Field {
			before := t.Fields[i]
			if w.Prev = before.Value; w.Value == before.Value {
				w.Prev = before.Prev
			}
			t.Fields[i] = w
			return before, true
		}
	}
	if len(t.Fields) == maxFields {
		t.Fields = append(t.Fields[:0], t.Fields[1:]...)
	}
	t.Fields = append(t.Fields, w)
	return Touch{}, false
}

func fieldMark(side, name string) uint32 { return uint32(xxhash.Sum64String(side + "/" + name)) }

func actorMark(a event.Actor) uint64 { return xxhash.Sum64String(a.Kind + "/" + a.ID) }

// valueMark tells values apart. Two systems' forms of one value differ, but a
// field is only held against its own history.
func valueMark(v event.Value) uint64 {
	if v.Blank() {
		return 0
	}
	return xxhash.Sum64String(v.Text)
}
