package salesforce

import (
	"bytes"
	"encoding/json"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

// row is a record in an answer: names to JSON values.
type row map[string]json.RawMessage

func (x row) text(name string) string {
	var s string
	_ = json.Unmarshal(x[name], &s) // null and other kinds are no text
	return s
}

func (x row) truth(name string) bool { return string(x[name]) == "true" }

func (x row) time(name string) event.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.000Z0700", time.RFC3339Nano} {
		if t, err := time.Parse(layout, x.text(name)); err == nil {
			return event.At(t)
		}
	}
	return 0
}

// value keeps what JSON says of the kind: numbers keep their digits.
func (x row) value(name string) event.Value {
	raw := bytes.TrimSpace(x[name])
	switch {
	case len(raw) == 0, string(raw) == "null":
		return event.Value{Kind: event.KindNull}
	case raw[0] == '"':
		return event.Value{Text: x.text(name)}
	case raw[0] == '{', raw[0] == '[':
		return event.Value{Kind: event.KindJSON, Text: string(raw)}
	case string(raw) == "true", string(raw) == "false":
		return event.Value{Kind: event.KindBool, Text: string(raw)}
	}
	return event.Value{Kind: event.KindNumber, Text: string(raw)}
}

// system are the fields that every query reads.
var system = []string{"Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "LastModifiedById"}

// converted are what a lead knows of the contact that it became.
var converted = []string{"IsConverted", "ConvertedContactId"}

func (x row) convert(q crm.Query) crm.Record {
	out := crm.Record{
		ID: x.text("Id"), Object: q.Object, CreatedAt: x.time("CreatedDate"), ModifiedAt: x.time("LastModifiedDate"),
		StampedAt: x.time("SystemModstamp"), Deleted: x.truth("IsDeleted"), Fields: make([]event.Field, 0, len(q.Fields)),
	}
	if by := x.text("LastModifiedById"); by != "" {
		out.Writer = event.Actor{Kind: event.ActorUnknown, ID: by}
	}
	if x.truth("IsConverted") {
		out.ConvertedTo = x.text("ConvertedContactId")
	}
	for _, name := range q.Fields {
		out.Fields = append(out.Fields, event.Field{Name: name, Value: x.value(name)})
	}
	return out
}
