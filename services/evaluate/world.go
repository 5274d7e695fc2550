package evaluate

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
)

// World is a truth, ready to be asked.
type World struct {
	Start, End int64
	Deadline   int64 // of the integrations, milliseconds
	Changes    []*Change
	Gaps       []*Gap
	Attempts   []*truth.Line // write attempts and refreshes, reported or not
	Incidents  []*Incident
	Faults     []*Span
	Sets       []*Set

	runs    map[string]bool
	changes map[string]*Change   // by integration and change id
	records map[string][]*Change // by integration, object and source id, in the order of time

	gaps       map[string][]*Gap // by record; made when asked for
	deliveries map[string]*Change
}

// Change is one change of the source and what became of it.
type Change struct {
	truth.Line
	Lost bool // nobody told of it

	state     string
	since     int64 // when the state came about
	delivered int64 // 0: not
	claimed   int64 // when the sync first said that it is, 0: never
}

// Gap is one difference, from when to when.
type Gap struct {
	truth.Line
	Ended int64 // 0: open at the end
}

// Incident is one, from the first record hurt to the last one right again.
type Incident struct {
	truth.Line
	Ended int64
	Onset int64 // the first affected change
	Known int64 // when it can be known (kpis.md 3): the first failure that is told, or a deadline that passed
}

// Set is an object that is to be compared, itself and field by field. Listed is
// when somebody was first shown all of it, by system.
type Set struct {
	truth.Line
	Listed map[string]int64
}

// Span is a fault while it lasted.
type Span struct {
	truth.Line
	Ended int64
}

const maxLine = 1 << 20

// Read reads a truth. Deadline is that of the integrations in it.
func Read(r io.Reader, deadline int64) (*World, error) {
	w := &World{
		Deadline: deadline, runs: map[string]bool{}, changes: map[string]*Change{}, records: map[string][]*Change{},
	}
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxLine)
	b := builder{World: w, gaps: map[string]*Gap{}, incidents: map[string]*Incident{}, faults: map[string]*Span{}}
	for n := 1; s.Scan(); n++ {
		line := bytes.TrimSpace(s.Bytes())
		if len(line) == 0 {
			continue
		}
		var l truth.Line
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("truth, line %d: %w", n, err)
		}
		b.add(l)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read truth: %w", err)
	}
	if len(w.runs) == 0 {
		return nil, errors.New("the file holds no truth: it does not begin with a run")
	}
	w.settle()
	return w, nil
}

type builder struct {
	*World
	gaps      map[string]*Gap
	incidents map[string]*Incident
	faults    map[string]*Span
}

func (b *builder) add(l truth.Line) {
	at := int64(l.At)
	b.End = max(b.End, at)
	switch l.Kind {
	case truth.Run:
		b.runs[l.ID], b.Start = true, at
	case truth.Change:
		b.change(l)
	case truth.Attempt:
		b.Attempts = append(b.Attempts, &l)
		b.attempted(&l)
	case truth.Write:
		b.landed(&l)
	case truth.Divergence:
		g := &Gap{Line: l}
		b.gaps[l.Sync+l.ID], b.Gaps = g, append(b.Gaps, g)
	case truth.Resolved:
		if g := b.gaps[l.Sync+l.ID]; g != nil {
			g.Ended = at
		}
	case truth.Incident:
		i := &Incident{Line: l}
		b.incidents[l.ID], b.Incidents = i, append(b.Incidents, i)
	case truth.IncidentOK:
		if i := b.incidents[l.ID]; i != nil {
			i.Ended, i.Records = at, l.Records
		}
	case truth.Fault:
		f := &Span{Line: l}
		b.faults[l.ID], b.Faults = f, append(b.Faults, f)
	case truth.FaultEnd:
		if f := b.faults[l.ID]; f != nil {
			f.Ended = at
		}
	case truth.Set:
		b.Sets = append(b.Sets, &Set{l, map[string]int64{}})
	case truth.Listed:
		b.listed(&l)
	case truth.Lost:
		for _, id := range l.Changes {
			if c := b.changes[l.Sync+id]; c != nil {
				c.Lost = true
			}
		}
	}
}

func (b *builder) listed(l *truth.Line) {
	for _, s := range b.Sets {
		if s.Sync == l.Sync && s.Object == l.Object && s.Listed[l.System] == 0 {
			s.Listed[l.System] = int64(l.At)
		}
	}
}

// change keeps what the source's users changed in mapped fields.
func (b *builder) change(l truth.Line) {
	if l.System != source || !l.Mapped || l.SourceID == "" {
		return
	}
	c := &Change{Line: l, state: StateWaiting, since: int64(l.At)}
	key := l.Sync + "/" + l.Object + "/" + l.SourceID
	if l.Operation == event.OpMerge { // no change of this record's, but its end
		b.records[key] = append(b.records[key], c)
		return
	}
	b.changes[l.Sync+l.ID] = c
	b.Changes, b.records[key] = append(b.Changes, c), append(b.records[key], c)
}

// source of every scenario's integrations.
const source = "hubspot"

func (b *builder) attempted(l *truth.Line) {
	for _, id := range l.Changes {
		c := b.changes[l.Sync+id]
		switch {
		case c == nil || c.delivered != 0:
		case !l.Reported: // nobody said anything
			c.state, c.since = StateWaiting, int64(l.At)
		case l.Told() == event.OutcomeOK:
			c.claimed = cmp.Or(c.claimed, int64(l.At))
			c.state, c.since = StateSilent, int64(l.At) // until a write proves the opposite
		default:
			c.state, c.since = StateFailed, int64(l.At)
		}
	}
}

// landed is the proof that an attempt was carried out, as it was meant or not.
func (b *builder) landed(l *truth.Line) {
	for _, id := range l.Changes {
		c := b.changes[l.Sync+id]
		if c == nil || l.Cause != "" { // what a fault had a hand in, settle looks at
			continue
		}
		c.state, c.since, c.delivered = StateDelivered, int64(l.At), int64(l.At)
	}
}
