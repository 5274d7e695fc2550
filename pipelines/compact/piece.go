package compact

import (
	"math/bits"
	"reflect"
	"slices"
	"unsafe"

	"plumbline.dev/schemas/event"
)

// piece is how one type is written and read. What is empty, zero at all these
// words, is not written.
type piece struct {
	words []word
	write func(*writer, unsafe.Pointer)
	read  func(*reader, unsafe.Pointer)
}

// word is where to look whether there is anything: a number, a length, a pointer.
type word struct {
	off  uintptr
	size uint8 // bytes: 1, 4 or 8
}

func (w *word) set(p unsafe.Pointer) bool {
	at := unsafe.Add(p, w.off)
	switch w.size {
	case 8:
		return *(*uint64)(at) != 0
	case 4:
		return *(*uint32)(at) != 0
	}
	return *(*uint8)(at) != 0
}

func at(off uintptr, size uintptr) []word { return []word{{off, uint8(size)}} }

// shifted are a part's words as those of the whole.
func shifted(words []word, by uintptr) []word {
	out := slices.Clone(words)
	for i := range out {
		out[i].off += by
	}
	return out
}

// lenOff is where strings and slices have their length.
const lenOff = unsafe.Offsetof(header{}.len)

var (
	timeType  = reflect.TypeFor[event.Time]()
	eventType = reflect.TypeFor[event.Event]()
)

func pieceOf(t reflect.Type) piece {
	switch {
	case t == timeType:
		return times
	case reflect.PointerTo(t).Implements(eventType):
		return message(t)
	}
	switch t.Kind() {
	case reflect.String:
		return texts
	case reflect.Bool: // what is not empty is true
		return piece{at(0, 1), func(*writer, unsafe.Pointer) {}, func(_ *reader, p unsafe.Pointer) { *(*bool)(p) = true }}
	case reflect.Int:
		return signed[int]()
	case reflect.Int32:
		return signed[int32]()
	case reflect.Int64:
		return signed[int64]()
	case reflect.Uint8:
		return unsigned[uint8]()
	case reflect.Uint32:
		return unsigned[uint32]()
	case reflect.Uint64, reflect.Float64: // sums and marks: no number is likelier than another, but for one that was there before
		return sums
	case reflect.Struct:
		return structOf(t)
	case reflect.Pointer:
		return pointerTo(t.Elem())
	case reflect.Slice:
		return sliceOf(t)
	case reflect.Array:
		return arrayOf(t)
	}
	panic("compact: no way to write a " + t.String())
}

func signed[T int | int32 | int64]() piece {
	var v T
	return piece{
		at(0, unsafe.Sizeof(v)),
		func(w *writer, p unsafe.Pointer) { w.int(int64(*(*T)(p))) },
		func(r *reader, p unsafe.Pointer) { *(*T)(p) = T(r.int()) },
	}
}

func unsigned[T uint8 | uint32]() piece {
	var v T
	return piece{
		at(0, unsafe.Sizeof(v)),
		func(w *writer, p unsafe.Pointer) { w.uint(uint64(*(*T)(p))) },
		func(r *reader, p unsafe.Pointer) { *(*T)(p) = T(r.uint()) },
	}
}

var texts = piece{
	at(lenOff, 8),
	func(w *writer, p unsafe.Pointer) { w.string(*(*string)(p)) },
	func(r *reader, p unsafe.Pointer) { *(*string)(p) = r.string() },
}

var times = piece{
	at(0, 8),
	func(w *writer, p unsafe.Pointer) {
		at := *(*int64)(p)
		w.int(at - w.time)
		w.time = at
	},
	func(r *reader, p unsafe.Pointer) {
		r.time += r.int()
		*(*int64)(p) = r.time
	},
}

var sums = piece{
	at(0, 8),
	func(w *writer, p unsafe.Pointer) { w.sum(*(*uint64)(p)) },
	func(r *reader, p unsafe.Pointer) { *(*uint64)(p) = r.sum() },
}

// field is one of a struct.
type field struct {
	piece
	off uintptr
}

// structOf writes which fields are not empty, then those.
func structOf(t reflect.Type) piece {
	var fields []field
	for f := range t.Fields() {
		if f.Tag.Get("msg") != "-" {
			fields = append(fields, field{pieceOf(f.Type), f.Offset})
		}
	}
	if len(fields) > 64 {
		panic("compact: too many fields in " + t.String())
	}
	type probe struct {
		word
		bit uint64
	}
	var probes []probe
	var words []word
	for i := range fields {
		fields[i].words = shifted(fields[i].words, fields[i].off)
		words = append(words, fields[i].words...)
		for _, w := range fields[i].words {
			probes = append(probes, probe{w, 1 << i})
		}
	}
	set := func(p unsafe.Pointer) (which uint64) {
		for i := range probes {
			if probes[i].set(p) {
				which |= probes[i].bit
			}
		}
		return which
	}
	return piece{
		words,
		func(w *writer, p unsafe.Pointer) {
			which := set(p)
			for w.uint(which); which != 0; which &= which - 1 {
				f := &fields[bits.TrailingZeros64(which)]
				f.write(w, unsafe.Add(p, f.off))
			}
		},
		func(r *reader, p unsafe.Pointer) {
			which := r.uint()
			if bits.Len64(which) > len(fields) {
				r.fail() // a later version's
				return
			}
			for ; which != 0; which &= which - 1 {
				f := &fields[bits.TrailingZeros64(which)]
				f.read(r, unsafe.Add(p, f.off))
			}
		},
	}
}

// message is an event inside a state. It has a codec of its own, by names:
// events grow wherever it suits them.
func message(t reflect.Type) piece {
	of := func(p unsafe.Pointer) event.Event { return reflect.NewAt(t, p).Interface().(event.Event) }
	return piece{
		structOf(t).words,
		func(w *writer, p unsafe.Pointer) {
			b, err := of(p).MarshalMsg(nil)
			if err != nil {
				panic("compact: " + err.Error()) // there is nothing in an event that cannot be written
			}
			w.uint(uint64(len(b)))
			w.buf = append(w.buf, b...)
		},
		func(r *reader, p unsafe.Pointer) {
			rest, err := of(p).UnmarshalMsg(r.take(r.uint()))
			if err != nil || len(rest) > 0 {
				r.fail()
			}
		},
	}
}

func pointerTo(t reflect.Type) piece {
	of := pieceOf(t)
	return piece{
		at(0, 8),
		func(w *writer, p unsafe.Pointer) { of.write(w, *(*unsafe.Pointer)(p)) },
		func(r *reader, p unsafe.Pointer) {
			v := reflect.New(t).UnsafePointer()
			*(*unsafe.Pointer)(p) = v
			of.read(r, v)
		},
	}
}

// header is a slice of anything; the pointer keeps its array alive.
type header struct {
	first    unsafe.Pointer
	len, cap int
}

// items are told apart from each other by number, so one that is empty is
// written all the same.
func items(t reflect.Type) piece {
	of := pieceOf(t)
	if t.Kind() == reflect.Bool || t.Kind() == reflect.Pointer {
		panic("compact: no way to write a list of " + t.String())
	}
	return of
}

func sliceOf(t reflect.Type) piece {
	of, size := items(t.Elem()), t.Elem().Size()
	return piece{
		at(lenOff, 8),
		func(w *writer, p unsafe.Pointer) {
			s := (*header)(p)
			w.uint(uint64(s.len))
			for i := range s.len {
				of.write(w, unsafe.Add(s.first, uintptr(i)*size))
			}
		},
		func(r *reader, p unsafe.Pointer) {
			n := r.uint()
			if n > uint64(len(r.rest)) { // each takes a byte at least
				r.fail()
				return
			}
			first := reflect.MakeSlice(t, int(n), int(n)).UnsafePointer()
			*(*header)(p) = header{first, int(n), int(n)}
			for i := range uintptr(n) {
				of.read(r, unsafe.Add(first, i*size))
			}
		},
	}
}

func arrayOf(t reflect.Type) piece {
	of, size, n := items(t.Elem()), t.Elem().Size(), uintptr(t.Len())
	var words []word
	for i := range n {
		words = append(words, shifted(of.words, i*size)...)
	}
	return piece{
		words,
		func(w *writer, p unsafe.Pointer) {
			for i := range n {
				of.write(w, unsafe.Add(p, i*size))
			}
		},
		func(r *reader, p unsafe.Pointer) {
			for i := range n {
				of.read(r, unsafe.Add(p, i*size))
			}
		},
	}
}
