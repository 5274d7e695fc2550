package sources

import (
	"errors"
	"fmt"
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

var errTime = errors.New("is not a time in milliseconds")

// read fills the event from its element. It is false for an event type that
// Plumbline has no use for.
func (e *hubspotEvent) read(element []byte) (bool, error) {
	*e = hubspotEvent{merged: e.merged[:0]}
	m := wire.Read(element)
	defer m.Done()
	for m.Next() {
		m.Fail(e.member(m))
	}
	if err := m.Err(); err != nil {
		return false, err
	}
	e.hash = m.Hash()
	if e.typeName == "" {
		return false, fmt.Errorf("subscriptionType %w", errMissing)
	}
	known, err := e.resolve()
	if err != nil || !known {
		return false, err
	}
	return true, e.check()
}

// member reads one member. Everything but the count of deliveries belongs to
// the content.
func (e *hubspotEvent) member(m *wire.Members) (err error) {
	v := m.Value()
	if string(m.Name()) == "attemptNumber" {
		e.attempt, err = wire.Int(v)
		e.attempt = min(max(e.attempt, 0), 1<<20)
		return err
	}
	m.Count()
	switch string(m.Name()) {
	case "portalId":
		e.portal, err = wire.RawID(v)
	case "subscriptionId":
		e.subscription, err = wire.RawID(v)
	case "eventId":
		e.event, err = wire.RawID(v)
	case "objectId":
		e.object, err = wire.RawID(v)
	case "occurredAt":
		e.occurred, err = hubspotTime(v)
	case "subscriptionType", "eventType":
		err = e.setType(v)
	case "objectTypeId", "fromObjectTypeId":
		if e.objectType == "" {
			e.objectType, err = wire.ID(v)
		}
	case "propertyName":
		e.property, err = wire.RawID(v)
	case "propertyValue":
		e.value, e.hasValue = wire.Value(v), true
	case "changeSource":
		e.source, err = wire.RawID(v)
	case "sourceId":
		e.sourceID, err = wire.RawID(v)
	default:
		err = e.rare(m)
	}
	return err
}

// rare members are those of merges and associations.
func (e *hubspotEvent) rare(m *wire.Members) (err error) {
	v := m.Value()
	switch string(m.Name()) {
	case "primaryObjectId":
		e.primary, err = wire.ID(v)
	case "newObjectId":
		e.renamed, err = wire.ID(v)
	case "mergedObjectIds":
		e.merged, err = wire.IDs(e.merged, v)
	case "fromObjectId":
		e.from, err = wire.RawID(v)
	case "toObjectId":
		e.to, err = wire.RawID(v)
	case "associationType":
		e.relation, err = wire.RawID(v)
	case "associationRemoved":
		e.removed, err = wire.Bool(v)
	}
	return err
}

// setType takes subscriptionType, which real deliveries carry, or eventType,
// which the documentation names.
func (e *hubspotEvent) setType(v []byte) error {
	b, err := wire.RawID(v)
	if err != nil || len(b) == 0 {
		return err
	}
	if name, ok := hubspotNames[string(b)]; ok { // no copy for the known ones
		e.typeName = name
	} else {
		e.typeName = string(b)
	}
	return nil
}

func hubspotTime(v []byte) (event.Time, error) {
	t, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || t <= 0 || t > 253_402_300_799_999 {
		return 0, errTime
	}
	return event.Time(t), nil
}

// check names what a known event lacks.
func (e *hubspotEvent) check() error {
	switch {
	case len(e.portal) == 0:
		return fmt.Errorf("portalId %w", errMissing)
	case e.occurred == 0:
		return fmt.Errorf("occurredAt %w", errMissing)
	}
	switch e.kind.op {
	case event.OpAssociate:
		if len(e.from) == 0 || len(e.to) == 0 {
			return fmt.Errorf("fromObjectId or toObjectId %w", errMissing)
		}
		return nil
	case event.OpUpdate:
		if len(e.property) == 0 {
			return fmt.Errorf("propertyName %w", errMissing)
		}
	case event.OpMerge:
		if len(e.object) == 0 && e.primary != "" {
			return nil
		}
	}
	if len(e.object) == 0 {
		return fmt.Errorf("objectId %w", errMissing)
	}
	return nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
