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
	count   int

	// TrustLast keeps the newest transaction. Only a mutation check does.
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
	if r.count > 0 && p.Prev != r.heldPos.Next {
		return fmt.Errorf("%w: a transaction is missing between input offsets %d and %d",
			ErrUnreconciled, r.heldPos.Next, p.Prev)
	}
	if err := r.apply(); err != nil {
		return err
	}
	r.held, r.open, r.heldPos = r.open, r.held[:0], p
	r.count++
	return nil
}

// apply folds the held transaction in: a newer one stands behind it.
func (r *Restore) apply() error {
	for _, e := range r.held {
		if err := r.task.op.Load(e.key, e.value); err != nil {
			return fmt.Errorf("%w: state of %q unreadable: %w", ErrUnreconciled, e.key, err)
		}
	}
	if r.count > 0 {
		r.task.moveTo(r.heldPos)
	}
	return nil
}

// Finish takes the committed input offset (-1: none) and the position that
// its commit started from, and leaves the task where folding has to go on.
func (r *Restore) Finish(committed, committedPrev int64) error {
	switch {
	case r.count == 0 && committed < 0:
		return nil // first start
	case r.count == 0 && committedPrev == r.task.next:
		return nil // the first transaction was torn: its state is gone, its offset is not
	case r.count == 0:
		return fmt.Errorf("%w: offset %d is committed but there is no state", ErrUnreconciled, committed)
	case committed == r.heldPos.Next && r.TrustLast:
		return r.apply()
	case committed == r.heldPos.Next, committed == r.heldPos.Prev, committed < 0 && r.count == 1:
		r.task.rewind(r.heldPos.Prev)
		return nil
	case committed > r.heldPos.Next && committedPrev == r.heldPos.Next:
		return r.apply() // the newest state was torn away; what is here is whole
	}
	return fmt.Errorf("%w: offset %d is committed, the state stands at %d after %d",
		ErrUnreconciled, committed, r.heldPos.Next, r.heldPos.Prev)
}

func (t *Task) rewind(next int64) { t.next, t.prev = next, next }
