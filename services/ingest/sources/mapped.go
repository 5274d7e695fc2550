package sources

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// JSON decodes bodies that nobody knows by the hook's mapping.
func JSON(body []byte, m Meta) (Result, error) {
	if m.Mapping == nil || m.Mapping.Each == "" {
		return mappedBody(body, m)
	}
	parts, err := wire.Split(nil, body, 1)
	if err != nil {
		return Result{}, err
	}
	d, err := open(parts[0])
	if err != nil {
		return Result{}, err
	}
	list := d.list(strings.Split(m.Mapping.Each, ".")...)
	r := Result{Total: len(list)}
	for i, raw := range list {
		r.take(i, raw, mapped, m)
	}
	return r, d.err
}

var mappedBody = elements(mapped)

// conventions stand where the hook has no mapping: the shapes of CloudEvents
// and Standard Webhooks, types like contact.updated and subjects like contact/123.
var conventions = config.Mapping{ID: "id", At: "time", Fields: "data"}

// mapping reads by paths.
type mapping struct {
	*doc
	words map[string]string
}

func (p mapping) at1(path string) jsontext.Value {
	if path == "" {
		return nil
	}
	return p.get(strings.Split(path, ".")...)
}

// word is the text at a path, or the fixed one; their words become ours.
func (p mapping) word(path string) string {
	text, fixed := strings.CutPrefix(path, "=")
	if !fixed {
		text = ""
		if v := p.at1(path); v != nil {
			text = wire.Value(v).Text
		}
	}
	if ours, ok := p.words[text]; ok {
		return ours
	}
	return text
}

func (p mapping) time(path string) event.Time {
	v := p.at1(path)
	if v == nil {
		return 0
	}
	t, err := wire.Time(v)
	p.fail([]string{path}, err)
	return t
}

func (p mapping) record(path string) []event.Field {
	v := p.at1(path)
	if v == nil {
		return nil
	}
	f, err := wire.Fields(v)
	p.fail([]string{path}, err)
	return f
}

func mapped(d *doc, m Meta) ([]event.Event, error) {
	c, conventional := m.Mapping, false
	if c == nil {
		c, conventional = &conventions, true
	}
	p := mapping{d, c.Words}
	switch c.Kind {
	case "attempt":
		return mappedAttempt(p, c, m)
	case "signal":
		s := m.signal(p.word(c.Operation), p.word(c.Message))
		s.ID, s.BodyHash, s.StartedAt = or(p.word(c.ID), d.content("signal")), d.hash(), or(p.time(c.At), m.ReceivedAt)
		s.Integration, s.Object, s.Detail = or(p.word(c.Integration), m.Integration), p.word(c.Object), p.record(c.Fields)
		return []event.Event{s}, nil
	}
	e := m.change(m.System)
	e.Object, e.RecordID, e.Operation = p.word(c.Object), p.word(c.RecordID), p.word(c.Operation)
	e.ID, e.BodyHash, e.ChangedAt = or(p.word(c.ID), d.content("change")), d.hash(), p.time(c.At)
	e.Fields, e.ExternalID = p.record(c.Fields), p.word(c.ExternalID)
	e.Actor = event.Actor{Kind: or(p.word(c.ActorKind), event.ActorUnknown), ID: p.word(c.ActorID)}
	if conventional {
		conventionally(d, e, m)
	}
	if e.ChangedAt == 0 {
		e.ChangedAt, e.TimeBasis = m.ReceivedAt, event.TimeReceived
	}
	e.Integration = p.word(c.Integration)
	return []event.Event{e}, nil
}

func mappedAttempt(p mapping, c *config.Mapping, m Meta) ([]event.Event, error) {
	name := p.word(c.Integration)
	a, err := m.run(name)
	if err != nil {
		return nil, err
	}
	a.ID, a.BodyHash, a.OccurredAt = or(p.word(c.ID), p.content("attempt")), p.hash(), or(p.time(c.At), m.ReceivedAt)
	a.Object, a.Operation, a.SourceID = or(p.word(c.Object), a.Object), or(p.word(c.Operation), a.Operation), p.word(c.RecordID)
	a.TargetID = p.word(c.ExternalID)
	if a.SourceID != "" || a.TargetID != "" {
		a.Granularity = ""
	}
	if v := p.at1(c.Status); v != nil {
		n, err := wire.Whole(v)
		p.fail([]string{c.Status}, err)
		a.Status = int(min(n, 999))
	}
	switch outcome := p.word(c.Outcome); {
	case outcome != "":
		a.Outcome = outcome
	case a.Status >= 300:
		a.Outcome = event.OutcomeError
	}
	a.Code, a.Message = p.word(c.Code), p.word(c.Message)
	return []event.Event{a}, nil
}

// conventionally reads type contact.updated, or com.example.contact.updated,
// and subject contact/123, or the id of the data.
func conventionally(d *doc, e *event.Change, m Meta) {
	parts := strings.Split(d.text("type"), ".")
	if len(parts) > 1 {
		e.Object, e.Operation = parts[len(parts)-2], conventionalOps[parts[len(parts)-1]]
	}
	if object, id, ok := strings.Cut(d.text("subject"), "/"); ok {
		e.Object, e.RecordID = object, id
	}
	e.RecordID = or(e.RecordID, d.id("data", "id"))
	e.ChangedAt = or(e.ChangedAt, d.at("timestamp"))
	if source := d.text("source"); source != "" { // CloudEvents: id is unique within it
		e.ID = event.Hash("cloudevents", source, d.id("id"))
	} else if id := m.Header.Get("Webhook-Id"); id != "" {
		e.ID = event.Hash("standardwebhooks", id)
	}
}

var conventionalOps = map[string]string{
	"created": event.OpCreate, "updated": event.OpUpdate, "changed": event.OpUpdate, "deleted": event.OpDelete,
	"merged": event.OpMerge, "restored": event.OpRestore, "create": event.OpCreate, "update": event.OpUpdate, "delete": event.OpDelete,
}
