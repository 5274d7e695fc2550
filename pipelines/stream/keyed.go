package stream

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/tinylib/msgp/msgp"
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
//
// A state that was saved is kept as its bytes and decoded when its key comes up
// again: most keys only wait. Bytes take a fraction of the memory, cost the
// collector nothing, and are written as they are when the log is rewritten.
type Keyed[S any, P KeyState[S]] struct {
	fold    Fold[S]
	entries map[string]*keyEntry[S]
	dirty   []*keyEntry[S]
	timers  timerHeap[S]
	walk    []*keyEntry[S]
	walks   uint32 // walks begun
	buf     []byte
}

type keyEntry[S any] struct {
	key    string
	live   *S         // nil: only packed
	packed []byte     // as it was saved last; stale while dirty
	due    event.Time // armed in the heap, 0 = not in it
	slot   int32      // where in the heap
	saveIn uint32     // the walk during which it was saved last
	dirty  bool
	gone   bool
	saved  bool // the changelog may hold it: going away needs a tombstone
}

// packFormat starts every state value: the layout of what follows, so that a
// later version knows what it reads. Then comes the timer, which restoring
// needs without decoding the rest.
const (
	packMsgp    = 1 // MarshalMsg's bytes
	packCompact = 2 // AppendState's
	packHead    = 1 + 8
)

// compactState is a state with a smaller layout, in which it is kept and
// logged. What was written by MarshalMsg before it had one is still read.
type compactState interface {
	AppendState(b []byte) []byte
	// ReadState fills a zero state. Its strings may be the bytes' own.
	ReadState(b []byte) error
}

// NewKeyed makes the operator of a fold.
func NewKeyed[S any, P KeyState[S]](fold Fold[S]) *Keyed[S, P] {
	return &Keyed[S, P]{fold: fold, entries: map[string]*keyEntry[S]{}}
}

// Len is the number of keys held.
func (k *Keyed[S, P]) Len() int { return len(k.entries) }

// Has reports whether anything is kept of a key.
func (k *Keyed[S, P]) Has(key string) bool { return k.entries[key] != nil }

// Step implements Operator.
func (k *Keyed[S, P]) Step(ctx Ctx, key string, ev event.Event, out *Out) {
	e := k.entries[key]
	if e == nil {
		e = &keyEntry[S]{key: strings.Clone(key), live: new(S)} // not a piece of something larger
		k.entries[e.key] = e
	}
	state := k.state(e)
	k.soil(e) // before it is changed: whatever happens, it is saved
	k.fold.Step(ctx, key, state, ev, out)
	k.touched(e)
}

// Tick implements Operator.
func (k *Keyed[S, P]) Tick(ctx Ctx, out *Out) {
	for len(k.timers) > 0 && k.timers[0].due <= ctx.Now {
		e := heap.Pop(&k.timers).(*keyEntry[S])
		fired := e.due
		e.due = 0
		k.fold.Timer(ctx, e.key, k.state(e), out)
		k.touched(e)
		if e.due == fired { // it would fire for ever
			panic(fmt.Sprintf("stream: the timer of %q fired at %s and left its Due as it was", e.key, fired))
		}
	}
}

// state is the entry's state, decoded.
func (k *Keyed[S, P]) state(e *keyEntry[S]) *S {
	if e.live == nil {
		e.live = new(S)
		if err := k.unpack(e.packed, e.live); err != nil { // Load has looked through it
			panic(fmt.Sprintf("stream: the state of %q, saved by this process or checked when it was loaded, cannot be read: %v", e.key, err))
		}
	}
	return e.live
}

func (k *Keyed[S, P]) soil(e *keyEntry[S]) {
	if !e.dirty {
		e.dirty = true
		k.dirty = append(k.dirty, e)
	}
}

func (k *Keyed[S, P]) touched(e *keyEntry[S]) {
	k.soil(e)
	if P(e.live).Empty() {
		k.forget(e)
		return
	}
	k.arm(e, P(e.live).Due())
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
		heap.Remove(&k.timers, int(e.slot))
		e.due = 0
	case was == 0:
		e.due = due
		heap.Push(&k.timers, e)
	default:
		e.due = due
		heap.Fix(&k.timers, int(e.slot))
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
		if err := k.pack(e); err != nil {
			return err
		}
		if err := emit(e.key, e.packed); err != nil {
			return err
		}
	}
	clear(k.dirty)
	k.dirty = k.dirty[:0]
	return nil
}

// pack turns the state into its bytes and lets it go. The bytes before stay as
// they are: outputs may hold pieces of them.
func (k *Keyed[S, P]) pack(e *keyEntry[S]) error {
	b := append(k.buf[:0], packMsgp)
	b = binary.BigEndian.AppendUint64(b, uint64(e.due))
	if c, ok := any(e.live).(compactState); ok {
		b[0] = packCompact
		b = c.AppendState(b)
	} else {
		var err error
		if b, err = P(e.live).MarshalMsg(b); err != nil {
			return fmt.Errorf("save state of %q: %w", e.key, err)
		}
	}
	k.buf, e.saved, e.live, e.saveIn = b, true, nil, k.walks
	e.packed = bytes.Clone(b)
	return nil
}

func (k *Keyed[S, P]) unpack(b []byte, s *S) error {
	if b[0] == packMsgp {
		_, err := P(s).UnmarshalMsg(b[packHead:])
		return err
	}
	return any(s).(compactState).ReadState(b[packHead:])
}

// check looks through bytes from the log.
func (k *Keyed[S, P]) check(b []byte) error {
	if len(b) < packHead {
		return errLayout
	}
	switch b[0] {
	case packMsgp:
		for rest := b[packHead:]; len(rest) > 0; {
			var err error
			if rest, err = msgp.Skip(rest); err != nil {
				return fmt.Errorf("damaged: %w", err)
			}
		}
		return nil
	case packCompact:
		var s S
		if c, ok := any(&s).(compactState); ok {
			return c.ReadState(b[packHead:])
		}
	}
	return errLayout
}

var errLayout = errors.New("written in a layout that this version does not know")

// Rewrite implements State.
func (k *Keyed[S, P]) Rewrite(n int, emit Emit) (bool, error) {
	if len(k.walk) == 0 {
		k.walks++
		for _, e := range k.entries {
			k.walk = append(k.walk, e)
		}
	}
	for ; n > 0 && len(k.walk) > 0; n-- {
		e := k.walk[len(k.walk)-1]
		k.walk[len(k.walk)-1] = nil
		k.walk = k.walk[:len(k.walk)-1]
		if e.gone || e.dirty || e.saveIn == k.walks {
			continue // gone, about to be saved, or saved since the walk began
		}
		if err := emit(e.key, e.packed); err != nil {
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
	if err := k.check(value); err != nil {
		return fmt.Errorf("%w (%d bytes)", err, len(value))
	}
	// The log's bytes are part of a whole fetch, which must not stay for this.
	e := &keyEntry[S]{key: strings.Clone(key), packed: bytes.Clone(value), saved: true}
	k.entries[e.key] = e
	k.arm(e, event.Time(binary.BigEndian.Uint64(value[1:])))
	return nil
}
