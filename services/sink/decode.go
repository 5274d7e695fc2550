package sink

import (
	"fmt"
	"hash/crc32"
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// decoder decides the fate of a topic's records. The same record always has
// the same fate: a range that is read again must give the same rows.
type decoder struct {
	topic, epoch string
	kinds        map[event.Type]*kind
	readable     map[event.Type]bool // types without a table: ticks by the million
	erased       *erased
}

// kind is a type of event that fills a table. Its reader is for one goroutine.
type kind struct {
	table  *warehouse.Table
	reader *event.Borrower
}

func newDecoder(spec topic.Spec, epoch string) (*decoder, error) {
	d := &decoder{topic: spec.Name, epoch: epoch, kinds: map[event.Type]*kind{}, readable: map[event.Type]bool{}}
	for _, f := range spec.Tables {
		t := warehouse.FindTable(f.Table)
		if t == nil || t.Type != f.Type {
			return nil, fmt.Errorf("sink: topic %s fills %s with %s, which has no mapping", spec.Name, f.Table, f.Type)
		}
		d.kinds[f.Type] = &kind{table: t, reader: event.NewBorrower(f.Type)}
	}
	return d, nil
}

// Results, the label of the records metric.
const (
	resultRow      = "row"
	resultFiltered = "filtered" // a type that fills no table
	resultUnknown  = "unknown"  // a type or schema this version does not know
	resultRefused  = "refused"  // dead-lettered
	resultErased   = "erased"   // of a person who was removed
)

// fate is what becomes of one record. It is decoded when its batch is made.
type fate struct {
	offset   int64
	value    []byte
	received event.Time
	kind     *kind             // nil: no row
	letter   *event.DeadLetter // not nil: a dead letter instead
	n        int32             // which output of its cause
	sum      uint32            // of the record's bytes
	month    int32             // the ClickHouse partition it goes to
}

func (f *fate) size() int { return len(f.value) + 256 }

func (f *fate) kept() int {
	if f.kind != nil || f.letter != nil {
		return 1
	}
	return 0
}

// fate looks at a record's headers. What fills no table needs no bytes.
func (d *decoder) fate(r *bus.Fetched) (fate, string) {
	f := fate{
		offset: r.Offset, received: r.Time, n: r.Cause.N, sum: crc32.Checksum(r.Value, castagnoli), kind: d.kinds[r.Kind],
	}
	switch {
	case r.Err != nil:
		f.kind, f.value = nil, r.Value
		f.letter = d.letter(&f, r.Partition, "sink", "undecodable", r.Err)
		return f, resultRefused
	case f.kind != nil:
		f.value = r.Value
		return f, resultRow
	case d.known(r.Kind):
		return f, resultFiltered
	}
	return f, resultUnknown
}

func (d *decoder) known(t event.Type) bool {
	known, asked := d.readable[t]
	if !asked && len(d.readable) < 100 {
		known = event.New(t) != nil
		d.readable[t] = known
	}
	return known
}

// row reads a record that fills a table. The row is valid until the next one.
func (d *decoder) row(f *fate, partition int32, row *warehouse.Row) error {
	ev, err := d.kinds[f.kind.table.Type].reader.Decode(f.value)
	if err != nil {
		return err
	}
	*row = warehouse.Row{
		Topic: d.topic, Epoch: d.epoch, Partition: partition, Offset: f.offset, Cause: topic.Cause{N: f.n}, Event: ev,
	}
	return nil
}

// refuse gives a record up that cannot be a row.
func (d *decoder) refuse(f *fate, partition int32, code string, reason error) {
	origin := "sink"
	if code != "undecodable" {
		origin = "sink:" + f.kind.table.Name
	}
	f.letter = d.letter(f, partition, origin, code, reason)
	f.kind = nil
}

// maxLetterBytes leaves room for a dead letter's own fields in one message.
const maxLetterBytes = 1 << 20

// letter has an id made of the record's place: written twice, it counts once.
func (d *decoder) letter(f *fate, partition int32, origin, code string, reason error) *event.DeadLetter {
	return &event.DeadLetter{
		ID:     letterID(d.topic, d.epoch, partition, f.offset),
		Origin: origin, Code: code, Reason: reason.Error(), ReceivedAt: f.received,
		Bytes: f.value[:min(len(f.value), maxLetterBytes)],
	}
}

func letterID(topicName, epoch string, partition int32, offset int64) string {
	return event.Hash("dead", topicName, epoch, strconv.Itoa(int(partition)), strconv.FormatInt(offset, 10))
}
