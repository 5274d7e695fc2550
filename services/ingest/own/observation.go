package own

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

var foundBy = []string{"", event.FoundByPoll, event.FoundByReadback, event.FoundByReconcile, event.FoundByEcho}

func (e *element) observation() (Item, error) {
	o := &event.Observation{ReceivedAt: event.At(e.meta.Now)}
	hash, err := e.members(func(name string, v jsontext.Value) (bool, error) { return e.observationMember(o, name, v) })
	if err == nil {
		err = e.at(&o.ObservedAt)
	}
	if err != nil {
		return Item{}, err
	}
	if err := e.find(o.Integration); err != nil {
		return Item{}, err
	}
	if !slices.Contains(foundBy, o.FoundBy) {
		return Item{}, fmt.Errorf("%w: found_by is %q, want poll, readback, reconcile or echo", event.ErrInvalid, o.FoundBy)
	}
	if o.Account, o.Object, err = e.place(o.System, o.Account, o.Object, o.RecordID); err != nil {
		return Item{}, err
	}
	o.ID, o.BodyHash, o.Tenant = e.id("observation", o.ID), hash, e.integration.Tenant
	if err := o.Validate(); err != nil {
		return Item{}, err
	}
	e.clock("observed_at", o.ObservedAt)
	o.Fields = e.policy.Apply(o.Tenant, o.System, o.Object, o.Fields)
	return Item{Key: event.NativeKey(o.System, o.Account, o.Object, o.RecordID), Event: o}, nil
}

func (e *element) observationMember(o *event.Observation, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "id":
		o.ID, err = wire.ID(v)
	case "integration":
		o.Integration, err = wire.Word(v)
	case "system":
		o.System, err = wire.Word(v)
	case "account":
		o.Account, err = wire.ID(v)
	case "object":
		o.Object, err = wire.Word(v)
	case "record_id":
		o.RecordID, err = wire.ID(v)
	case "observed_at":
		o.ObservedAt, err = wire.Time(v)
	case "modified_at":
		o.ModifiedAt, err = wire.Time(v)
	case "fields":
		o.Fields, err = wire.Fields(v)
	case "writer", "actor":
		o.Writer, err = e.actor(v)
	case "external_id":
		o.ExternalID, err = wire.ID(v)
	case "resolution_ms":
		o.ResolutionMS, err = wire.Whole(v)
	case "found_by":
		o.FoundBy, err = wire.Word(v)
	case "whole":
		o.Whole, err = wire.Bool(v)
	case "missing":
		o.Missing, err = wire.Bool(v)
	default:
		return false, nil
	}
	return true, err
}
