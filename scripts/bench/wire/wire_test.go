package wire

import (
	"encoding/binary"
	jsonv1 "encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/fxamacker/cbor/v2"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/pierrec/lz4/v4"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"plumbline.dev/schemas/event"
)

// codec encodes into buf and decodes into a fresh message, as a producer and
// a consumer do.
type codec struct {
	name   string
	in     func(event.Event) any // the form the codec works on
	encode func(buf []byte, v any) ([]byte, error)
	decode func(b []byte, like any) (any, error)
}

// jsonForm is the message with the wire names as JSON names, empty fields
// left out: the same contract, the same evolution rules. Nested fields keep
// their own, longer JSON names (name, value, text for f, v, t).
func jsonForm(e event.Event) any {
	v := reflect.ValueOf(e)
	return v.Convert(reflect.PointerTo(tagged(v.Type().Elem()))).Interface()
}

func tagged(t reflect.Type) reflect.Type {
	switch t.Kind() {
	case reflect.Struct:
		var fields []reflect.StructField
		for f := range t.Fields() {
			tag := f.Tag.Get("msg")
			name, omitted := strings.CutSuffix(tag, ",omitempty")
			json, cbor := name, name
			if omitted { // the two JSON versions disagree on omitempty, not on omitzero
				json, cbor = name+",omitzero", name+",omitempty"
			}
			fields = append(fields, reflect.StructField{
				Name: f.Name, Type: f.Type,
				Tag: reflect.StructTag(fmt.Sprintf(`json:"%s" cbor:"%s"`, json, cbor)),
			})
		}
		return reflect.StructOf(fields)
	default:
		return t
	}
}

func codecs() []codec {
	return []codec{
		{
			"msgp", func(e event.Event) any { return e },
			func(buf []byte, v any) ([]byte, error) { return event.Encode(buf, v.(event.Event)) },
			func(b []byte, like any) (any, error) { return event.Decode(like.(event.Event).EventType(), b) },
		},
		{
			"protobuf", func(e event.Event) any { return toProto(e) },
			func(buf []byte, v any) ([]byte, error) {
				return proto.MarshalOptions{}.MarshalAppend(buf, v.(proto.Message))
			},
			func(b []byte, like any) (any, error) {
				m := like.(proto.Message).ProtoReflect().New().Interface()
				return m, proto.Unmarshal(b, m)
			},
		},
		{
			"cbor", jsonForm,
			func(buf []byte, v any) ([]byte, error) { b, err := cbor.Marshal(v); return append(buf, b...), err },
			func(b []byte, like any) (any, error) {
				out := reflect.New(reflect.TypeOf(like).Elem()).Interface()
				return out, cbor.Unmarshal(b, out)
			},
		},
		{
			"json v2", jsonForm,
			func(buf []byte, v any) ([]byte, error) { b, err := jsonv2.Marshal(v); return append(buf, b...), err },
			func(b []byte, like any) (any, error) {
				out := reflect.New(reflect.TypeOf(like).Elem()).Interface()
				return out, jsonv2.Unmarshal(b, out)
			},
		},
		{
			"encoding/json", jsonForm,
			func(buf []byte, v any) ([]byte, error) { b, err := jsonv1.Marshal(v); return append(buf, b...), err },
			func(b []byte, like any) (any, error) {
				out := reflect.New(reflect.TypeOf(like).Elem()).Interface()
				return out, jsonv1.Unmarshal(b, out)
			},
		},
	}
}

var messages = []struct {
	name string
	e    event.Event
}{{"change", change()}, {"attempt", attempt()}, {"delivery", delivery()}}

// Every codec brings back what it was given: else its figures mean nothing.
func TestCodecsRoundTrip(t *testing.T) {
	for _, m := range messages {
		for _, c := range codecs() {
			in := c.in(m.e)
			b, err := c.encode(nil, in)
			require.NoError(t, err)
			out, err := c.decode(b, in)
			require.NoError(t, err)
			if p, ok := in.(proto.Message); ok {
				require.True(t, proto.Equal(p, out.(proto.Message)))
				continue
			}
			require.Equal(t, in, out, "%s %s", c.name, m.name)
		}
	}
}

// TestTable prints what the decision record cites, all codecs in one run.
func TestTable(t *testing.T) {
	if os.Getenv("WIRE_TABLE") == "" {
		t.Skip("run.sh sets WIRE_TABLE: measuring takes half a minute")
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "message\tcodec\tencode ns\tallocs\tdecode ns\tallocs\tB alloc\tbytes\tlz4 bytes, in batches of 100\t")
	for _, m := range messages {
		for _, c := range codecs() {
			in := c.in(m.e)
			b, err := c.encode(nil, in)
			require.NoError(t, err)
			enc := testing.Benchmark(func(bench *testing.B) {
				bench.ReportAllocs()
				buf := make([]byte, 0, 4096)
				for bench.Loop() {
					buf, _ = c.encode(buf[:0], in)
				}
			})
			dec := testing.Benchmark(func(bench *testing.B) {
				bench.ReportAllocs()
				for bench.Loop() {
					_, _ = c.decode(b, in)
				}
			})
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", m.name, c.name, enc.NsPerOp(), enc.AllocsPerOp(),
				dec.NsPerOp(), dec.AllocsPerOp(), dec.AllocedBytesPerOp(), len(b), compressed(t, c, m.e))
		}
	}
	require.NoError(t, w.Flush())
}

// compressed is the size of one record in a batch of a hundred.
func compressed(t *testing.T, c codec, e event.Event) int {
	t.Helper()
	const n = 100
	var all []byte
	for _, m := range batch(n, e) {
		b, err := c.encode(nil, c.in(m))
		require.NoError(t, err)
		all = append(binary.AppendUvarint(all, uint64(len(b))), b...)
	}
	out := make([]byte, lz4.CompressBlockBound(len(all)))
	size, err := lz4.CompressBlock(all, out, nil)
	require.NoError(t, err)
	return size / n
}
