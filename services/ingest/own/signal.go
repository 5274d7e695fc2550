package own

import (
	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
	"plumbline.dev/services/internal/privacy"
)

func (e *element) signal() (Item, error) {
	s := &event.Signal{Sender: e.meta.Sender, ReceivedAt: event.At(e.meta.Now)}
	hash, err := e.members(func(name string, v jsontext.Value) (bool, error) { return e.signalMember(s, name, v) })
	if err == nil {
		err = e.at(&s.StartedAt)
	}
	if err != nil {
		return Item{}, err
	}
	if s.Integration != "" { // none: it is about every integration of the system
		if err := e.find(s.Integration); err != nil {
			return Item{}, err
		}
		s.Tenant = e.integration.Tenant
	}
	s.ID, s.BodyHash = e.id("signal", s.ID), hash
	if err := s.Validate(); err != nil {
		return Item{}, err
	}
	e.clock("started_at", s.StartedAt)
	s.Token = e.token(s.Token)
	s.Detail = e.policy.Apply(s.Tenant, s.System, s.Object, s.Detail)
	return Item{Key: SignalKey(s), Event: s}, nil
}

// SignalKey keeps the signals of one integration, or one system, in order.
func SignalKey(s *event.Signal) string {
	if s.Integration != "" {
		return s.Integration + "/signal"
	}
	return s.System + "/signal"
}

func (e *element) signalMember(s *event.Signal, name string, v jsontext.Value) (known bool, err error) {
	switch name {
	case "id":
		s.ID, err = wire.ID(v)
	case "integration":
		s.Integration, err = wire.Word(v)
	case "kind":
		s.Kind, err = wire.Word(v)
	case "system":
		s.System, err = wire.Word(v)
	case "object":
		s.Object, err = wire.Word(v)
	case "field":
		s.Field, err = wire.Word(v)
	case "started_at":
		s.StartedAt, err = wire.Time(v)
	case "ended_at":
		s.EndedAt, err = wire.Time(v)
	case "summary":
		s.Summary, err = wire.Text(v)
		s.Summary = privacy.MaskEmails(cut(s.Summary, maxMessage))
	case "detail":
		s.Detail, err = wire.Fields(v)
	case "actor":
		s.Actor, err = e.actor(v)
	case "token":
		s.Token, err = wire.Text(v)
	default:
		return false, nil
	}
	return true, err
}
