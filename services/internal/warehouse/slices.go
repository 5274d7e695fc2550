package warehouse

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unsafe"

	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// slice reads a column's cells back as the client library wants them. Strings
// stay where they are: valid until the block is reset.
func (c *cells) slice(wire string, rows int) any {
	switch {
	case wire == "String":
		return words(c.data, rows)
	case wire == "Bool":
		return numbers(rows, func(i int) bool { return c.data[i] != 0 })
	case wire == "UInt16":
		return numbers(rows, func(i int) uint16 { return binary.LittleEndian.Uint16(c.data[2*i:]) })
	case wire == "UInt32":
		return numbers(rows, func(i int) uint32 { return binary.LittleEndian.Uint32(c.data[4*i:]) })
	case wire == "UInt64":
		return numbers(rows, c.number)
	case wire == "Float64":
		return numbers(rows, func(i int) float64 { return math.Float64frombits(c.number(i)) })
	case wire == "Int64" || wire == timeType:
		return numbers(rows, func(i int) int64 { return int64(c.number(i)) })
	case wire == "Nullable(Float64)":
		return numbers(rows, func(i int) *float64 {
			if c.nulls[i] != 0 {
				return nil
			}
			n := math.Float64frombits(c.number(i))
			return &n
		})
	case strings.HasPrefix(wire, "Nullable("):
		return numbers(rows, func(i int) *int64 {
			if c.nulls[i] != 0 {
				return nil
			}
			n := int64(c.number(i))
			return &n
		})
	case wire == "Array(UInt64)":
		return lists(c, rows, func(n uint64) uint64 { return n })
	case wire == "Array(Int64)":
		return lists(c, rows, func(n uint64) int64 { return int64(n) })
	case wire == "Array(String)":
		all := words(c.data, int(c.items))
		return numbers(rows, func(i int) []string { from, to := c.items0(i); return all[from:to] })
	case strings.HasPrefix(wire, "Map("):
		keys := words(c.keys, int(c.items))
		value := func(i uint64) any { return int64(c.number(int(i))) }
		if wire == "Map(String, String)" {
			texts := words(c.data, int(c.items))
			value = func(i uint64) any { return texts[i] }
		}
		return numbers(rows, func(i int) pairs {
			from, to := c.items0(i)
			return pairs{keys, value, from, to}
		})
	}
	panic(fmt.Sprintf("warehouse: no way to send a %s", wire))
}

func lists[T any](c *cells, rows int, of func(uint64) T) [][]T {
	all := numbers(int(c.items), func(i int) T { return of(c.number(i)) })
	return numbers(rows, func(i int) []T { from, to := c.items0(i); return all[from:to] })
}

func numbers[T any](rows int, get func(int) T) []T {
	out := make([]T, rows)
	for i := range out {
		out[i] = get(i)
	}
	return out
}

func (c *cells) number(i int) uint64 { return binary.LittleEndian.Uint64(c.data[8*i:]) }

// items0 is where row i's items are.
func (c *cells) items0(i int) (from, to uint64) {
	if i > 0 {
		from = binary.LittleEndian.Uint64(c.offsets[8*(i-1):])
	}
	return from, binary.LittleEndian.Uint64(c.offsets[8*i:])
}

func words(data []byte, n int) []string {
	out := make([]string, n)
	for i := range out {
		size, head := binary.Uvarint(data)
		out[i] = unsafe.String(unsafe.SliceData(data[head:]), int(size))
		data = data[head+int(size):]
	}
	return out
}

// pairs hands a row's map to the client library in its order.
type pairs struct {
	keys     []string
	value    func(uint64) any
	from, to uint64
}

// Put implements column.IterableOrderedMap; it is for reading, which nobody does.
func (pairs) Put(any, any) {}

// Iterator implements column.IterableOrderedMap.
func (m pairs) Iterator() column.MapIterator { return &pairIterator{m, m.from - 1} }

type pairIterator struct {
	m  pairs
	at uint64
}

func (i *pairIterator) Next() bool { i.at++; return i.at < i.m.to }
func (i *pairIterator) Key() any   { return i.m.keys[i.at] }
func (i *pairIterator) Value() any { return i.m.value(i.at) }
