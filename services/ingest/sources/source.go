// Package sources turns providers' bodies into events, one file a provider.
// A decoder is pure: it checks nothing about who sent the body and stores
// nothing.
package sources

import (
	"errors"
	"fmt"
	"net/http"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Meta is what the request and its hook know about a body.
type Meta struct {
	Hook       string
	ReceivedAt event.Time
	Header     http.Header

	System      string            // where the records live, for providers that serve several
	Account     string            // for providers that name none
	Integration string            // of runs and attempts that say nothing else
	Runs        map[string]string // a sync platform's connection or sync -> integration
	Mapping     *config.Mapping   // of a body nobody knows
}

// Result is a decoded body. Every element is in Changes, Others, Bad or
// Ignored; an element of Changes may stand for several, and one element may
// give several of Others.
type Result struct {
	Changes []*event.Change
	Others  []event.Event
	Bad     []wire.Bad
	Ignored int
	Total   int
}

func (r *Result) reject(i int, element []byte, err error) {
	r.Bad = append(r.Bad, wire.Reject(i, element, err))
}

var errMissing = errors.New("is missing")

// Decoder is one provider's.
type Decoder func(body []byte, m Meta) (Result, error)

// element decodes one element; no events and no error means that it is of a
// type nobody needs.
type element func(d *doc, m Meta) ([]event.Event, error)

// maxElements bounds a body: only HubSpot and relays send several.
const maxElements = 1000

// elements makes a decoder of bodies with one element or a list of them.
func elements(decode element) Decoder {
	return func(body []byte, m Meta) (Result, error) {
		parts, err := wire.Split(nil, body, maxElements)
		if err != nil {
			return Result{}, err
		}
		r := Result{Total: len(parts)}
		for i, raw := range parts {
			r.take(i, raw, decode, m)
		}
		if r.Total > 0 {
			err = wire.CheckBody(r.Bad, r.Total)
		}
		return r, err
	}
}

func (r *Result) take(i int, raw []byte, decode element, m Meta) {
	d, err := open(raw)
	var events []event.Event
	if err == nil {
		events, err = decode(d, m)
	}
	if err == nil {
		err = d.err
	}
	for _, e := range events {
		if err == nil {
			err = e.Validate()
		}
	}
	switch {
	case err != nil:
		r.reject(i, raw, err)
	case len(events) == 0:
		r.Ignored++
	default:
		r.Others = append(r.Others, events...)
	}
}

// integration finds whose run it is, by the names its platform gives it.
func (m *Meta) integration(names ...string) (string, error) {
	for _, n := range names {
		if id := m.Runs[n]; id != "" {
			return id, nil
		}
	}
	if m.Integration == "" {
		return "", fmt.Errorf("belongs to no integration: name one for %q under runs of hook %s, or set the hook's integration", names, m.Hook)
	}
	return m.Integration, nil
}

// change is one as far as every provider's is alike.
func (m *Meta) change(system string) *event.Change {
	return &event.Change{
		Hook: m.Hook, System: system, Account: m.Account, ReceivedAt: m.ReceivedAt, TimeBasis: event.TimeEvent,
		Actor: event.Actor{Kind: event.ActorUnknown},
	}
}

// wholeRun is the object of a run that is not about one.
const wholeRun = "all"

// run is an attempt that stands for a whole job.
func (m *Meta) run(names ...string) (*event.Attempt, error) {
	in, err := m.integration(names...)
	return &event.Attempt{
		Sender: m.Hook, Integration: in, ReceivedAt: m.ReceivedAt, OccurredAt: m.ReceivedAt, Object: wholeRun,
		Operation: event.OpUpsert, Granularity: event.GranularityRun, Outcome: event.OutcomeOK,
		Actor: event.Actor{Kind: event.ActorIntegration},
	}, err
}

// signal says something about the hook's system.
func (m *Meta) signal(kind, summary string) *event.Signal {
	return &event.Signal{
		Sender: m.Hook, Kind: kind, System: m.System, StartedAt: m.ReceivedAt, ReceivedAt: m.ReceivedAt, Summary: summary,
		Actor: event.Actor{Kind: event.ActorUnknown},
	}
}

// lossy says that events are missing or came without their content: whoever
// relies on them has to read again.
func (m *Meta) lossy(c *event.Change, why string) *event.Signal {
	s := m.signal(event.SignalSourceLossy, why)
	s.System, s.Object, s.StartedAt = c.System, c.Object, c.ChangedAt
	s.ID, s.BodyHash = event.Hash("lossy", m.Hook, c.ID, c.Object, why), c.BodyHash
	if c.RecordID != "" {
		s.Detail = details("record_id", c.RecordID)
	}
	return s
}

// whole is lossy for what no single record stands for: only a comparison of
// the whole object tells.
func (m *Meta) whole(c *event.Change, why string) *event.Signal {
	s := m.lossy(c, why)
	s.Detail = details(event.DetailCompare, event.CompareWhole)
	return s
}

func failed(a *event.Attempt, code, message string) {
	a.Outcome, a.Code, a.Message = event.OutcomeError, code, message
}
