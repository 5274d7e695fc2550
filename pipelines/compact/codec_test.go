package compact_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/compact"
	"plumbline.dev/schemas/event"
)

// all has every kind of field.
type all struct {
	Text   string
	Yes    bool
	Int    int
	Small  int32
	Long   int64
	Count  uint32
	Sum    uint64
	Share  float64
	At     event.Time
	Told   [2]event.Time
	Names  []string
	Times  []event.Time
	Inner  inner
	Inners []inner
	Maybe  *inner
	Event  *event.Divergence
	Whole  event.Failure
	Not    string `msg:"-"`
}

type inner struct {
	Value event.Value
	Saw   *event.Actor
	At    event.Time
}

var codec = compact.New[all]("word", "observed")

// fill gives a value random contents; some of it stays empty.
func fill(rng *rand.Rand, v reflect.Value, deep int) {
	if rng.IntN(4) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"word", "observed", "", "x", fmt.Sprint("text ", rng.IntN(60))}[rng.IntN(5)])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt([]int64{1, -1, int64(int32(rng.Uint32())), 1_790_000_000}[rng.IntN(4)])
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(rng.Uint32()))
	case reflect.Float64:
		v.SetFloat(rng.Float64())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("msg") != "-" {
				fill(rng, v.Field(i), deep+1)
			}
		}
	case reflect.Pointer:
		if deep < 4 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rng, v.Elem(), deep+1)
		}
	case reflect.Slice:
		if n := rng.IntN(4); n > 0 && deep < 4 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		for i := range v.Len() {
			fill(rng, v.Index(i), deep+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(rng, v.Index(i), deep+1)
		}
	}
}

func TestReadGivesWhatWasWritten(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test's own dice
	for range 3000 {
		var want, got all
		fill(rng, reflect.ValueOf(&want).Elem(), 0)
		b := codec.Append([]byte("before"), &want)
		require.NoError(t, codec.Read(b[len("before"):], &got))
		require.Equal(t, want, got)
		require.Equal(t, b, codec.Append([]byte("before"), &got), "the same bytes again")
	}
}

func TestNothingIsOneByte(t *testing.T) {
	require.Equal(t, []byte{0}, codec.Append(nil, &all{}))
}

// Bytes that are cut or changed are refused or read as something; never a panic.
func TestDamagedBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // a test's own dice
	for range 300 {
		var v all
		fill(rng, reflect.ValueOf(&v).Elem(), 0)
		b := codec.Append(nil, &v)
		for cut := range b {
			require.ErrorIs(t, codec.Read(b[:cut], &all{}), compact.ErrDamaged)
		}
		for range 50 {
			bad := append([]byte(nil), b...)
			bad[rng.IntN(len(bad))] = byte(rng.UintN(256))
			_ = codec.Read(bad, &all{})
		}
		require.ErrorIs(t, codec.Read(append(b, 0), &all{}), compact.ErrDamaged)
	}
}

// One version adds a field: it reads what the other wrote, and not the reverse.
func TestFieldsAreAddedAtTheEnd(t *testing.T) {
	type first struct{ A, B string }
	type second struct {
		A, B string
		C    int
	}
	older, newer := compact.New[first]("w"), compact.New[second]("w", "more")
	var s second
	require.NoError(t, newer.Read(older.Append(nil, &first{"b", "b"}), &s))
	require.Equal(t, second{A: "b", B: "b"}, s)
	require.ErrorIs(t, older.Read(newer.Append(nil, &second{C: 1}), &first{}), compact.ErrDamaged)
}
