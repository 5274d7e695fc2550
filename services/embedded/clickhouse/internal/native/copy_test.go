package native

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
	"github.com/stretchr/testify/require"
)

func sample(t *testing.T, revision uint64) []byte {
	t.Helper()
	b := proto.NewBlock()
	for _, typ := range []column.Type{
		"UInt64", "String", "Nullable(String)", "Array(LowCardinality(String))", "LowCardinality(Nullable(String))",
		"Map(String, Array(UInt8))", "Tuple(a UInt8, bc Nullable(Date))", "Decimal(20, 3)", "FixedString(3)",
		"Enum8('a, (' = 1, 'b' = 2)", "DateTime64(3, 'UTC')",
	} {
		require.NoError(t, b.AddColumn("c", typ))
	}
	long := strings.Repeat("x", 200_000)
	for i := range 50 {
		text := strings.Repeat("s", i)
		if i == 25 {
			text = long
		}
		require.NoError(t, b.Append(uint64(i), text, nil, []string{"a", text}, &text,
			map[string][]uint8{"k": {1, 2, 3}}, []any{uint8(i), nil}, "1.5", "abc", "b", "2024-01-01 00:00:00"))
	}
	buf := &chproto.Buffer{}
	require.NoError(t, b.Encode(buf, revision))
	return buf.Buf
}

func TestCopyMatchesEncoding(t *testing.T) {
	for _, revision := range []uint64{0, 54405, proto.DBMS_TCP_PROTOCOL_VERSION} {
		in := append(sample(t, 0), sample(t, 0)...)
		var out bytes.Buffer
		require.NoError(t, Copy(&out, iotest.HalfReader(bytes.NewReader(in)), revision))
		require.True(t, bytes.Equal(append(sample(t, revision), sample(t, revision)...), out.Bytes()), revision)
	}
}

func TestCopyTruncated(t *testing.T) {
	in := sample(t, 0)
	for _, n := range []int{1, 3, 100, len(in) / 2, len(in) - 1} {
		require.Error(t, Copy(&bytes.Buffer{}, bytes.NewReader(in[:n]), 54460), n)
	}
}

func TestParseType(t *testing.T) {
	require.Equal(t, complexTy, parseType("Array(Tuple(x JSON(max_dynamic_paths=1), y UInt8))").shape)
	require.Equal(t, dataType{shape: str}, parseType("SimpleAggregateFunction(anyLast, String)"))
	require.Equal(t, dataType{width: 16}, parseType("Decimal(38, 5)"))
	require.Equal(t, array, parseType("Polygon").shape)
}

func FuzzCopy(f *testing.F) {
	f.Add([]byte{1, 1, 1, 'a', 5, 'U', 'I', 'n', 't', '8', 7})
	f.Fuzz(func(_ *testing.T, in []byte) { _ = Copy(&bytes.Buffer{}, bytes.NewReader(in), 54460) })
}
