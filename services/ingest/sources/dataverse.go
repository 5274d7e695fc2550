package sources

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Dataverse decodes the execution context that Dynamics 365 posts, one event
// a body.
var Dataverse = elements(dataverse)

var dataverseOps = map[string]string{
	"Create": event.OpCreate, "Update": event.OpUpdate, "Delete": event.OpDelete, "Assign": event.OpUpdate,
	"SetState": event.OpUpdate, "SetStateDynamicEntity": event.OpUpdate, "Merge": event.OpMerge, "Upsert": event.OpUpdate,
	"Associate": event.OpAssociate, "Disassociate": event.OpAssociate,
}

// oversized is set when the body was over 256 KB: then what changed was cut
// out of it.
const oversized = "X-Ms-Dynamics-Msg-Size-Exceeded"

func dataverse(d *doc, m Meta) ([]event.Event, error) {
	c := m.change("dataverse")
	message := d.need("MessageName")
	if c.Operation = dataverseOps[message]; c.Operation == "" {
		return nil, nil
	}
	c.Account = or(d.id("OrganizationId"), m.Account)
	c.Object, c.RecordID = d.need("PrimaryEntityName"), d.need("PrimaryEntityId")
	c.ChangedAt, c.BodyHash = value(d, []string{"OperationCreatedOn"}, dataverseTime), d.hash()
	c.ID = event.Hash(or(d.id("OperationId"), d.id("CorrelationId")+"/"+d.id("RequestId")), c.RecordID, message)
	c.Actor = event.Actor{Kind: event.ActorUnknown, ID: or(d.id("InitiatingUserId"), d.id("UserId"))}
	if d.whole("Depth") > 1 { // a plug-in or a workflow wrote it
		c.Actor.Kind = event.ActorAutomation
	}
	target, told := dataverseTarget(d)
	switch c.Operation {
	case event.OpMerge:
		c.MergedInto = c.RecordID
		if id := dataverseParameter(d, "SubordinateId"); id != nil {
			sub, err := wire.ID(id)
			d.fail([]string{"SubordinateId"}, err)
			c.MergedIDs = []string{sub}
		}
	case event.OpCreate, event.OpUpdate:
		c.Fields = target
	}
	out := []event.Event{c}
	if len(m.Header[oversized]) > 0 || !told {
		out = append(out, m.lossy(c, "Dataverse sent "+c.Object+" without what changed, because the message was too large: read the record again"))
	}
	return out, nil
}

func dataverseParameter(d *doc, key string) jsontext.Value {
	for _, p := range d.objects("InputParameters") {
		if p.text("key") == key {
			return p.get("value")
		}
	}
	return nil
}

// dataverseTarget is the columns of the record that was written; told is
// false if the body does not say which.
func dataverseTarget(d *doc) (fields []event.Field, told bool) {
	v := dataverseParameter(d, "Target")
	if v == nil {
		return nil, false
	}
	target, err := open(v)
	if err != nil {
		return nil, false
	}
	for _, a := range target.objects("Attributes") {
		name, err := wire.FieldName([]byte(a.text("key")))
		if d.fail([]string{"Attributes"}, err); err != nil {
			continue
		}
		fields = append(fields, event.Field{Name: name, Value: dataverseValue(a)})
	}
	wire.SortFields(fields)
	return fields, true
}

// dataverseValue takes a lookup, option or amount out of its wrapping.
func dataverseValue(a *doc) event.Value {
	v := a.get("value")
	if v == nil {
		return event.Value{Kind: event.KindNull}
	}
	if v[0] == '{' {
		for _, part := range []string{"Id", "Value"} {
			if inner := a.get("value", part); inner != nil {
				return wire.Value(inner)
			}
		}
	}
	out := wire.Value(v)
	if t, err := dataverseTime(v); err == nil && strings.HasPrefix(out.Text, "/Date(") {
		out.Text = t.Std().UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return out
}

var errDate = errors.New(`is not a time: expected "/Date(milliseconds)/"`)

// dataverseTime reads /Date(1506409448000-0700)/: the number is UTC, the
// offset only says where the clock stood.
func dataverseTime(v jsontext.Value) (event.Time, error) {
	text, err := wire.Text(v)
	if err != nil {
		return 0, errDate
	}
	inner, ok := strings.CutPrefix(text, "/Date(")
	inner, closed := strings.CutSuffix(inner, ")/")
	if i := strings.LastIndexAny(inner, "+-"); i > 0 {
		inner = inner[:i]
	}
	n, err := strconv.ParseInt(inner, 10, 64)
	if !ok || !closed || err != nil || n <= 0 || n > 253_402_300_799_999 {
		return 0, errDate
	}
	return event.Time(n), nil
}
