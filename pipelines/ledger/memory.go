package ledger

//msgp:ignore lastWrite

import "plumbline.dev/schemas/event"

// A system says of a record when it was last written and by whom, but seldom
// of which field. Its own events do: they list what was written. So of the
// fields that matter the ledger remembers what they held and since when, and a
// later write of another field is not taken for one of theirs.

const (
	maxKnown = 64 // remembered fields of one record
	// toldWithin is how far an event's word for a write may be from the record's.
	toldWithin = event.Second
)

// Known is what a system was last known to hold in a field.
type Known struct {
	Target string       `msg:"t"`
	Source bool         `msg:"s,omitempty"`
	Sum    uint64       `msg:"v"`
	At     event.Time   `msg:"a"`           // it was true then
	Moved  event.Time   `msg:"m,omitempty"` // it was written then, 0 = not known
	Still  bool         `msg:"l,omitempty"` // it was not, since the record is followed
	Guess  bool         `msg:"g,omitempty"` // Moved is the record's: its own event has not come yet
	Writer *event.Actor `msg:"w,omitempty"` // who wrote it, where that is known
}

// lastWrite is who wrote a field last, and when.
type lastWrite struct {
	at event.Time // 0 = not known
	by event.Actor
	// still: not since the record is followed. When the record was written
	// last, and by whom, says nothing about the field.
	still bool
	// guess: the record's word, of the field nobody has told.
	guess bool
}

// sumOf is FNV-1a of kind and text.
func sumOf(v event.Value) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for i := range len(v.Kind) {
		h = (h ^ uint64(v.Kind[i])) * prime
	}
	h *= prime // a zero between the two
	for i := range len(v.Text) {
		h = (h ^ uint64(v.Text[i])) * prime
	}
	return h
}

// Memory is what is remembered of a record's fields.
type Memory struct {
	Fields []Known       `msg:"f,omitempty"`
	Told   [2]event.Time `msg:"t,omitempty"` // by side: the newest write that its own event told of
}

func (m *Memory) of(source bool, name string) *Known {
	for i := range m.Fields {
		if k := &m.Fields[i]; k.Source == source && k.Target == name {
			return k
		}
	}
	return nil
}

// toldSource takes down that the source told of a write. What it holds stands
// in the delivery that opens; where the target's changes come back, beside it.
func (f *folding) toldSource(c *event.Change) {
	if f.m.integration.Bidirectional {
		f.r.Memory.learn(echoed(f.m, c), f.matters)
		return
	}
	f.r.Memory.Told[sideOf(true)] = max(f.r.Memory.Told[sideOf(true)], c.ChangedAt)
}

// told reports whether the newest event of a system is that of the write at
// that time: then it is known of which fields that write was.
func (m *Memory) told(source bool, at event.Time) bool {
	apart := at - m.Told[sideOf(source)]
	return at != 0 && max(apart, -apart) <= toldWithin
}

func sideOf(source bool) int {
	if source {
		return 1
	}
	return 0
}

// learn takes down what evidence shows of the fields that matter.
func (m *Memory) learn(e *Evidence, matters func(name string) bool) {
	if e.Missing {
		return
	}
	if e.Event {
		m.tell(e)
	}
	writer := actorOf(e) // shared: nobody writes into it
	for i := range e.Fields {
		name, sum := e.Fields[i].Name, sumOf(e.Fields[i].Value)
		k := m.of(e.Source, name)
		switch {
		case k == nil && len(m.Fields) < maxKnown && (e.Event || matters(name)):
			if m.Fields == nil {
				m.Fields = make([]Known, 0, min(len(e.Fields), maxKnown))
			}
			m.Fields = append(m.Fields, m.first(e, name, sum, writer))
		case k == nil || e.At < k.At:
		case k.Sum == sum && !e.Event:
			k.At = e.At
			if k.Writer == nil && k.Moved == e.Modified {
				k.Writer = writer
			}
		default:
			k.Sum, k.At, k.Moved, k.Writer, k.Still, k.Guess = sum, e.At, e.Modified, writer, false, false
		}
	}
}

// tell takes a system's own event of a write: fields it does not list, seen
// before it came, were not written then.
func (m *Memory) tell(e *Evidence) {
	m.Told[sideOf(e.Source)] = max(m.Told[sideOf(e.Source)], e.Modified)
	for i := range m.Fields {
		k := &m.Fields[i]
		if apart := k.Moved - e.Modified; k.Guess && k.Source == e.Source && max(apart, -apart) <= toldWithin {
			if _, listed := event.Find(e.Fields, k.Target); !listed {
				k.Moved, k.Writer, k.Still, k.Guess = 0, nil, true, false
			}
		}
	}
}

// first is the first sight of a field. What its own events do not tell of was
// not written since the record is followed.
func (m *Memory) first(e *Evidence, name string, sum uint64, writer *event.Actor) Known {
	k := Known{Target: name, Source: e.Source, Sum: sum, At: e.At, Moved: e.Modified, Writer: writer}
	switch {
	case e.Event:
	case m.told(e.Source, e.Modified):
		k.Moved, k.Writer, k.Still = 0, nil, true
	default:
		k.Guess = true
	}
	return k
}

func actorOf(e *Evidence) *event.Actor {
	if e.Writer == (event.Actor{}) {
		return nil
	}
	a := e.Writer
	return &a
}

// wrote is who wrote the value that evidence shows in a field, and when.
func (m *Memory) wrote(e *Evidence, name string, v event.Value) lastWrite {
	record := lastWrite{at: e.Modified, by: e.Writer, guess: !e.Event}
	if e.Event {
		return record
	}
	k := m.of(e.Source, name)
	switch {
	case k == nil && m.told(e.Source, e.Modified):
		return lastWrite{still: true}
	case k == nil || k.Sum != sumOf(v):
		return record
	case k.Still:
		return lastWrite{still: true}
	case e.Modified != 0 && e.Modified < k.Moved:
		return record
	}
	w := lastWrite{at: k.Moved, guess: k.Guess}
	if k.Writer != nil {
		w.by = *k.Writer
	}
	return w
}

// elsewhere reports whether a system's own events say of a write that it was
// not of this field.
func (m *Memory) elsewhere(source bool, name string, at event.Time) bool {
	k := m.of(source, name)
	return at != 0 && at <= m.Told[sideOf(source)]+toldWithin && (k == nil || k.Moved+toldWithin < at)
}
