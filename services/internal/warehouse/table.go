package warehouse

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// EncoderVersion names this mapping of events to rows. It stands in a batch's
// intent: what another version began is settled by reading back, not by hash.
const EncoderVersion = 1

// Row is one event and where it was read.
type Row struct {
	Topic     string
	Epoch     string // Kafka's id of the topic
	Partition int32
	Offset    int64
	Cause     topic.Cause
	Event     event.Event
}

// Table maps one type of event to the columns of one table.
type Table struct {
	Name    string
	Type    event.Type
	columns []Column
	month   func(event.Event) int    // the partition it goes to; 0 where the table has none
	version func(event.Event) uint64 // 0 for what never changes
	insert  string
	wire    []clickhouse.ColumnNameAndType
}

// tables lists every table that the sink fills.
var tables = []*Table{
	changesTable(), attemptsTable(), observationsTable(), signalsTable(), deadLettersTable(),
	failuresTable(), deliveriesTable(), divergencesTable(), reconciliationsTable(), verdictsTable(),
	incidentsTable(), kpiMinutesTable(), kpiHoursTable(), alertsTable(), agentStatesTable(), accessesTable(), explanationsTable(),
}

// FindTable returns the table of a public name, or nil.
func FindTable(name string) *Table {
	for _, t := range tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// define completes a table: every one ends with the coordinates.
func define(t Table) *Table {
	t.columns = append(t.columns, coordinates(t.version)...)
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = "`" + c.name + "`"
		t.wire = append(t.wire, clickhouse.ColumnNameAndType{Name: c.name, Type: c.wire})
	}
	t.insert = "INSERT INTO " + t.Name + "_raw (" + strings.Join(names, ", ") + ")"
	return &t
}

// Month is the ClickHouse partition of an event: an INSERT must stay within
// one to be stored as a whole or not at all.
func (t *Table) Month(ev event.Event) int {
	if t.month == nil {
		return 0
	}
	return t.month(ev)
}

// Check reports why an event cannot be a row of this table. Rows that passed
// are never the reason for a refused INSERT, unless the table was altered.
func (t *Table) Check(ev event.Event) error {
	if ev.EventType() != t.Type {
		return fmt.Errorf("%w: a %s is no row of %s", event.ErrInvalid, ev.EventType(), t.Name)
	}
	for i := range t.columns {
		if c := &t.columns[i]; c.check != nil {
			if err := c.check(ev); err != nil {
				return err
			}
		}
	}
	return nil
}

// maxOutputs bounds the outputs of one input that _rank can tell apart.
const maxOutputs = 1 << 10

// rank orders rows with one key: the later input wins, and of one input's
// outputs the last.
func rank(version uint64, n int32) uint64 {
	return version*maxOutputs + uint64(min(n, maxOutputs-1))
}

func coordinates(version func(event.Event) uint64) []Column {
	return []Column{
		{name: "_topic", wire: "String", put: func(c *cells, r *Row) { c.str(r.Topic) }},
		{name: "_epoch", wire: "String", put: func(c *cells, r *Row) { c.str(r.Epoch) }},
		{name: "_partition", wire: "UInt32", put: func(c *cells, r *Row) {
			c.data = binary.LittleEndian.AppendUint32(c.data, uint32(r.Partition))
		}},
		{name: "_offset", wire: "UInt64", put: func(c *cells, r *Row) { c.u64(uint64(r.Offset)) }},
		{name: "_rank", wire: "UInt64", put: func(c *cells, r *Row) {
			v := uint64(0)
			if version != nil {
				v = rank(version(r.Event), r.Cause.N)
			}
			c.u64(v)
		}},
	}
}
