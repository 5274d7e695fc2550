package event_test

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"
	"plumbline.dev/schemas/event"
)

func TestRoundTrip(t *testing.T) {
	t.Run("change", roundTrip[event.Change])
	t.Run("attempt", roundTrip[event.Attempt])
	t.Run("observation", roundTrip[event.Observation])
	t.Run("signal", roundTrip[event.Signal])
	t.Run("tick", roundTrip[event.Tick])
	t.Run("link", roundTrip[event.Link])
	t.Run("delivery", roundTrip[event.Delivery])
	t.Run("failure", roundTrip[event.Failure])
	t.Run("divergence", roundTrip[event.Divergence])
	t.Run("partial", roundTrip[event.Partial])
	t.Run("dead letter", roundTrip[event.DeadLetter])
}

// roundTrip draws any message: what is decoded equals it, owns its memory,
// and encodes to the same bytes again.
func roundTrip[T any, P interface {
	*T
	event.Event
}](t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.Make[T]().Draw(t, "message")
		want := P(&drawn)
		tidy(reflect.ValueOf(want).Elem())
		b, err := event.Encode(nil, want)
		require.NoError(t, err)
		scratch := slices.Clone(b)
		got, err := event.Decode(want.EventType(), scratch)
		require.NoError(t, err)
		for i := range scratch { // the reader's buffer is used again
			scratch[i] = 0xaa
		}
		require.Equal(t, event.Event(want), got)
		again, err := event.Encode([]byte("prefix"), got)
		require.NoError(t, err)
		require.Equal(t, "prefix"+string(b), string(again))
	})
}

// tidy makes equal what the bytes do not tell apart: an empty list and none.
func tidy(v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice:
		if v.Len() == 0 {
			v.SetZero()
		}
		for i := range v.Len() {
			tidy(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			tidy(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			tidy(v.Field(i))
		}
	case reflect.Float64:
		if math.IsNaN(v.Float()) {
			v.SetFloat(0)
		}
	}
}

// A newer writer adds fields, an older one lacks some: both are read.
func TestEvolution(t *testing.T) {
	for _, typ := range types {
		t.Run(string(typ), func(t *testing.T) {
			b, err := event.Encode(nil, full(typ))
			require.NoError(t, err)
			fields, _, err := msgp.ReadMapStrIntfBytes(b, nil)
			require.NoError(t, err)

			more := maps.Clone(fields)
			more["from_the_future"] = []any{map[string]any{"deep": []any{int64(1), "two", nil}}, 3.5, []byte{1}}
			more["another"] = "x"
			require.Equal(t, full(typ), decode(t, typ, more))

			for name := range fields {
				less := maps.Clone(fields)
				delete(less, name)
				require.Equal(t, without(t, full(typ), name), decode(t, typ, less), "without %s", name)
			}
		})
	}
}

func decode(t *testing.T, typ event.Type, fields map[string]any) event.Event {
	t.Helper()
	b, err := msgp.AppendMapStrIntf(nil, fields)
	require.NoError(t, err)
	e, err := event.Decode(typ, b)
	require.NoError(t, err)
	return e
}

// without sets the field with the given name on the wire to zero.
func without(t *testing.T, e event.Event, name string) event.Event {
	t.Helper()
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("msg")
		if tag == name || tag == name+",omitempty" {
			v.Field(i).SetZero()
			return e
		}
	}
	t.Fatalf("no field is called %s", name)
	return nil
}

func TestDecodeRefuses(t *testing.T) {
	tick, err := event.Encode(nil, &event.Tick{At: 1})
	require.NoError(t, err)
	fields := func(header ...byte) []byte { return append([]byte("\x81\xa6fields"), header...) }
	tests := map[string]struct {
		typ  event.Type
		b    []byte
		want string
	}{
		"unknown type":         {"nonsense", tick, `unknown type "nonsense"`},
		"nothing":              {event.TypeTick, nil, "decode tick"},
		"bytes after":          {event.TypeTick, append(slices.Clone(tick), 0xc0), "1 bytes after its end"},
		"cut":                  {event.TypeTick, tick[:len(tick)-1], "decode tick"},
		"not a map":            {event.TypeTick, []byte{0x01}, "decode tick"},
		"another's type":       {event.TypeTick, []byte("\x81\xa2at\xa1x"), "decode tick"},
		"too long":             {event.TypeTick, make([]byte, event.MaxBytes+1), "limit 4194304"},
		"four billion fields":  {event.TypeChange, fields(0xdd, 0xff, 0xff, 0xff, 0xff), "decode change"},
		"one field too many":   {event.TypeChange, append(fields(0xdc, 0x20, 0x01), make([]byte, 9000)...), "decode change"},
		"four billion headers": {event.TypeAttempt, []byte("\x81\xa7headers\xdd\xff\xff\xff\xff"), "decode attempt"},
		"four billion bytes":   {event.TypeDeadLetter, []byte("\x81\xa5bytes\xc6\xff\xff\xff\xff"), "decode dead_letter"},
		"four billion letters": {event.TypeChange, []byte("\x81\xa2id\xdb\xff\xff\xff\xff"), "decode change"},
		"deep nesting":         {event.TypeTick, append([]byte("\x81\xa1x"), bytesOf(0x91, 1<<20)...), "decode tick"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var e event.Event
			var err error
			allocated := allocations(func() { e, err = event.Decode(tt.typ, tt.b) })
			require.ErrorIs(t, err, event.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, e)
			require.Less(t, allocated, uint64(64<<10), "a refusal costs next to nothing")
		})
	}
}

func bytesOf(b byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

// allocations is how many bytes f asked for, freed ones included.
func allocations(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What Validate lets through can be decoded again: the two limits are one.
func TestLimitsAgree(t *testing.T) {
	c := valid(event.TypeChange).(*event.Change)
	c.Fields = make([]event.Field, event.MaxFields)
	require.NoError(t, c.Validate())
	b, err := event.Encode(nil, c)
	require.NoError(t, err)
	_, err = event.Decode(event.TypeChange, b)
	require.NoError(t, err)

	c.Fields = append(c.Fields, event.Field{})
	require.ErrorContains(t, c.Validate(), "fields has 8193 entries, limit 8192")
	b, err = event.Encode(nil, c)
	require.NoError(t, err)
	_, err = event.Decode(event.TypeChange, b)
	require.ErrorIs(t, err, event.ErrInvalid)
}

// Any bytes at all: no panic, memory in proportion, and what is accepted has
// one form from then on.
func FuzzDecode(f *testing.F) {
	for i, typ := range types {
		b, err := event.Encode(nil, full(typ))
		require.NoError(f, err)
		f.Add(uint8(i), b)
		f.Add(uint8(i), b[:len(b)/2])
		f.Add(uint8(i), []byte{0x80})
	}
	f.Add(uint8(0), []byte("\x81\xa6fields\xdd\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		typ := types[int(i)%len(types)]
		var e event.Event
		var err error
		allocated := allocations(func() { e, err = event.Decode(typ, b) })
		if limit := uint64(8<<20 + 256*len(b)); allocated > limit {
			t.Fatalf("%d bytes made Decode allocate %d", len(b), allocated)
		}
		if err != nil {
			require.ErrorIs(t, err, event.ErrInvalid)
			return
		}
		once, err := event.Encode(nil, e)
		require.NoError(t, err)
		back, err := event.Decode(typ, once)
		require.NoError(t, err)
		twice, err := event.Encode(nil, back)
		require.NoError(t, err)
		require.Equal(t, once, twice)
		_ = e.Validate()
	})
}

func BenchmarkCodec(b *testing.B) {
	for _, typ := range []event.Type{event.TypeChange, event.TypeAttempt, event.TypeDelivery} {
		e := full(typ)
		data, err := event.Encode(nil, e)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("encode/%s", typ), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			buf := make([]byte, 0, 2*len(data))
			for b.Loop() {
				buf, _ = event.Encode(buf[:0], e)
			}
		})
		b.Run(fmt.Sprintf("decode/%s", typ), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, _ = event.Decode(typ, data)
			}
		})
	}
}
