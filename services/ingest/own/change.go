package own

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

func (e *element) change() (Item, error) {
	c := &event.Change{Hook: e.meta.Sender, ReceivedAt: event.At(e.meta.Now), TimeBasis: event.TimeEvent}
	hash, err := e.members(func(name string, v jsontext.Value) (bool, error) { return e.changeMember(c, name, v) })
	if err == nil {
		err = e.at(&c.ChangedAt)
	}
	if err != nil {
		return Item{}, err
	}
	if err := e.find(c.Integration); err != nil {
		return Item{}, err
	}
	if c.Account, c.Object, err = e.place(c.System, c.Account, c.Object, c.RecordID); err != nil {
		return Item{}, err
	}
	c.ID, c.BodyHash, c.Tenant = e.id("change", c.ID), hash, e.integration.Tenant
	if err := c.Validate(); err != nil {
		return Item{}, err
	}
	e.clock("changed_at", c.ChangedAt)
	c.Token = e.token(c.Token)
	c.Fields = e.policy.Apply(c.Tenant, c.System, c.Object, c.Fields)
	return Item{Key: event.NativeKey(c.System, c.Account, c.Object, c.RecordID), Event: c}, nil
}

// place finds the side of the integration that the element is about, and
// gives its account and the object's native name there.
func (e *element) place(system, account, object, recordID string) (string, string, error) {
	in := e.integration
	end, side := in.side(system, account)
	if end == nil {
		return "", "", fmt.Errorf("%w: system %q with account %q is neither side of integration %s; expected %s or %s",
			event.ErrInvalid, system, account, in.ID, in.Source.System, in.Target.System)
	}
	native, known := in.native(side, object, recordID)
	if !known && object != "" {
		e.unknownObject(object)
	}
	if end.Account != "" {
		account = end.Account
	}
	return account, native, nil
}

func (e *element) changeMember(c *event.Change, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "id":
		c.ID, err = wire.ID(v)
	case "integration":
		c.Integration, err = wire.Word(v)
	case "system":
		c.System, err = wire.Word(v)
	case "account":
		c.Account, err = wire.ID(v)
	case "object":
		c.Object, err = wire.Word(v)
	case "record_id":
		c.RecordID, err = wire.ID(v)
	case "operation":
		c.Operation, err = wire.Word(v)
	case "changed_at":
		c.ChangedAt, err = wire.Time(v)
	case "fields":
		c.Fields, err = wire.Fields(v)
	case "actor":
		c.Actor, err = e.actor(v)
	case "token":
		c.Token, err = wire.Text(v)
	case "external_id":
		c.ExternalID, err = wire.ID(v)
	default:
		return changeRelation(c, name, v)
	}
	return true, err
}

func changeRelation(c *event.Change, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "merged_into":
		c.MergedInto, err = wire.ID(v)
	case "merged_ids":
		c.MergedIDs, err = wire.IDs(nil, v)
	case "related_id":
		c.RelatedID, err = wire.ID(v)
	case "relation":
		c.Relation, err = wire.Word(v)
	case "removed":
		c.Removed, err = wire.Bool(v)
	default:
		return changeOrder(c, name, v)
	}
	return true, err
}

func changeOrder(c *event.Change, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "commit":
		c.Commit, err = wire.Whole(v)
	case "transaction":
		c.Transaction, err = wire.ID(v)
	case "sequence":
		c.Sequence, err = wire.Whole(v)
	case "position":
		c.Position, err = wire.ID(v)
	default:
		return false, nil
	}
	return true, err
}
