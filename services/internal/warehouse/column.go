package warehouse

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"plumbline.dev/schemas/event"
)

// Column makes one column of a block. Words of small sets travel as plain
// strings and become LowCardinality in the server.
type Column struct {
	name  string
	wire  string
	put   func(*cells, *Row)
	text  func(event.Event) string // of ids
	check func(event.Event) error
}

// id is text that identifies something: it must not be changed on the way.
func id[E event.Event](name string, get func(E) string) Column {
	c := text(name, get)
	c.text = func(ev event.Event) string { return get(ev.(E)) }
	c.check = func(ev event.Event) error {
		if !utf8.ValidString(get(ev.(E))) {
			return fmt.Errorf("%w: %s is not valid UTF-8", event.ErrInvalid, name)
		}
		return nil
	}
	return c
}

// text replaces bytes that are no UTF-8: one such value would make every
// JSON answer that contains it unreadable.
func text[E event.Event](name string, get func(E) string) Column {
	return Column{name: name, wire: "String", put: func(c *cells, r *Row) { c.str(valid(get(r.Event.(E)))) }}
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// raw is text that is kept as it came: a String holds any bytes.
func raw[E event.Event](name string, get func(E) []byte) Column {
	return Column{name: name, wire: "String", put: func(c *cells, r *Row) { c.bytes(get(r.Event.(E))) }}
}

func uint64s[E event.Event](name string, get func(E) uint64) Column {
	return Column{name: name, wire: "UInt64", put: func(c *cells, r *Row) { c.u64(get(r.Event.(E))) }}
}

func float64s[E event.Event](name string, get func(E) float64) Column {
	return Column{name: name, wire: "Float64", put: func(c *cells, r *Row) { c.u64(math.Float64bits(get(r.Event.(E)))) }}
}

func int64s[E event.Event](name string, get func(E) int64) Column {
	return Column{name: name, wire: "Int64", put: func(c *cells, r *Row) { c.u64(uint64(get(r.Event.(E)))) }}
}

// nullable is a number that may not be known.
func nullable[E event.Event](name string, get func(E) (n int64, known bool)) Column {
	return Column{name: name, wire: "Nullable(Int64)", put: func(c *cells, r *Row) { c.null(get(r.Event.(E))) }}
}

func flag[E event.Event](name string, get func(E) bool) Column {
	return Column{name: name, wire: "Bool", put: func(c *cells, r *Row) {
		b := byte(0)
		if get(r.Event.(E)) {
			b = 1
		}
		c.data = append(c.data, b)
	}}
}

// count clamps: a sender's absurd number is no reason to lose its row.
func count[E event.Event](name string, get func(E) int) Column {
	return Column{name: name, wire: "UInt32", put: func(c *cells, r *Row) {
		c.data = binary.LittleEndian.AppendUint32(c.data, uint32(min(max(get(r.Event.(E)), 0), 1<<32-1)))
	}}
}

func status[E event.Event](get func(E) int) Column {
	return Column{name: "status", wire: "UInt16", put: func(c *cells, r *Row) {
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(min(max(get(r.Event.(E)), 0), 1<<16-1)))
	}}
}

func texts[E event.Event](name string, get func(E) []string) Column {
	return Column{name: name, wire: "Array(String)", put: func(c *cells, r *Row) {
		for _, s := range get(r.Event.(E)) {
			c.str(valid(s))
			c.items++
		}
		c.offsets = binary.LittleEndian.AppendUint64(c.offsets, c.items)
	}}
}

// list is an array that get adds to, one by one.
func list[E event.Event](name string, get func(e E, add func(uint64))) Column {
	return Column{name: name, wire: "Array(UInt64)", put: func(c *cells, r *Row) {
		get(r.Event.(E), func(n uint64) {
			c.u64(n)
			c.items++
		})
		c.offsets = binary.LittleEndian.AppendUint64(c.offsets, c.items)
	}}
}

func signedList[E event.Event](name string, get func(e E, add func(int64))) Column {
	c := list(name, func(e E, add func(uint64)) { get(e, func(n int64) { add(uint64(n)) }) })
	c.wire = "Array(Int64)"
	return c
}

const timeType = "DateTime64(3, 'UTC')"

// lastTime is where 64-bit nanoseconds end, the range of DateTime64.
var lastTime = event.At(time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC))

func inRange[E event.Event](name string, get func(E) event.Time) func(event.Event) error {
	return func(ev event.Event) error {
		if t := get(ev.(E)); t < 0 || t >= lastTime {
			return fmt.Errorf("%w: %s is %d ms, outside 1970 to 2261", event.ErrInvalid, name, int64(t))
		}
		return nil
	}
}

// at is a time that is always known.
func at[E event.Event](name string, get func(E) event.Time) Column {
	return Column{
		name: name, wire: timeType, check: inRange(name, get),
		put: func(c *cells, r *Row) { c.u64(uint64(get(r.Event.(E)))) },
	}
}

// maybe is a time that is null until it is known.
func maybe[E event.Event](name string, get func(E) event.Time) Column {
	return Column{
		name: name, wire: "Nullable(" + timeType + ")", check: inRange(name, get),
		put: func(c *cells, r *Row) {
			t := int64(get(r.Event.(E)))
			c.null(t, t != 0)
		},
	}
}

// maybeFloat is null where nothing was measured.
func maybeFloat[E event.Event](name string, get func(E) *float64) Column {
	return Column{name: name, wire: "Nullable(Float64)", put: func(c *cells, r *Row) {
		if v := get(r.Event.(E)); v != nil {
			c.null(int64(math.Float64bits(*v)), true)
		} else {
			c.null(0, false)
		}
	}}
}

// counts is a map from name to number.
func counts[E event.Event](name string, get func(E) []event.Count) Column {
	return Column{name: name, wire: "Map(String, Int64)", put: func(c *cells, r *Row) {
		list := get(r.Event.(E))
		for i := range list {
			c.key(valid(list[i].Name))
			c.u64(uint64(list[i].N))
		}
		c.items += uint64(len(list))
		c.offsets = binary.LittleEndian.AppendUint64(c.offsets, c.items)
	}}
}

// fields is a map from name to what a person may see of the value.
func fields[E event.Event](name string, get func(E) []event.Field) Column {
	return Column{name: name, wire: "Map(String, String)", put: func(c *cells, r *Row) {
		list := get(r.Event.(E))
		for i := range list {
			c.key(valid(list[i].Name))
			c.str(valid(list[i].Value.Show()))
		}
		c.items += uint64(len(list))
		c.offsets = binary.LittleEndian.AppendUint64(c.offsets, c.items)
	}}
}

// actor is who acted, in three columns.
func actor[E event.Event](get func(E) event.Actor) []Column {
	return []Column{
		text("actor_kind", func(e E) string { return get(e).Kind }),
		text("actor_id", func(e E) string { return get(e).ID }),
		text("actor_run", func(e E) string { return get(e).Run }),
	}
}

// defaultTenant is whose the data is where nobody configured tenants.
const defaultTenant = "default"

func tenant[E event.Event](get func(E) string) Column {
	return id("tenant", func(e E) string {
		if t := get(e); t != "" {
			return t
		}
		return defaultTenant
	})
}

// received is the month of receipt, a table's partition. Copies and versions
// of a row agree on it: they carry the receipt of one and the same event.
func received[E event.Event](get func(E) event.Time) func(event.Event) int {
	return func(ev event.Event) int {
		t := get(ev.(E)).Std()
		return t.Year()*100 + int(t.Month())
	}
}
