package event

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/tinylib/msgp/msgp"
)

// Borrower decodes messages of one type, one after the other, into the same
// struct. Its strings are the input's own bytes, so nothing is allocated: for
// readers who copy what they need and go on, millions of times.
type Borrower struct {
	kind   Type
	ev     Event
	at     unsafe.Pointer
	fields []slot // nil: the type has bytes of its own kind, decode it plainly
}

// NewBorrower returns nil for a type this version does not know.
func NewBorrower(t Type) *Borrower {
	ev := New(t)
	if ev == nil {
		return nil
	}
	b := &Borrower{kind: t, ev: ev, at: reflect.ValueOf(ev).UnsafePointer()}
	if raw, err := ev.MarshalMsg(nil); err == nil && raw[0] != '{' {
		b.fields = slotsOf(reflect.TypeOf(ev).Elem(), true)
	}
	return b
}

// Decode is event.Decode, but the message is valid only until the next call,
// and only while the bytes stay as they are.
func (b *Borrower) Decode(raw []byte) (Event, error) {
	if b.fields == nil || len(raw) > MaxBytes {
		return Decode(b.kind, raw)
	}
	zeroAll(b.at, b.fields)
	return read(b.kind, b.ev, raw, b.at, b.fields)
}

// shared are the fields of types whose messages are decoded into structs of
// their own: Type -> []slot, nil for a type with bytes of its own kind.
var shared sync.Map

// DecodeShared is Decode, but the message's strings are the input's own bytes,
// which must stay as they are as long as any of them is kept.
func DecodeShared(t Type, raw []byte) (Event, error) {
	ev := New(t)
	if ev == nil || len(raw) > MaxBytes {
		return Decode(t, raw)
	}
	v, ok := shared.Load(t)
	if !ok {
		var fields []slot
		if b := NewBorrower(t); b.fields != nil {
			fields = slotsOf(reflect.TypeOf(ev).Elem(), false)
		}
		v, _ = shared.LoadOrStore(t, fields)
	}
	fields := v.([]slot)
	if fields == nil {
		return Decode(t, raw)
	}
	return read(t, ev, raw, reflect.ValueOf(ev).UnsafePointer(), fields)
}

// read fills a message that is zero.
func read(t Type, ev Event, raw []byte, at unsafe.Pointer, fields []slot) (Event, error) {
	rest, err := readFields(raw, at, fields)
	if err != nil {
		return nil, fmt.Errorf("%w: decode %s: %w", ErrInvalid, t, msgp.Cause(err))
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %s has %d bytes after its end", ErrInvalid, t, len(rest))
	}
	return ev, nil
}

// slot is one field of a message's struct.
type slot struct {
	key  string
	off  uintptr
	read func([]byte, unsafe.Pointer) ([]byte, error)
	zero func(unsafe.Pointer)
}

// slotsOf reads the same tags that the generated code was made of.
func slotsOf(t reflect.Type, one bool) []slot {
	var out []slot
	for f := range t.Fields() {
		key, ok := f.Tag.Lookup("msg")
		for j := range len(key) {
			if key[j] == ',' {
				key = key[:j]
				break
			}
		}
		if !ok || key == "-" {
			continue
		}
		s := slotOf(f.Type, one)
		s.key, s.off = key, f.Offset
		out = append(out, s)
	}
	return out
}

func slotOf(t reflect.Type, one bool) slot {
	switch t.Kind() {
	case reflect.String:
		return plain(readString)
	case reflect.Bool:
		return plain(msgp.ReadBoolBytes)
	case reflect.Int:
		return plain(msgp.ReadIntBytes)
	case reflect.Int32:
		return plain(msgp.ReadInt32Bytes)
	case reflect.Int64:
		return plain(msgp.ReadInt64Bytes)
	case reflect.Uint32:
		return plain(msgp.ReadUint32Bytes)
	case reflect.Uint64:
		return plain(msgp.ReadUint64Bytes)
	case reflect.Float64:
		return plain(msgp.ReadFloat64Bytes)
	case reflect.Struct:
		fields := slotsOf(t, one)
		return slot{
			read: func(b []byte, p unsafe.Pointer) ([]byte, error) { return readStruct(b, p, fields) },
			zero: func(p unsafe.Pointer) { zeroAll(p, fields) },
		}
	case reflect.Pointer:
		return pointer(t.Elem())
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return slot{read: readBytes, zero: func(p unsafe.Pointer) { *(*[]byte)(p) = nil }}
		}
		return list(t, one)
	}
	panic("event: no way to borrow a " + t.String())
}

func plain[T any](read func([]byte) (T, []byte, error)) slot {
	return slot{
		read: func(b []byte, p unsafe.Pointer) (rest []byte, err error) {
			*(*T)(p), rest, err = read(b)
			return rest, err
		},
		zero: func(p unsafe.Pointer) {
			var zero T
			*(*T)(p) = zero
		},
	}
}

func readString(b []byte) (string, []byte, error) {
	s, rest, err := msgp.ReadStringZC(b)
	return unsafe.String(unsafe.SliceData(s), len(s)), rest, err
}

func readBytes(b []byte, p unsafe.Pointer) ([]byte, error) {
	s, rest, err := msgp.ReadBytesZC(b)
	*(*[]byte)(p) = s
	return rest, err
}

// pointer is a part that most messages do not have.
func pointer(t reflect.Type) slot {
	of := slotOf(t, false)
	return slot{
		read: func(b []byte, p unsafe.Pointer) ([]byte, error) {
			if msgp.IsNil(b) {
				*(*unsafe.Pointer)(p) = nil
				return msgp.ReadNilBytes(b)
			}
			part := reflect.New(t)
			*(*unsafe.Pointer)(p) = part.UnsafePointer()
			return of.read(b, part.UnsafePointer())
		},
		zero: func(p unsafe.Pointer) { *(*unsafe.Pointer)(p) = nil },
	}
}

// list keeps its array from message to message, unless several of them live
// in one message.
func list(t reflect.Type, one bool) slot {
	of, size := slotOf(t.Elem(), false), t.Elem().Size()
	spare := reflect.Zero(t)
	return slot{
		read: func(b []byte, p unsafe.Pointer) ([]byte, error) {
			n, b, err := msgp.ReadArrayHeaderBytes(b)
			if err != nil {
				return b, err
			}
			if n > zd9e37b5dlimitArrays {
				return b, msgp.ErrLimitExceeded
			}
			if n == 0 {
				return b, nil
			}
			array := spare
			if !one || spare.Cap() < int(n) {
				array = reflect.MakeSlice(t, int(n), int(n))
			}
			if one {
				spare = array
			}
			first := array.UnsafePointer()
			*(*sliceHeader)(p) = sliceHeader{first, int(n), array.Cap()}
			for i := range uintptr(n) {
				item := unsafe.Add(first, i*size)
				if one {
					of.zero(item)
				}
				if b, err = of.read(b, item); err != nil {
					return b, err
				}
			}
			return b, nil
		},
		zero: func(p unsafe.Pointer) { *(*sliceHeader)(p) = sliceHeader{} },
	}
}

// sliceHeader is a slice of anything; the pointer keeps the array alive.
type sliceHeader struct {
	first    unsafe.Pointer
	len, cap int
}

func zeroAll(p unsafe.Pointer, fields []slot) {
	for i := range fields {
		fields[i].zero(unsafe.Add(p, fields[i].off))
	}
}

// readStruct expects the fields in the order they were written in, and finds
// them in any other.
func readStruct(b []byte, p unsafe.Pointer, fields []slot) ([]byte, error) {
	zeroAll(p, fields)
	return readFields(b, p, fields)
}

func readFields(b []byte, p unsafe.Pointer, fields []slot) ([]byte, error) {
	n, b, err := msgp.ReadMapHeaderBytes(b)
	if err != nil {
		return b, err
	}
	next := 0
	for range n {
		var key []byte
		if key, b, err = msgp.ReadMapKeyZC(b); err != nil {
			return b, err
		}
		at := find(fields, key, next)
		if at < 0 {
			if b, err = msgp.Skip(b); err != nil {
				return b, err
			}
			continue
		}
		if b, err = fields[at].read(b, unsafe.Add(p, fields[at].off)); err != nil {
			return b, err
		}
		next = at + 1
	}
	return b, nil
}

func find(fields []slot, key []byte, next int) int {
	for i := next; i < len(fields); i++ {
		if fields[i].key == string(key) {
			return i
		}
	}
	for i := range min(next, len(fields)) {
		if fields[i].key == string(key) {
			return i
		}
	}
	return -1
}
