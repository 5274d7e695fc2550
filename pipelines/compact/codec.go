package compact

import (
	"encoding/binary"
	"errors"
	"reflect"
	"sync"
	"unsafe"
)

// ErrDamaged says that bytes are not what Append writes.
var ErrDamaged = errors.New("not the bytes of this struct")

// Codec writes and reads structs of one type. It may be used by several
// goroutines at once.
type Codec[T any] struct {
	of    piece
	words words
}

// New makes the codec of a struct type. Words are strings that are often in
// it; they cost a byte each. To the list, too, is only ever added.
func New[T any](list ...string) *Codec[T] {
	return &Codec[T]{of: structOf(reflect.TypeFor[T]()), words: newWords(list)}
}

// Append adds v's bytes to b.
func (c *Codec[T]) Append(b []byte, v *T) []byte {
	w := writers.Get().(*writer)
	*w = writer{buf: b, words: &c.words}
	c.of.write(w, unsafe.Pointer(v))
	b, w.buf = w.buf, nil
	writers.Put(w)
	return b
}

// Read fills v, which must be zero. Its strings are the bytes' own, which must
// stay as they are while any of them is kept.
func (c *Codec[T]) Read(b []byte, v *T) error {
	r := readers.Get().(*reader)
	*r = reader{rest: b, words: &c.words}
	c.of.read(r, unsafe.Pointer(v))
	whole := !r.bad && len(r.rest) == 0
	*r = reader{}
	readers.Put(r)
	if !whole {
		return ErrDamaged
	}
	return nil
}

var (
	writers = sync.Pool{New: func() any { return new(writer) }}
	readers = sync.Pool{New: func() any { return new(reader) }}
)

// writer is one struct being written.
type writer struct {
	buf   []byte
	words *words
	met   met
	time  int64
}

func (w *writer) uint(v uint64) { w.buf = binary.AppendUvarint(w.buf, v) }
func (w *writer) int(v int64)   { w.buf = binary.AppendVarint(w.buf, v) }

// reader is one being read. Once it is bad, all it reads is zero.
type reader struct {
	rest  []byte
	words *words
	met   met
	time  int64
	bad   bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) fail() { r.bad, r.rest = true, nil }
