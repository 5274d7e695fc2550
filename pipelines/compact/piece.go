package compact

import (
	"math"
	"math/bits"
	"reflect"
	"unsafe"

	"plumbline.dev/schemas/event"
)

// piece is how one type is written and read. Empty things are not written.
type piece struct {
	empty func(unsafe.Pointer) bool
	write func(*writer, unsafe.Pointer)
	read  func(*reader, unsafe.Pointer)
}

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
		return piece{zero[bool], func(*writer, unsafe.Pointer) {}, func(_ *reader, p unsafe.Pointer) { *(*bool)(p) = true }}
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
	case reflect.Uint64: // sums and marks: no number is likelier than another, but for one that was there before
		return sums
	case reflect.Float64:
		return floats
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

func zero[T comparable](p unsafe.Pointer) bool {
	var none T
	return *(*T)(p) == none
}

func signed[T int | int32 | int64]() piece {
	return piece{
		zero[T],
		func(w *writer, p unsafe.Pointer) { w.int(int64(*(*T)(p))) },
		func(r *reader, p unsafe.Pointer) { *(*T)(p) = T(r.int()) },
	}
}

func unsigned[T uint8 | uint32]() piece {
	return piece{
		zero[T],
		func(w *writer, p unsafe.Pointer) { w.uint(uint64(*(*T)(p))) },
		func(r *reader, p unsafe.Pointer) { *(*T)(p) = T(r.uint()) },
	}
}

var texts = piece{
	func(p unsafe.Pointer) bool { return len(*(*string)(p)) == 0 },
	func(w *writer, p unsafe.Pointer) { w.string(*(*string)(p)) },
	func(r *reader, p unsafe.Pointer) { *(*string)(p) = r.string() },
}

var times = piece{
	zero[int64],
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
	zero[uint64],
	func(w *writer, p unsafe.Pointer) { w.sum(*(*uint64)(p)) },
	func(r *reader, p unsafe.Pointer) { *(*uint64)(p) = r.sum() },
}

var floats = piece{
	func(p unsafe.Pointer) bool { return math.Float64bits(*(*float64)(p)) == 0 }, sums.write, sums.read,
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
	set := func(p unsafe.Pointer) (which uint64) {
		for i := range fields {
			if !fields[i].empty(unsafe.Add(p, fields[i].off)) {
				which |= 1 << i
			}
		}
		return which
	}
	return piece{
		func(p unsafe.Pointer) bool {
			for i := range fields {
				if !fields[i].empty(unsafe.Add(p, fields[i].off)) {
					return false
				}
			}
			return true
		},
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
		func(p unsafe.Pointer) bool { return reflect.NewAt(t, p).Elem().IsZero() },
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
		zero[unsafe.Pointer],
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
		func(p unsafe.Pointer) bool { return (*header)(p).len == 0 },
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
	return piece{
		func(p unsafe.Pointer) bool {
			for i := range n {
				if !of.empty(unsafe.Add(p, i*size)) {
					return false
				}
			}
			return true
		},
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
