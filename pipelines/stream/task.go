package stream

import (
	"cmp"
	"fmt"
	"slices"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Task folds one input partition with one operator and remembers how far.
type Task struct {
	op   Operator
	now  event.Time
	next int64 // first input offset not yet folded
	prev int64 // next at the last Save
	seen map[upstream]topic.Cause

	walking bool // a rewrite walk is under way
	logged  int  // bytes of state in the log, from where it can be trimmed to
	walked  int  // of these, those since the walk under way began
	base    int  // of these, what was left after the last walk
	blocks  blocks

	// LogFloor is how many bytes the log may hold before the first walk. Tests
	// lower it.
	LogFloor int

	// AcceptRepeats switches the cause check off. Only a mutation check does:
	// the kill suite must go red without it.
	AcceptRepeats bool
	Dropped       int64 // inputs dropped because their cause was seen
}

type upstream struct {
	topic     string
	partition int32
}

// NewTask binds a fresh operator to a partition that starts at offset first.
func NewTask(op Operator, first int64) *Task {
	return &Task{op: op, next: first, prev: first, seen: map[upstream]topic.Cause{}, LogFloor: logFloor}
}

// Next is the first input offset not yet folded.
func (t *Task) Next() int64 { return t.next }

// Prev is the position of the last Save.
func (t *Task) Prev() int64 { return t.prev }

// Now is the task's stream time.
func (t *Task) Now() event.Time { return t.now }

// Process folds one record into state and outputs. A record whose cause was
// seen is dropped: its producer folded the same input twice.
func (t *Task) Process(r *Record, out *Out) {
	out.Begin(r)
	t.next = r.Offset + 1
	if !t.fresh(r.Cause) {
		t.Dropped++
		return
	}
	if r.Event == nil { // a type this version does not know
		return
	}
	ctx := Ctx{Now: t.now, Version: uint64(r.Offset), Partition: r.Partition}
	switch ev := r.Event.(type) {
	case *event.DeadLetter: // its driver could not read the record
		out.Emit(topic.DeadLetters, ev.Origin, ev)
	case *event.Tick:
		if ev.At > t.now {
			t.now, ctx.Now = ev.At, ev.At
			t.op.Tick(ctx, out)
		}
	default:
		t.step(ctx, r, out)
	}
}

// step folds an event. One that no operator can take is put aside with the
// reason, in the same transaction: it must not stop its partition for good. What
// it changed before it failed stays, the same however often it is folded.
func (t *Task) step(ctx Ctx, r *Record, out *Out) {
	defer func() {
		if reason := recover(); reason != nil {
			out.Begin(r)
			out.Emit(topic.DeadLetters, r.Topic, poison(r, reason))
		}
	}()
	t.op.Step(ctx, r.Key, r.Event, out)
}

func poison(r *Record, reason any) *event.DeadLetter {
	origin := fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)
	b, err := event.Encode(nil, r.Event)
	if err != nil {
		b = nil
	}
	return &event.DeadLetter{
		ID: event.Hash("dead_letter", origin), Origin: r.Topic, Reason: fmt.Sprintf("a %s that could not be folded: %v", r.Event.EventType(), reason),
		Code: "poison", ReceivedAt: r.Time, Bytes: b, Batch: origin,
	}
}

func (t *Task) fresh(c topic.Cause) bool {
	if c.Topic == "" {
		return true
	}
	u := upstream{c.Topic, c.Partition}
	last, ok := t.seen[u]
	if ok && !c.After(last) {
		return t.AcceptRepeats
	}
	t.seen[u] = c
	return true
}

// Walk says what Save did of the rolling rewrite.
type Walk struct {
	Started bool // this Save began a walk over all entries
	Done    bool // with this Save every entry has been written since the walk began
}

const (
	// walkAt is how many times what the last walk left the log may hold before
	// the next begins. Most keys come, change a few times and go, and what was
	// written of them goes with them: it need not be written again.
	walkAt   = 3
	logFloor = 1 << 20
	// recordCost is what a transaction takes in a log and in its broker's memory
	// beside its bytes: batch headers, a marker, their index.
	recordCost = 256
)

// Save emits the state that changed since the last Save, then the position;
// several entries in one record. Where the log has grown out of proportion,
// it emits beside them as many entries of a rolling walk over all state. Once
// a walk is done and one more Save is committed, the changelog before the
// walk's first Save is superfluous: restoring never goes back further than one
// transaction.
func (t *Task) Save(emit Emit) (Walk, error) {
	t.blocks = blocks{emit: emit, buf: t.blocks.buf[:0]}
	if err := t.op.Save(t.blocks.add); err != nil {
		return Walk{}, err
	}
	w, err := t.walk()
	if err != nil {
		return w, err
	}
	if err := t.blocks.flush(); err != nil {
		return w, err
	}
	p := t.position()
	p.Entries = t.blocks.records
	b, err := p.MarshalMsg(nil)
	if err != nil {
		return w, err
	}
	t.prev = t.next
	if t.walking {
		t.walked += len(b) + recordCost
	}
	t.logged += len(b) + recordCost // ticks alone write positions, and they too must be let go
	return w, emit(PositionKey, b)
}

// walk goes on with the rewrite, at the pace of change.
func (t *Task) walk() (Walk, error) {
	var w Walk
	n, before := t.blocks.entries, t.blocks.bytes
	t.logged += before
	if !t.walking {
		if t.logged <= max(walkAt*t.base, t.LogFloor) {
			return w, nil
		}
		w.Started, t.walking, t.walked = true, true, 0
	}
	done, err := t.op.Rewrite(max(n, 1), t.blocks.add)
	if err != nil {
		return w, err
	}
	t.logged += t.blocks.bytes - before
	t.walked += t.blocks.bytes
	if done {
		w.Done, t.walking, t.logged, t.base = true, false, t.walked, t.walked
	}
	return w, nil
}

func (t *Task) position() *Position {
	p := &Position{Next: t.next, Prev: t.prev, Now: t.now}
	for u, c := range t.seen {
		p.Seen = append(p.Seen, Seen{Topic: u.topic, Partition: u.partition, Offset: c.Offset, N: c.N})
	}
	slices.SortFunc(p.Seen, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return p
}

func (t *Task) moveTo(p Position) {
	t.next, t.prev, t.now = p.Next, p.Next, p.Now
	clear(t.seen)
	for _, s := range p.Seen {
		t.seen[upstream{s.Topic, s.Partition}] = s.cause()
	}
}
