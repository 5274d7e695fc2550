package ledger

import (
	"encoding/hex"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

var updateLayout = flag.Bool("layout", false, "write testdata/record.hex anew: only where the layout only grew")

// whole is a record with something in every field, always the same.
func whole(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString([]string{"observed", "contact", "Email", "person@example.com"}[*n%4])
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1_790_000_000_000 + int64(*n))
		if v.Kind() == reflect.Int32 {
			v.SetInt(int64(*n))
		}
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				whole(v.Field(i), n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		whole(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		whole(v.Index(0), n)
		whole(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			whole(v.Index(i), n)
		}
	}
}

func wholeRecord() *Record {
	var r Record
	n := 0
	whole(reflect.ValueOf(&r).Elem(), &n)
	for i := range r.Gaps { // events have a codec and a golden test of their own
		r.Gaps[i].D = event.Divergence{ID: "d", Integration: "hs-sf"}
	}
	for i := range r.Kept {
		r.Kept[i].Failure = &event.Failure{ID: "f", Integration: "hs-sf"}
	}
	return &r
}

// A restart reads what the version before wrote.
func TestLayoutStaysReadable(t *testing.T) {
	const path = "testdata/record.hex"
	if *updateLayout {
		require.NoError(t, os.WriteFile(path, []byte(hex.EncodeToString(wholeRecord().AppendState(nil))+"\n"), 0o600))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	require.NoError(t, err)
	var got Record
	const why = "a field was put between others, or taken away: state that stands in logs could not be read any more. " +
		"New fields go to the end of their struct; then write the file anew with -layout"
	require.NoError(t, got.ReadState(raw), why)
	require.Equal(t, wholeRecord(), &got, why)
}

// Before it had a layout of its own, a record was MessagePack under the first
// format; such state is read, and written anew in the second.
func TestStateOfTheVersionBeforeIsRead(t *testing.T) {
	const key = "hs-sf/contact/101"
	old, err := wholeRecord().MarshalMsg([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})
	require.NoError(t, err)
	op := New(integrations(), byStatus)
	require.NoError(t, op.Load(key, old))
	op.Step(stream.Ctx{Now: 1}, key, &event.Link{}, &stream.Out{})
	saved := map[string][]byte{}
	require.NoError(t, op.Save(func(key string, value []byte) error {
		saved[strings.Clone(key)] = append([]byte(nil), value...)
		return nil
	}))
	require.EqualValues(t, 2, saved[key][0])
	require.Less(t, len(saved[key]), len(old)/2)
	var got Record
	require.NoError(t, got.ReadState(saved[key][9:]))
	require.Len(t, got.Gaps, 2)
	require.Len(t, got.Kept, 2)

	require.Error(t, op.Load(key, append(saved[key][:9:9], 0xff)), "damaged")
	require.ErrorContains(t, op.Load(key, []byte{3, 0, 0, 0, 0, 0, 0, 0, 0, 0}), "does not know")
}
