package own

import (
	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// maxReason bounds a person's own words.
const maxReason = 2 << 10

// click reads what a person decided. The words stay as written: whoever
// accepts a divergence has to be able to say why.
func (e *element) click() (Item, error) {
	c := &event.Click{ReceivedAt: event.At(e.meta.Now)}
	hash, err := e.members(func(name string, v jsontext.Value) (bool, error) { return e.clickMember(c, name, v) })
	if err == nil {
		err = e.at(&c.At)
	}
	if err != nil {
		return Item{}, err
	}
	if c.Integration != "" { // none: an alert or agent of the whole tenant
		if err := e.find(c.Integration); err != nil {
			return Item{}, err
		}
		c.Tenant = e.integration.Tenant
	}
	if c.At == 0 {
		c.At = c.ReceivedAt
	}
	c.ID, c.BodyHash = e.id("click", c.ID), hash
	if err := c.Validate(); err != nil {
		return Item{}, err
	}
	e.clock("at", c.At)
	if c.Until != 0 && c.Until <= c.At {
		e.warn("until is not after at: it ends at once")
	}
	return Item{Key: clickKey(c), Event: c}, nil
}

// clickKey keeps what is decided about one thing in the order it came.
func clickKey(c *event.Click) string { return c.Integration + "/click/" + c.Subject }

func (e *element) clickMember(c *event.Click, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "id":
		c.ID, err = wire.ID(v)
	case "tenant":
		c.Tenant, err = wire.Word(v)
	case "integration":
		c.Integration, err = wire.Word(v)
	case "kind":
		c.Kind, err = wire.Word(v)
	case "subject":
		c.Subject, err = wire.ID(v)
	case "object":
		c.Object, err = wire.Word(v)
	case "record_key":
		c.RecordKey, err = wire.ID(v)
	case "step":
		c.Step, err = wire.Word(v)
	case "result":
		c.Result, err = wire.Word(v)
	case "reason":
		c.Reason, err = wire.Text(v)
		c.Reason = cut(c.Reason, maxReason)
	case "by":
		c.By, err = wire.Word(v)
	case "at":
		c.At, err = wire.Time(v)
	case "until":
		c.Until, err = wire.Time(v)
	default:
		return false, nil
	}
	return true, err
}
