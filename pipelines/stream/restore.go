package stream

import (
	"errors"
	"fmt"
)

// ErrUnreconciled says that a changelog and the committed input offset cannot
// belong together. Nothing may run on them: the remedy is to rebuild the
// state by folding the input from its start.
var ErrUnreconciled = errors.New("state and committed offset do not belong together")

// Restore rebuilds a task from its changelog, transaction by transaction.
//
// A broker may tear the last transaction when it dies inside its commit: some
// of the partitions it wrote show it, others do not, and nobody can tell from
// here. So the last transaction is never trusted: Finish goes back to the
// position before it and the input is folded again. Folding is deterministic
// and every output names its cause, so consumers drop what they have already
// seen and get what the tear lost.
type Restore struct {
	task    *Task
	held    []entry // state of the newest transaction, not applied yet
	open    []entry // entries after the newest position
	heldPos Position
	count   int // positions read
	applied int // transactions folded in

	// TrustLast keeps the newest transaction, whatever the committed offset
	// says. Only a mutation check does.
	TrustLast bool
}

type entry struct {
	key   string
	value []byte
}

// NewRestore restores into a task made by NewTask for the input's first offset.
func NewRestore(t *Task) *Restore { return &Restore{task: t} }

// Add takes the next changelog record. Key and value are kept.
func (r *Restore) Add(key string, value []byte) error {
	if key != PositionKey {
		r.open = append(r.open, entry{key, value})
		return nil
	}
	var p Position
	if _, err := p.UnmarshalMsg(value); err != nil {
		return fmt.Errorf("%w: position unreadable: %w", ErrUnreconciled, err)
	}
	strays := len(r.open) - p.Entries
	switch {
	case strays < 0:
		return fmt.Errorf("%w: %d of %d state entries are missing before input offset %d",
			ErrUnreconciled, -strays, p.Entries, p.Next)
	case r.count == 0:
	case p.Prev == r.heldPos.Next:
		if err := r.apply(); err != nil {
			return err
		}
	case p.Prev == r.heldPos.Prev: // folded again after a restart: the earlier try never counted
	default:
		return fmt.Errorf("%w: a transaction is missing between input offsets %d and %d",
			ErrUnreconciled, r.heldPos.Next, p.Prev)
	}
	r.held, r.open, r.heldPos = r.open[strays:], nil, p
	r.count++
	return nil
}

// apply folds the held transaction in: a newer one stands behind it.
func (r *Restore) apply() error {
	load := func(key string, value []byte) error {
		r.task.logged += len(key) + len(value)
		return r.task.op.Load(key, value)
	}
	for _, e := range r.held {
		read := load
		if e.key == BlockKey {
			read = func(_ string, value []byte) error { return readBlock(value, load) }
		}
		if err := read(e.key, e.value); err != nil {
			return fmt.Errorf("%w: state of %q unreadable: %w", ErrUnreconciled, e.key, err)
		}
	}
	r.task.logged += recordCost
	r.task.moveTo(r.heldPos)
	r.applied++
	return nil
}

// Finish takes the committed input offset (-1: none) and the position that
// its commit started from, and leaves the task where folding has to go on.
func (r *Restore) Finish(committed, committedPrev int64) error {
	if r.TrustLast && r.count > 0 {
		return r.apply()
	}
	var last *Position
	if r.count > 0 {
		last = &r.heldPos
	}
	next, err := Resume(last, r.applied == 0, r.task.next, committed, committedPrev)
	switch {
	case err != nil || last == nil:
		return err
	case next == last.Next:
		return r.apply() // a later step shows its offset only: the state here is whole
	}
	r.task.rewind(next)
	return nil
}

// Resume tells where folding goes on from a changelog's newest position alone,
// before its state is restored. Only says that no position before it differs;
// first is where the input starts. Transactions that start from the same position
// are tries of the same step.
func Resume(last *Position, only bool, first, committed, committedPrev int64) (int64, error) {
	switch {
	case last == nil && (committed < 0 || committedPrev == first):
		return first, nil // first start, or the first step was torn: its offset shows, its state does not
	case last == nil:
		return 0, fmt.Errorf("%w: offset %d is committed but there is no state", ErrUnreconciled, committed)
	case committedPrev == last.Prev, committed == last.Prev, committed < 0 && only:
		return last.Prev, nil
	case committedPrev == last.Next:
		return last.Next, nil
	}
	return 0, fmt.Errorf("%w: offset %d is committed from %d, the state stands at %d from %d",
		ErrUnreconciled, committed, committedPrev, last.Next, last.Prev)
}

// Tail finds the newest position among a changelog's last entries.
type Tail struct {
	Last  *Position
	steps int // positions that start from different places
}

// Add takes the next entry.
func (t *Tail) Add(key string, value []byte) error {
	if key != PositionKey {
		return nil
	}
	var p Position
	if _, err := p.UnmarshalMsg(value); err != nil {
		return fmt.Errorf("%w: position unreadable: %w", ErrUnreconciled, err)
	}
	if t.Last == nil || t.Last.Prev != p.Prev {
		t.steps++
	}
	t.Last = &p
	return nil
}

// Only reports whether all positions seen are tries of one step.
func (t *Tail) Only() bool { return t.steps <= 1 }

func (t *Task) rewind(next int64) { t.next, t.prev = next, next }
