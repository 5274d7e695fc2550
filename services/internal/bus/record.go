package bus

import (
	"bytes"
	"slices"
	"strconv"
	"sync"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

var schemaVersion = strconv.AppendInt(nil, event.Schema, 10)

// outside are the headers that every record of one type has, whatever its cause.
// They are shared, and full: whoever appends gets a copy.
type outside struct {
	configHash []byte
	byType     sync.Map // event.Type -> []kgo.RecordHeader
}

func (h *outside) of(e event.Event) []kgo.RecordHeader {
	t := e.EventType()
	if v, ok := h.byType.Load(t); ok {
		return v.([]kgo.RecordHeader)
	}
	list := []kgo.RecordHeader{
		{Key: topic.HeaderType, Value: []byte(t)},
		{Key: topic.HeaderSchema, Value: schemaVersion},
		{Key: topic.HeaderConfig, Value: h.configHash},
	}
	list = contentType(list, e)
	v, _ := h.byType.LoadOrStore(t, slices.Clip(list))
	return v.([]kgo.RecordHeader)
}

// encoder makes the Kafka records of a session's outputs. They are many and go
// together, with their transaction, so they share few blocks of memory.
type encoder struct {
	headers outside
	byType  map[event.Type][]kgo.RecordHeader // of headers, for this goroutine
	value   []byte                            // of one output
	block   []byte
	records []kgo.Record
	lists   []kgo.RecordHeader
}

const (
	blockBytes  = 64 << 10
	recordsEach = 256 // records made room for at a time
)

// newEncoder has room from the start: an empty key is not a missing one.
func newEncoder(configHash string) encoder {
	return encoder{
		headers: outside{configHash: []byte(configHash)}, byType: map[event.Type][]kgo.RecordHeader{}, block: make([]byte, 0, blockBytes),
	}
}

// encode makes the Kafka record of an output. An output without a cause came
// from outside and carries no cause header.
func (e *encoder) encode(o *stream.Output) (*kgo.Record, error) {
	var err error
	if e.value, err = event.Encode(e.value[:0], o.Event); err != nil {
		return nil, err
	}
	if len(e.records) == 0 {
		e.records = make([]kgo.Record, recordsEach)
	}
	r := &e.records[0]
	e.records = e.records[1:]
	r.Topic, r.Key, r.Value = o.Topic, keep(e, o.Key), keep(e, e.value)
	if o.Time != 0 {
		r.Timestamp = o.Time.Std()
	}
	t := o.Event.EventType()
	if r.Headers = e.byType[t]; r.Headers == nil {
		r.Headers = e.headers.of(o.Event)
		e.byType[t] = r.Headers
	}
	if o.Cause.Topic != "" {
		r.Headers = e.with(r.Headers, &o.Cause)
	}
	return r, nil
}

// with is the headers and the cause.
func (e *encoder) with(shared []kgo.RecordHeader, c *topic.Cause) []kgo.RecordHeader {
	n := len(shared) + 1
	if len(e.lists) < n {
		e.lists = make([]kgo.RecordHeader, 5*recordsEach)
	}
	list := e.lists[:n:n]
	e.lists = e.lists[n:]
	copy(list, shared)
	var text [96]byte
	list[n-1] = kgo.RecordHeader{Key: topic.HeaderCause, Value: keep(e, c.Append(text[:0]))}
	return list
}

// keep copies bytes to where they stay.
func keep[T string | []byte](e *encoder, b T) []byte {
	if cap(e.block)-len(e.block) < len(b) {
		e.block = make([]byte, 0, max(blockBytes, len(b)))
	}
	at := len(e.block)
	e.block = append(e.block, b...)
	return e.block[at:len(e.block):len(e.block)]
}

// contentType tells consumers that know nothing of our types what the value is.
func contentType(list []kgo.RecordHeader, e event.Event) []kgo.RecordHeader {
	if c, ok := e.(interface{ ContentType() string }); ok {
		return append(list, kgo.RecordHeader{Key: topic.HeaderContent, Value: []byte(c.ContentType())})
	}
	return list
}

// decode reads a Kafka record. A type or schema this version does not know
// leaves Event nil: the reader skips and counts it. Bytes that cannot be read
// are an error, permanent.
func decode(r *kgo.Record) (stream.Record, error) {
	out, kind, err := headers(r)
	if err != nil || event.New(kind) == nil {
		return out, err
	}
	out.Event, err = event.Decode(kind, r.Value)
	return out, err
}

// decodeShared is decode for those who fold: what is most, and soon forgotten,
// is one piece of memory instead of one a string. Rarer types are kept for long
// in part, and must not hold on to the rest.
func decodeShared(r *kgo.Record) (stream.Record, error) {
	out, kind, err := headers(r)
	switch {
	case err != nil:
	case kind == event.TypeChange || kind == event.TypeAttempt || kind == event.TypeObservation:
		out.Event, err = event.DecodeShared(kind, bytes.Clone(r.Value)) // the whole fetch must not stay for it
	case event.New(kind) != nil:
		out.Event, err = event.Decode(kind, r.Value)
	}
	return out, err
}

// typeOf is the type by its name; nothing is allocated for those we know.
func typeOf(name []byte) event.Type {
	switch string(name) {
	case string(event.TypeChange):
		return event.TypeChange
	case string(event.TypeAttempt):
		return event.TypeAttempt
	case string(event.TypeObservation):
		return event.TypeObservation
	}
	return event.Type(name)
}

// headers reads everything but the value. The kind is empty for a schema this
// version does not know.
func headers(r *kgo.Record) (out stream.Record, kind event.Type, err error) {
	out = stream.Record{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: event.At(r.Timestamp), Key: string(r.Key),
	}
	schema := event.Schema
	for _, h := range r.Headers {
		switch h.Key {
		case topic.HeaderType:
			kind = typeOf(h.Value)
		case topic.HeaderSchema:
			schema, _ = strconv.Atoi(string(h.Value))
		case topic.HeaderCause:
			if out.Cause, err = topic.ParseCause(unsafe.String(unsafe.SliceData(h.Value), len(h.Value))); err != nil {
				return out, "", err
			}
		}
	}
	if schema > event.Schema {
		return out, "", nil
	}
	return out, kind, nil
}
