package stream

import (
	"container/heap"
	"fmt"

	"plumbline.dev/schemas/event"
)

// Fold is an operator's logic for one key; S is the key's state, *S its codec.
type Fold[S any] interface {
	Step(ctx Ctx, key string, s *S, ev event.Event, out *Out)
	// Timer runs when stream time has reached the state's Due, and moves it.
	Timer(ctx Ctx, key string, s *S, out *Out)
}

// KeyState is what a key's state must tell and do.
type KeyState[S any] interface {
	*S
	Due() event.Time // when Timer has to run, 0 = never
	Empty() bool     // nothing worth keeping: the key is forgotten
	MarshalMsg(b []byte) ([]byte, error)
	UnmarshalMsg(b []byte) ([]byte, error)
}

// Keyed is an Operator that keeps one state per key and fires timers in
// (time, key) order.
type Keyed[S any, P KeyState[S]] struct {
	fold    Fold[S]
	entries map[string]*keyEntry[S]
	dirty   []*keyEntry[S]
	timers  timerHeap[S]
	walk    []string
	buf     []byte
}

type keyEntry[S any] struct {
	key   string
	state S
	due   event.Time // armed in the heap, 0 = not in it
	slot  int        // where in the heap
	dirty bool
	gone  bool
	saved bool // the changelog may hold it: going away needs a tombstone
}

// NewKeyed makes the operator of a fold.
func NewKeyed[S any, P KeyState[S]](fold Fold[S]) *Keyed[S, P] {
	return &Keyed[S, P]{fold: fold, entries: map[string]*keyEntry[S]{}}
}

// Len is the number of keys held.
func (k *Keyed[S, P]) Len() int { return len(k.entries) }

// Step implements Operator.
func (k *Keyed[S, P]) Step(ctx Ctx, key string, ev event.Event, out *Out) {
	e := k.entries[key]
	if e == nil {
		e = &keyEntry[S]{key: key}
		k.entries[key] = e
	}
	k.fold.Step(ctx, key, &e.state, ev, out)
	k.touched(e)
}

// Tick implements Operator.
func (k *Keyed[S, P]) Tick(ctx Ctx, out *Out) {
	for len(k.timers) > 0 && k.timers[0].due <= ctx.Now {
		e := heap.Pop(&k.timers).(*keyEntry[S])
		fired := e.due
		e.due = 0
		k.fold.Timer(ctx, e.key, &e.state, out)
		k.touched(e)
		if e.due == fired { // it would fire for ever
			panic(fmt.Sprintf("stream: the timer of %q fired at %s and left its Due as it was", e.key, fired))
		}
	}
}

func (k *Keyed[S, P]) touched(e *keyEntry[S]) {
	if !e.dirty {
		e.dirty = true
		k.dirty = append(k.dirty, e)
	}
	if P(&e.state).Empty() {
		k.forget(e)
		return
	}
	k.arm(e, P(&e.state).Due())
}

func (k *Keyed[S, P]) forget(e *keyEntry[S]) {
	k.arm(e, 0)
	delete(k.entries, e.key)
	e.gone = true
}

// arm moves the entry's timer to due; 0 takes it away.
func (k *Keyed[S, P]) arm(e *keyEntry[S], due event.Time) {
	was := e.due
	switch {
	case due == was:
	case due == 0:
		heap.Remove(&k.timers, e.slot)
		e.due = 0
	case was == 0:
		e.due = due
		heap.Push(&k.timers, e)
	default:
		e.due = due
		heap.Fix(&k.timers, e.slot)
	}
}

// Save implements State.
func (k *Keyed[S, P]) Save(emit Emit) error {
	for _, e := range k.dirty {
		e.dirty = false
		if e.gone {
			if !e.saved || k.entries[e.key] != nil {
				continue // never written, or came back as another entry, saved on its own
			}
			if err := emit(e.key, nil); err != nil {
				return err
			}
			continue
		}
		if err := k.save(e, emit); err != nil {
			return err
		}
	}
	clear(k.dirty)
	k.dirty = k.dirty[:0]
	return nil
}

func (k *Keyed[S, P]) save(e *keyEntry[S], emit Emit) error {
	b, err := P(&e.state).MarshalMsg(k.buf[:0])
	if err != nil {
		return fmt.Errorf("save state of %q: %w", e.key, err)
	}
	k.buf, e.saved = b, true
	return emit(e.key, b)
}

// Rewrite implements State.
func (k *Keyed[S, P]) Rewrite(n int, emit Emit) (bool, error) {
	if len(k.walk) == 0 {
		for key := range k.entries {
			k.walk = append(k.walk, key)
		}
	}
	for ; n > 0 && len(k.walk) > 0; n-- {
		e := k.entries[k.walk[len(k.walk)-1]]
		k.walk = k.walk[:len(k.walk)-1]
		if e == nil || e.dirty {
			continue // gone, or about to be saved anyway
		}
		if err := k.save(e, emit); err != nil {
			return false, err
		}
	}
	return len(k.walk) == 0, nil
}

// Load implements State.
func (k *Keyed[S, P]) Load(key string, value []byte) error {
	if old := k.entries[key]; old != nil {
		k.forget(old)
	}
	if value == nil {
		return nil
	}
	e := &keyEntry[S]{key: key, saved: true}
	if _, err := P(&e.state).UnmarshalMsg(value); err != nil {
		return err
	}
	k.entries[key] = e
	k.arm(e, P(&e.state).Due())
	return nil
}
