package bus

import (
	"slices"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

var schemaVersion = strconv.AppendInt(nil, event.Schema, 10)

// outside are the headers of every record of one type that has no cause. They
// are shared, and full: whoever appends gets a copy.
type outside struct {
	configHash []byte
	byType     sync.Map // event.Type -> []kgo.RecordHeader
}

func (h *outside) of(t event.Type) []kgo.RecordHeader {
	if v, ok := h.byType.Load(t); ok {
		return v.([]kgo.RecordHeader)
	}
	list := []kgo.RecordHeader{
		{Key: topic.HeaderType, Value: []byte(t)},
		{Key: topic.HeaderSchema, Value: schemaVersion},
		{Key: topic.HeaderConfig, Value: h.configHash},
	}
	list = contentType(list, event.New(t))
	v, _ := h.byType.LoadOrStore(t, slices.Clip(list))
	return v.([]kgo.RecordHeader)
}

// encode makes the Kafka record of an output. An output without a cause came
// from outside and carries no cause header.
func encode(o *stream.Output, configHash []byte) (*kgo.Record, error) {
	value, err := event.Encode(nil, o.Event)
	if err != nil {
		return nil, err
	}
	r := &kgo.Record{Topic: o.Topic, Key: []byte(o.Key), Value: value}
	if o.Time != 0 {
		r.Timestamp = o.Time.Std()
	}
	r.Headers = append(make([]kgo.RecordHeader, 0, 4),
		kgo.RecordHeader{Key: topic.HeaderType, Value: []byte(o.Event.EventType())},
		kgo.RecordHeader{Key: topic.HeaderSchema, Value: schemaVersion},
		kgo.RecordHeader{Key: topic.HeaderConfig, Value: configHash})
	r.Headers = contentType(r.Headers, o.Event)
	if o.Cause.Topic != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: topic.HeaderCause, Value: o.Cause.Append(nil)})
	}
	return r, nil
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
	ev, err := event.Decode(kind, r.Value)
	out.Event = ev
	return out, err
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
			kind = event.Type(h.Value)
		case topic.HeaderSchema:
			schema, _ = strconv.Atoi(string(h.Value))
		case topic.HeaderCause:
			if out.Cause, err = topic.ParseCause(string(h.Value)); err != nil {
				return out, "", err
			}
		}
	}
	if schema > event.Schema {
		return out, "", nil
	}
	return out, kind, nil
}
