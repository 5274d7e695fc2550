package agent

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	touchedPrefix = "touched/"
	openPrefix    = "second/"
	// maxOpen bounds how many actors one second tells apart; the rest are told
	// together as unknown.
	maxOpen = 4096
	// maxFieldsTold bounds the fields of one actor's second.
	maxFieldsTold = 64
)

// seconds holds the counts since the last tick, by actor.
type seconds struct {
	open  map[string]*event.Activity
	saved map[string]bool // stands in the changelog
	dirty map[string]bool // changed since it was saved
	buf   []byte
}

func newSeconds() seconds {
	return seconds{open: map[string]*event.Activity{}, saved: map[string]bool{}, dirty: map[string]bool{}}
}

// of returns the counts of an actor in this second, to be changed.
func (s *seconds) of(tenant, integration, system, object string, actor event.Actor, token string) *event.Activity {
	key := strings.Join([]string{integration, system, object, actor.Kind, actor.ID, actor.Run, token}, "\x1f")
	if s.open[key] == nil && len(s.open) >= maxOpen {
		actor, token = event.Actor{Kind: event.ActorUnknown}, ""
		key = strings.Join([]string{integration, system, object, actor.Kind}, "\x1f")
	}
	s.dirty[key] = true
	if a := s.open[key]; a != nil {
		return a
	}
	a := &event.Activity{
		Tenant: tenant, Integration: integration, System: system, Object: object, Actor: actor, Token: token,
	}
	s.open[key] = a
	return a
}

// keys are those of the open second in an order that no map decides.
func (s *seconds) keys() []string {
	keys := make([]string, 0, len(s.open))
	for k := range s.open {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *seconds) flush(ctx stream.Ctx, out *stream.Out) {
	for _, k := range s.keys() {
		a := s.open[k]
		a.Second = ctx.Now
		out.Emit(topic.Partials, a.Tenant, a)
	}
	clear(s.open)
	clear(s.dirty)
}

// save writes what changed of the open second, and lets go what was told.
func (s *seconds) save(emit stream.Emit) error {
	gone := make([]string, 0, len(s.saved))
	for k := range s.saved {
		if s.open[k] == nil {
			gone = append(gone, k)
		}
	}
	slices.Sort(gone)
	for _, k := range gone {
		delete(s.saved, k)
		if err := emit(openPrefix+k, nil); err != nil {
			return err
		}
	}
	changed := slices.Sorted(maps.Keys(s.dirty))
	clear(s.dirty)
	return s.write(changed, emit)
}

func (s *seconds) write(keys []string, emit stream.Emit) error {
	for _, k := range keys {
		b, err := s.open[k].MarshalMsg(s.buf[:0])
		if err != nil {
			return err
		}
		s.buf, s.saved[k] = b, true
		if err := emit(openPrefix+k, b); err != nil {
			return err
		}
	}
	return nil
}

func (s *seconds) load(key string, value []byte) error {
	k, ok := strings.CutPrefix(key, openPrefix)
	if !ok {
		return nil // of another version
	}
	delete(s.open, k)
	delete(s.saved, k)
	if value == nil {
		return nil
	}
	a := &event.Activity{}
	if _, err := a.UnmarshalMsg(value); err != nil {
		return err
	}
	k = strings.Clone(k)
	s.open[k], s.saved[k] = a, true
	return nil
}

// fieldOf finds or adds a field's counts, sorted by name. Beyond the bound
// fields share one nameless row.
func fieldOf(a *event.Activity, name string) *event.FieldWrites {
	at, found := slices.BinarySearchFunc(a.Fields, name, func(f event.FieldWrites, n string) int { return cmp.Compare(f.Field, n) })
	if !found && len(a.Fields) >= maxFieldsTold && name != "" {
		return fieldOf(a, "")
	}
	if !found {
		a.Fields = slices.Insert(a.Fields, at, event.FieldWrites{Field: name})
	}
	return &a.Fields[at]
}

// vote keeps the value that outnumbers the others together (Boyer and Moore's
// majority vote): TopN is by how many.
func vote(f *event.FieldWrites, mark uint64, v event.Value) {
	text := strconv.FormatUint(mark, 16)
	switch {
	case f.TopN == 0:
		f.Top, f.TopN, f.Show = text, 1, clip(v.Show())
	case f.Top == text:
		f.TopN++
	default:
		f.TopN--
	}
}

const showLimit = 80

func clip(s string) string {
	if len(s) <= showLimit {
		return s
	}
	return strings.ToValidUTF8(s[:showLimit], "") + "..."
}

func prefixed(prefix string, emit stream.Emit) stream.Emit {
	return stream.Prefixed(prefix, emit)
}
