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
	tables map[event.Type]*warehouse.Table
	epoch  string
}

func newDecoder(spec topic.Spec, epoch string) (*decoder, error) {
	d := &decoder{tables: map[event.Type]*warehouse.Table{}, epoch: epoch}
	for _, f := range spec.Tables {
		t := warehouse.FindTable(f.Table)
		if t == nil || t.Type != f.Type {
			return nil, fmt.Errorf("sink: topic %s fills %s with %s, which has no mapping", spec.Name, f.Table, f.Type)
		}
		d.tables[f.Type] = t
	}
	return d, nil
}

// Results, the label of the records metric.
const (
	resultRow      = "row"
	resultFiltered = "filtered" // a type that fills no table
	resultUnknown  = "unknown"  // a type or schema this version does not know
	resultRefused  = "refused"  // dead-lettered
)

func (d *decoder) fate(r *bus.Fetched) (fate, string) {
	f := fate{size: len(r.Value) + 256, sum: crc32.Checksum(r.Value, castagnoli), received: r.Time}
	f.row = warehouse.Row{
		Topic: r.Topic, Epoch: d.epoch, Partition: r.Partition, Offset: r.Offset, Cause: r.Cause, Event: r.Event,
	}
	if r.Err != nil {
		f.letter = d.letter(r, "sink", "undecodable", r.Err)
		return f, resultRefused
	}
	if r.Event == nil {
		return f, resultUnknown
	}
	t := d.tables[r.Event.EventType()]
	if t == nil {
		f.row.Event = nil // nobody needs it any more
		return f, resultFiltered
	}
	if err := t.Check(r.Event); err != nil {
		f.letter = d.letter(r, "sink:"+t.Name, "invalid", err)
		return f, resultRefused
	}
	f.table = t
	return f, resultRow
}

// maxLetterBytes leaves room for a dead letter's own fields in one message.
const maxLetterBytes = 1 << 20

// letter has an id made of the record's place: written twice, it counts once.
func (d *decoder) letter(r *bus.Fetched, origin, code string, reason error) *event.DeadLetter {
	return &event.DeadLetter{
		ID:     letterID(r.Topic, d.epoch, r.Partition, r.Offset),
		Origin: origin, Code: code, Reason: reason.Error(), ReceivedAt: r.Time,
		Bytes: r.Value[:min(len(r.Value), maxLetterBytes)],
	}
}

func letterID(topicName, epoch string, partition int32, offset int64) string {
	return event.Hash("dead", topicName, epoch, strconv.Itoa(int(partition)), strconv.FormatInt(offset, 10))
}
