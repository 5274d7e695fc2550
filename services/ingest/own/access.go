package own

import (
	"net/netip"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// maxClient bounds a user agent: the part that tells programs apart.
const maxClient = 160

// access reads one line of a system's own log. Whoever forwards such a log
// need not know our integrations: the system says whom it concerns.
func (e *element) access() (Item, error) {
	a := &event.Access{Sender: e.meta.Sender, ReceivedAt: event.At(e.meta.Now)}
	hash, err := e.members(func(name string, v jsontext.Value) (bool, error) { return e.accessMember(a, name, v) })
	if err == nil {
		err = e.at(&a.At)
	}
	if err != nil {
		return Item{}, err
	}
	a.ID, a.BodyHash = e.id("access", a.ID), hash
	a.Token = e.token(a.Token)
	a.Network = network(a.Network)
	if err := a.Validate(); err != nil {
		return Item{}, err
	}
	e.clock("at", a.At)
	return Item{Key: a.System + "/access/" + a.Token, Event: a}, nil
}

func (e *element) accessMember(a *event.Access, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "id":
		a.ID, err = wire.ID(v)
	case "tenant":
		a.Tenant, err = wire.Word(v)
	case "system":
		a.System, err = wire.Word(v)
	case "account":
		a.Account, err = wire.ID(v)
	case "token":
		a.Token, err = wire.Text(v)
	case "at":
		a.At, err = wire.Time(v)
	case "operation":
		a.Operation, err = wire.Word(v)
	case "object":
		a.Object, err = wire.Word(v)
	case "rows":
		a.Rows, err = wire.Whole(v)
	case "calls":
		a.Calls, err = wire.Whole(v)
	case "network":
		a.Network, err = wire.Text(v)
	case "user_agent":
		a.Agent, err = wire.Text(v)
		a.Agent = cut(a.Agent, maxClient)
	case "failed":
		a.Failed, err = wire.Bool(v)
	case "actor":
		a.Actor, err = e.actor(v)
	default:
		return false, nil
	}
	return true, err
}

// network keeps where a call came from no finer than its neighbourhood: an
// address can be a person's. What is no address (a name, an AS number) stays.
func network(s string) string {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		if p, err := netip.ParsePrefix(s); err == nil {
			addr = p.Addr()
		} else {
			return cut(s, maxClient)
		}
	}
	bits := 48
	if addr = addr.Unmap(); addr.Is4() {
		bits = 24
	}
	p, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
