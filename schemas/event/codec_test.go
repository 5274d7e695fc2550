package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"pgregory.net/rapid"
)

func TestRoundTrip(t *testing.T) {
	t.Run("change", roundTrip[Change])
	t.Run("attempt", roundTrip[Attempt])
	t.Run("observation", roundTrip[Observation])
	t.Run("signal", roundTrip[Signal])
	t.Run("tick", roundTrip[Tick])
	t.Run("link", roundTrip[Link])
	t.Run("delivery", roundTrip[Delivery])
	t.Run("failure", roundTrip[Failure])
	t.Run("divergence", roundTrip[Divergence])
	t.Run("partial", roundTrip[Partial])
	t.Run("dead letter", roundTrip[DeadLetter])
	t.Run("pulse", roundTrip[Pulse])
	t.Run("kpi minute", roundTrip[KPIMinute])
	t.Run("kpi hour", roundTrip[KPIHour])
	t.Run("incident", roundTrip[Incident])
}

// roundTrip draws any message: what is decoded equals it, owns its memory,
// and encodes to the same bytes again.
func roundTrip[T any, P interface {
	*T
	Event
}](t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.Make[T]().Draw(t, "message")
		want := P(&drawn)
		tidy(reflect.ValueOf(want).Elem())
		b, err := Encode(nil, want)
		require.NoError(t, err)
		scratch := slices.Clone(b)
		got, err := Decode(want.EventType(), scratch)
		require.NoError(t, err)
		for i := range scratch { // the reader's buffer is used again
			scratch[i] = 0xaa
		}
		require.Equal(t, Event(want), got)
		again, err := Encode([]byte("prefix"), got)
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
		for _, f := range v.Fields() {
			tidy(f)
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
			b, err := Encode(nil, full(typ))
			require.NoError(t, err)
			fields := fieldsOf(t, b)

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

// fieldsOf takes a message apart, whichever of the two ways it is written.
func fieldsOf(t *testing.T, b []byte) map[string]any {
	t.Helper()
	if b[0] == '{' {
		fields := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(b, &fields))
		if data, ok := fields["data"]; ok { // an envelope: what is inside evolves
			clear(fields)
			require.NoError(t, json.Unmarshal(data, &fields))
		}
		out := map[string]any{}
		for name, raw := range fields {
			out[name] = raw
		}
		return out
	}
	fields, _, err := msgp.ReadMapStrIntfBytes(b, nil)
	require.NoError(t, err)
	return fields
}

func decode(t *testing.T, typ Type, fields map[string]any) Event {
	t.Helper()
	b, err := msgp.AppendMapStrIntf(nil, fields)
	if raw, _ := Encode(nil, New(typ)); raw[0] == '{' {
		b, err = json.Marshal(fields)
	}
	if typ == TypeAlert {
		b, err = json.Marshal(map[string]any{"specversion": "1.0", "type": AlertType, "data": fields})
	}
	require.NoError(t, err)
	e, err := Decode(typ, b)
	require.NoError(t, err)
	return e
}

// without sets the field with the given name on the wire to zero.
func without(t *testing.T, e Event, name string) Event {
	t.Helper()
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		tags := v.Type().Field(i).Tag
		tag := tags.Get("msg") + tags.Get("json")
		if first, _, _ := strings.Cut(tag, ","); first == name {
			v.Field(i).SetZero()
			return e
		}
	}
	t.Fatalf("no field is called %s", name)
	return nil
}

func TestDecodeRefuses(t *testing.T) {
	tick, err := Encode(nil, &Tick{At: 1})
	require.NoError(t, err)
	fields := func(header ...byte) []byte { return append([]byte("\x81\xa6fields"), header...) }
	tests := map[string]struct {
		typ  Type
		b    []byte
		want string
	}{
		"unknown type":         {"nonsense", tick, `unknown type "nonsense"`},
		"nothing":              {TypeTick, nil, "decode tick"},
		"bytes after":          {TypeTick, append(slices.Clone(tick), 0xc0), "1 bytes after its end"},
		"cut":                  {TypeTick, tick[:len(tick)-1], "decode tick"},
		"not a map":            {TypeTick, []byte{0x01}, "decode tick"},
		"another's type":       {TypeTick, []byte("\x81\xa2at\xa1x"), "decode tick"},
		"too long":             {TypeTick, make([]byte, MaxBytes+1), "limit 4194304"},
		"four billion fields":  {TypeChange, fields(0xdd, 0xff, 0xff, 0xff, 0xff), "decode change"},
		"one field too many":   {TypeChange, append(fields(0xdc, 0x20, 0x01), make([]byte, 9000)...), "decode change"},
		"four billion headers": {TypeAttempt, []byte("\x81\xa7headers\xdd\xff\xff\xff\xff"), "decode attempt"},
		"four billion bytes":   {TypeDeadLetter, []byte("\x81\xa5bytes\xc6\xff\xff\xff\xff"), "decode dead_letter"},
		"four billion letters": {TypeChange, []byte("\x81\xa2id\xdb\xff\xff\xff\xff"), "decode change"},
		"deep nesting":         {TypeTick, append([]byte("\x81\xa1x"), bytesOf(0x91, 1<<20)...), "decode tick"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var e Event
			var err error
			allocated := allocations(func() { e, err = Decode(tt.typ, tt.b) })
			require.ErrorIs(t, err, ErrInvalid)
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
	c := valid(TypeChange).(*Change)
	c.Fields = make([]Field, MaxFields)
	require.NoError(t, c.Validate())
	b, err := Encode(nil, c)
	require.NoError(t, err)
	_, err = Decode(TypeChange, b)
	require.NoError(t, err)

	c.Fields = append(c.Fields, Field{})
	require.ErrorContains(t, c.Validate(), "fields has 8193 entries, limit 8192")
	b, err = Encode(nil, c)
	require.NoError(t, err)
	_, err = Decode(TypeChange, b)
	require.ErrorIs(t, err, ErrInvalid)
}

// Any bytes at all: no panic, memory in proportion, and what is accepted has
// one form from then on.
func FuzzDecode(f *testing.F) {
	for i, typ := range types {
		b, err := Encode(nil, full(typ))
		require.NoError(f, err)
		f.Add(uint8(i), b)
		f.Add(uint8(i), b[:len(b)/2])
		f.Add(uint8(i), []byte{0x80})
	}
	f.Add(uint8(0), []byte("\x81\xa6fields\xdd\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, i uint8, b []byte) {
		typ := types[int(i)%len(types)]
		var e Event
		var err error
		allocated := allocations(func() { e, err = Decode(typ, b) })
		if limit := uint64(8<<20 + 256*len(b)); allocated > limit {
			t.Fatalf("%d bytes made Decode allocate %d", len(b), allocated)
		}
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		once, err := Encode(nil, e)
		require.NoError(t, err)
		back, err := Decode(typ, once)
		require.NoError(t, err)
		twice, err := Encode(nil, back)
		require.NoError(t, err)
		require.Equal(t, once, twice)
		_ = e.Validate()
	})
}

func BenchmarkCodec(b *testing.B) {
	for _, typ := range []Type{TypeChange, TypeAttempt, TypeDelivery} {
		e := full(typ)
		data, err := Encode(nil, e)
		require.NoError(b, err)
		b.Run(fmt.Sprintf("encode/%s", typ), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			buf := make([]byte, 0, 2*len(data))
			for b.Loop() {
				buf, _ = Encode(buf[:0], e)
			}
		})
		b.Run(fmt.Sprintf("decode/%s", typ), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				_, _ = Decode(typ, data)
			}
		})
	}
}
