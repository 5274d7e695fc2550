package stream

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is what a Table keeps under a key; *S is its codec.
type Entry[S any] interface {
	*S
	MarshalMsg(b []byte) ([]byte, error)
	UnmarshalMsg(b []byte) ([]byte, error)
}

// Table is the state of an operator that is not folded key by key: it looks
// at several keys at once. Keyed is the simpler choice where it fits.
type Table[S any, P Entry[S]] struct {
	entries map[string]*S
	dirty   map[string]struct{}
	sorted  []string // nil: to be made
	walk    []string
	buf     []byte
}

// NewTable makes an empty table.
func NewTable[S any, P Entry[S]]() *Table[S, P] {
	return &Table[S, P]{entries: map[string]*S{}, dirty: map[string]struct{}{}}
}

// Get returns the entry to read, or nil.
func (t *Table[S, P]) Get(key string) *S { return t.entries[key] }

// Change returns the entry to change, made if it is not there.
func (t *Table[S, P]) Change(key string) *S {
	e := t.entries[key]
	if e == nil {
		e = new(S)
		t.entries[key], t.sorted = e, nil
	}
	t.dirty[key] = struct{}{}
	return e
}

// Delete forgets the entry.
func (t *Table[S, P]) Delete(key string) {
	if t.entries[key] != nil {
		delete(t.entries, key)
		t.dirty[key], t.sorted = struct{}{}, nil
	}
}

// Keys are in order, the same on every run. The slice is the table's own.
func (t *Table[S, P]) Keys() []string {
	if t.sorted == nil {
		t.sorted = make([]string, 0, len(t.entries))
		for key := range t.entries {
			t.sorted = append(t.sorted, key)
		}
		slices.Sort(t.sorted)
	}
	return t.sorted
}

// Save implements State.
func (t *Table[S, P]) Save(emit Emit) error {
	for key := range t.dirty {
		if err := t.save(key, emit); err != nil {
			return err
		}
	}
	clear(t.dirty)
	return nil
}

func (t *Table[S, P]) save(key string, emit Emit) error {
	e := t.entries[key]
	if e == nil {
		return emit(key, nil)
	}
	b, err := P(e).MarshalMsg(t.buf[:0])
	if err != nil {
		return fmt.Errorf("save state of %q: %w", key, err)
	}
	t.buf = b
	return emit(key, b)
}

// Rewrite implements State.
func (t *Table[S, P]) Rewrite(n int, emit Emit) (bool, error) {
	if len(t.walk) == 0 {
		t.walk = slices.Clone(t.Keys())
	}
	for ; n > 0 && len(t.walk) > 0; n-- {
		key := t.walk[len(t.walk)-1]
		t.walk = t.walk[:len(t.walk)-1]
		if t.entries[key] == nil {
			continue
		}
		if err := t.save(key, emit); err != nil {
			return false, err
		}
	}
	return len(t.walk) == 0, nil
}

// Load implements State.
func (t *Table[S, P]) Load(key string, value []byte) error {
	t.sorted = nil
	if value == nil {
		delete(t.entries, key)
		return nil
	}
	e := new(S)
	if _, err := P(e).UnmarshalMsg(value); err != nil {
		return err
	}
	t.entries[strings.Clone(key)] = e // the log's bytes are part of a whole fetch
	return nil
}
