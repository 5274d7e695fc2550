package warehouse

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"plumbline.dev/schemas/event"
)

// Column makes one column of a block. Words of small sets travel as plain
// strings and become LowCardinality in the server: the client library builds
// dictionaries through reflection, several times slower.
type Column struct {
	name   string
	wire   string
	values func([]Row) any
	check  func(event.Event) error
}

// id is text that identifies something: it must not be changed on the way.
func id[E event.Event](name string, get func(E) string) Column {
	c := text(name, get)
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
	return of(name, "String", func(e E) string { return valid(get(e)) })
}

func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// of is a column whose Go type is its wire type.
func of[E event.Event, T any](name, wire string, get func(E) T) Column {
	return Column{name: name, wire: wire, values: gather(func(r *Row) T { return get(r.Event.(E)) })}
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
	c := of(name, timeType, func(e E) int64 { return int64(get(e)) })
	c.check = inRange(name, get)
	return c
}

// maybe is a time that is null until it is known.
func maybe[E event.Event](name string, get func(E) event.Time) Column {
	c := of(name, "Nullable("+timeType+")", func(e E) *int64 {
		if t := int64(get(e)); t != 0 {
			return &t
		}
		return nil
	})
	c.check = inRange(name, get)
	return c
}

func flag[E event.Event](name string, get func(E) bool) Column { return of(name, "Bool", get) }

func int64s[E event.Event](name string, get func(E) int64) Column { return of(name, "Int64", get) }

// count clamps: a sender's absurd number is no reason to lose its row.
func count[E event.Event](name string, get func(E) int) Column {
	return of(name, "UInt32", func(e E) uint32 { return uint32(min(max(get(e), 0), 1<<32-1)) })
}

func status[E event.Event](get func(E) int) Column {
	return of("status", "UInt16", func(e E) uint16 { return uint16(min(max(get(e), 0), 1<<16-1)) })
}

// fields is a map from name to what a person may see of the value.
func fields[E event.Event](name string, get func(E) []event.Field) Column {
	return of(name, "Map(String, String)", func(e E) fieldMap { return fieldMap(get(e)) })
}

// fieldMap hands fields to the client library without building a map.
type fieldMap []event.Field

// Put implements column.IterableOrderedMap; it is for reading, which nobody does.
func (fieldMap) Put(any, any) {}

// Iterator implements column.IterableOrderedMap.
func (m fieldMap) Iterator() column.MapIterator { return &fieldIterator{m, -1} }

type fieldIterator struct {
	list fieldMap
	at   int
}

func (i *fieldIterator) Next() bool { i.at++; return i.at < len(i.list) }
func (i *fieldIterator) Key() any   { return valid(i.list[i.at].Name) }
func (i *fieldIterator) Value() any { return valid(i.list[i.at].Value.Show()) }

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
