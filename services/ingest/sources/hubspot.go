package sources

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// hubspotMax bounds a body. HubSpot documents 100 events; a body with more is
// still its own, and refusing it would lose them all after ten retries.
const hubspotMax = 1000

// hubspotJoin bounds the values joined into one change, far under the size of
// a Kafka message.
const hubspotJoin = 256 << 10

// hubspotEvent is one event as sent. Its slices point into the body.
type hubspotEvent struct {
	portal, subscription, event, object, from, to []byte
	property, source, sourceID, relation          []byte
	kind                                          hubspotType
	typeName, objectType                          string
	primary, renamed                              string
	merged                                        []string
	value                                         event.Value
	hasValue, removed                             bool
	occurred                                      event.Time
	attempt                                       int64
	hash                                          uint64
}

// hubspotBatch is the scratch memory of one body.
type hubspotBatch struct {
	elements [][]byte
	ev       hubspotEvent
	groups   map[hubspotGroup]int // -> index in the result
	ids      [][]string           // composite ids of each change, where several are joined
	sizes    []int
	changes  []event.Change // one block of memory for the body's changes; they leave with the result
	fields   []event.Field
}

// hubspotGroup is what property changes share that are one change: somebody
// saved one record once.
type hubspotGroup struct {
	portal, object, record string
	occurred               event.Time
	source, sourceID       string
}

var hubspotPool = sync.Pool{New: func() any { return &hubspotBatch{groups: map[hubspotGroup]int{}} }}

// HubSpot decodes a webhook body: an array of events, or one.
func HubSpot(body []byte, meta Meta) (Result, error) {
	b := hubspotPool.Get().(*hubspotBatch)
	defer b.release()
	var err error
	if b.elements, err = wire.Split(b.elements[:0], body, hubspotMax); err != nil {
		return Result{}, err
	}
	r := Result{Changes: make([]*event.Change, 0, len(b.elements)), Total: len(b.elements)}
	b.changes, b.fields = make([]event.Change, 0, len(b.elements)), make([]event.Field, 0, len(b.elements))
	for i, e := range b.elements {
		switch known, err := b.ev.read(e); {
		case err != nil:
			r.reject(i, e, err)
		case !known:
			r.Ignored++
		default:
			if err := b.add(&r, meta); err != nil {
				r.reject(i, e, err)
			}
		}
	}
	b.finish(&r)
	if r.Total > 0 {
		err = wire.CheckBody(r.Bad, r.Total)
	}
	return r, err
}

func (b *hubspotBatch) release() {
	clear(b.groups)
	clear(b.elements)
	clear(b.ids)
	b.ids, b.sizes, b.ev = b.ids[:0], b.sizes[:0], hubspotEvent{}
	b.changes, b.fields = nil, nil
	hubspotPool.Put(b)
}

// add makes the event's change, or joins it to the one it belongs to.
func (b *hubspotBatch) add(r *Result, meta Meta) error {
	e := &b.ev
	id := event.Hash(string(e.portal), string(e.subscription), string(e.event), string(e.object),
		fmtTime(e.occurred), string(e.property))
	joins := e.kind.op == event.OpUpdate && e.hasValue
	var g hubspotGroup
	if joins {
		g = hubspotGroup{string(e.portal), e.kind.object, string(e.object), e.occurred, string(e.source), string(e.sourceID)}
		if at, ok := b.groups[g]; ok && b.join(r.Changes[at], at, id) {
			return nil
		}
	}
	c, err := b.change(id, meta)
	if err != nil {
		return err
	}
	if joins {
		b.groups[g] = len(r.Changes)
	}
	r.Changes = append(r.Changes, c)
	b.ids, b.sizes = append(b.ids, nil), append(b.sizes, len(e.value.Text))
	return nil
}

// join adds the event's property to an earlier change of the same save. The
// same property twice is one value told to two subscriptions, or two changes.
func (b *hubspotBatch) join(c *event.Change, at int, id string) bool {
	e := &b.ev
	if b.sizes[at]+len(e.value.Text) > hubspotJoin {
		return false
	}
	for i := range c.Fields {
		if c.Fields[i].Name == string(e.property) {
			if c.Fields[i].Value != e.value {
				return false
			}
			b.note(c, at, id)
			return true
		}
	}
	c.Fields = append(c.Fields, event.Field{Name: string(e.property), Value: e.value})
	b.sizes[at] += len(e.value.Text)
	b.note(c, at, id)
	return true
}

func (b *hubspotBatch) note(c *event.Change, at int, id string) {
	if b.ids[at] == nil {
		b.ids[at] = append(b.ids[at], c.ID)
	}
	if slices.Contains(b.ids[at], id) { // one event twice in one body
		return
	}
	b.ids[at] = append(b.ids[at], id)
	c.BodyHash += b.ev.hash // the order of events in a body means nothing
	c.Redelivery = max(c.Redelivery, int(b.ev.attempt))
}

// finish gives joined changes the id that the same events always give.
func (b *hubspotBatch) finish(r *Result) {
	for i, ids := range b.ids {
		if len(ids) < 2 {
			continue
		}
		slices.Sort(ids)
		r.Changes[i].ID = event.Hash(ids...)
		wire.SortFields(r.Changes[i].Fields)
	}
}

// change makes the event's change. A property whose value HubSpot withholds
// (isSensitive) gives a change without fields: blank would be a lie.
func (b *hubspotBatch) change(id string, meta Meta) (*event.Change, error) {
	e := &b.ev
	b.changes = append(b.changes, event.Change{
		ID: id, Hook: meta.Hook, System: "hubspot", Account: b.portal(), Object: e.kind.object,
		RecordID: string(e.object), Operation: e.kind.op, ChangedAt: e.occurred, ReceivedAt: meta.ReceivedAt,
		TimeBasis: event.TimeEvent, Redelivery: int(e.attempt), BodyHash: e.hash,
		Actor: hubspotActor(e.source, e.sourceID),
	})
	c := &b.changes[len(b.changes)-1]
	switch c.Operation {
	case event.OpUpdate:
		if e.hasValue {
			n := len(b.fields)
			b.fields = append(b.fields, event.Field{Name: string(e.property), Value: e.value})
			c.Fields = b.fields[n : n+1 : n+1] // a joined property must not run into the neighbour
		}
	case event.OpMerge:
		e.merge(c)
	case event.OpAssociate:
		c.RecordID, c.RelatedID, c.Relation, c.Removed = string(e.from), string(e.to), string(e.relation), e.removed
	}
	return c, c.Validate()
}

// portal is the account, mostly the one before it.
func (b *hubspotBatch) portal() string {
	if n := len(b.changes); n > 0 && b.changes[n-1].Account == string(b.ev.portal) {
		return b.changes[n-1].Account
	}
	return string(b.ev.portal)
}

// merge names the survivor. HubSpot may give it a new id; then the primary
// record's own id ceased to exist like the others.
func (e *hubspotEvent) merge(c *event.Change) {
	if e.primary != "" {
		c.RecordID = e.primary
	}
	c.MergedInto, c.MergedIDs = c.RecordID, slices.Clone(e.merged)
	if e.renamed != "" && e.renamed != "0" && e.renamed != c.RecordID {
		c.MergedInto, c.MergedIDs = e.renamed, append(c.MergedIDs, c.RecordID)
	}
	slices.Sort(c.MergedIDs)
	c.MergedIDs = slices.Compact(c.MergedIDs)
}

func fmtTime(t event.Time) string { return itoa(int64(t)) }

// objectOf is the native name of a record's type: the prefix of the
// subscription, or for the developer platform the object type's id.
func (e *hubspotEvent) resolve() (bool, error) {
	kind, ok := hubspotTypes[e.typeName]
	if !ok {
		return false, nil
	}
	if kind.object == "object" {
		if e.objectType == "" {
			return false, fmt.Errorf("objectTypeId %w", errMissing)
		}
		kind.object = e.objectType
		if name, ok := hubspotObjects[e.objectType]; ok {
			kind.object = name
		} else if strings.ContainsRune(e.objectType, '/') { // the separator of keys
			return false, fmt.Errorf("objectTypeId %q is not an object type", e.objectType)
		}
	}
	e.kind = kind
	return true, nil
}
