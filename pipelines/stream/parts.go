package stream

import (
	"fmt"
	"strings"
	"unsafe"
)

// Part is a piece of state with a name. The name and a slash start its keys;
// one part may do without a name. Names stay as they are: state is found by them.
type Part struct {
	Name  string
	State State
}

// Parts are the states of several as one.
type Parts struct {
	list []Part
	walk int // the part that is being rewritten
}

// NewParts joins states.
func NewParts(list ...Part) *Parts { return &Parts{list: list} }

func (p *Part) prefixed(emit Emit) Emit {
	if p.Name == "" {
		return emit
	}
	return Prefixed(p.Name+"/", emit)
}

// Prefixed puts something before each key.
func Prefixed(prefix string, emit Emit) Emit {
	buf := []byte(prefix)
	return func(key string, value []byte) error {
		buf = append(buf[:len(prefix)], key...)
		return emit(unsafe.String(unsafe.SliceData(buf), len(buf)), value)
	}
}

// Save implements State.
func (p *Parts) Save(emit Emit) error {
	for i := range p.list {
		if err := p.list[i].State.Save(p.list[i].prefixed(emit)); err != nil {
			return err
		}
	}
	return nil
}

// Rewrite implements State: one walk goes through all parts.
func (p *Parts) Rewrite(n int, emit Emit) (bool, error) {
	for p.walk < len(p.list) {
		part, written := &p.list[p.walk], 0
		done, err := part.State.Rewrite(n, part.prefixed(func(key string, value []byte) error {
			written++
			return emit(key, value)
		}))
		if err != nil || !done {
			return false, err
		}
		p.walk++
		if n -= written; n <= 0 && p.walk < len(p.list) {
			return false, nil
		}
	}
	p.walk = 0
	return true, nil
}

// Load implements State.
func (p *Parts) Load(key string, value []byte) error {
	unnamed := -1
	for i := range p.list {
		if p.list[i].Name == "" {
			unnamed = i
		} else if rest, ok := strings.CutPrefix(key, p.list[i].Name+"/"); ok {
			return p.list[i].State.Load(rest, value)
		}
	}
	if unnamed < 0 {
		return fmt.Errorf("no part has state %q", key)
	}
	return p.list[unnamed].State.Load(key, value)
}
