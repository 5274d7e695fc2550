package stream

import (
	"cmp"
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
	return &Task{op: op, next: first, prev: first, seen: map[upstream]topic.Cause{}}
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
	ctx := Ctx{Now: t.now, Version: uint64(r.Offset)}
	tick, ok := r.Event.(*event.Tick)
	if !ok {
		t.op.Step(ctx, r.Key, r.Event, out)
		return
	}
	if tick.At > t.now {
		t.now, ctx.Now = tick.At, tick.At
		t.op.Tick(ctx, out)
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

// Save emits the state that changed since the last Save, then the position.
func (t *Task) Save(emit Emit) error {
	if err := t.op.Save(emit); err != nil {
		return err
	}
	p := Position{Next: t.next, Prev: t.prev, Now: t.now}
	for u, c := range t.seen {
		p.Seen = append(p.Seen, Seen{Topic: u.topic, Partition: u.partition, Offset: c.Offset, N: c.N})
	}
	slices.SortFunc(p.Seen, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	b, err := p.MarshalMsg(nil)
	if err != nil {
		return err
	}
	t.prev = t.next
	return emit(PositionKey, b)
}

// Rewrite emits up to n entries of the walk that lets the old changelog go.
// Call it before Save, in the same transaction.
func (t *Task) Rewrite(n int, emit Emit) (bool, error) { return t.op.Rewrite(n, emit) }

func (t *Task) moveTo(p Position) {
	t.next, t.prev, t.now = p.Next, p.Next, p.Now
	clear(t.seen)
	for _, s := range p.Seen {
		t.seen[upstream{s.Topic, s.Partition}] = s.cause()
	}
}
