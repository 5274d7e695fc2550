package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// Feed takes what we fetch ourselves, a vendor's stream or its status page, as
// hooks take what is posted: the same decoders, policies and durable log.
type Feed struct {
	s *Server
	h *hook
}

// Stream is the feed of a connection that observes by stream.
func (s *Server) Stream(c *config.Connection) (*Feed, error) {
	f, err := s.feed("stream:"+c.ID, c.System, &config.Hook{
		ID: "stream:" + c.ID, Source: c.System, System: c.System, Account: c.Account,
	})
	if err != nil {
		return nil, err
	}
	uses := func(e *config.Endpoint) bool { return e.Connection == c.ID }
	f.h.record.expect(uses, s.o.Config.Integrations)
	f.belongsTo(uses)
	f.h.url, f.h.shows = c.StreamURL, "our own credential, by connection "+c.ID+", channel "+c.Channel
	return f, nil
}

// StatusPage is the feed of a page that is polled.
func (s *Server) StatusPage(p *config.StatusPage) (*Feed, error) {
	f, err := s.feed("status_page:"+p.ID, "statuspage", &config.Hook{ID: "status_page:" + p.ID, Source: "statuspage", System: p.System})
	if err == nil {
		f.h.url, f.h.shows = p.URL, "none: a public page that we ask"
	}
	return f, err
}

func (s *Server) feed(id, source string, c *config.Hook) (*Feed, error) {
	p, ok := providers[source]
	if !ok {
		return nil, fmt.Errorf("%s: source %s has no decoder in this version", id, source)
	}
	h := &hook{id: id, source: source, provider: p, tenant: "default", metrics: s.metrics.route(id)}
	if err := h.describe(c, s.o.Config); err != nil {
		return nil, err
	}
	s.feedsMu.Lock()
	defer s.feedsMu.Unlock()
	s.feeds = append(s.feeds, h)
	return &Feed{s, h}, nil
}

// belongsTo finds the integrations that the feed is for, and their tenant.
func (f *Feed) belongsTo(uses func(*config.Endpoint) bool) {
	for i := range f.s.o.Config.Integrations {
		in := &f.s.o.Config.Integrations[i]
		if uses(&in.Source) || uses(&in.Target) {
			f.h.tenant = in.Tenant
			f.h.users = append(f.h.users, in.ID)
		}
	}
}

// Take makes a body's events durable.
func (f *Feed) Take(body []byte) error {
	now := f.s.o.Now()
	if _, err := f.s.take(nil, f.h, body, now); err != nil {
		return err
	}
	f.h.record.accepted.Add(1)
	f.h.record.taken.Store(now.UnixMilli())
	return nil
}

// Mark keeps the place in a stream, behind what was taken before it.
func (f *Feed) Mark(p *event.Position) error {
	return f.write([]bus.Message{{Topic: topic.Positions, Key: p.Stream, Time: p.SeenAt, Event: p}})
}

// Lost tells every integration of the stream that events after a place are
// gone, and asks for a comparison of each of its objects.
func (f *Feed) Lost(p *event.Position) error {
	now := at(f.s.o.Now())
	out := f.s.batch(0)
	defer out.release()
	for i := range f.s.o.Config.Integrations {
		in := &f.s.o.Config.Integrations[i]
		if !slices.Contains(f.h.users, in.ID) {
			continue
		}
		for j := range in.Objects {
			name := in.Objects[j].Name
			sig := &event.Signal{
				ID: event.Hash("lossy", f.h.id, p.At, in.ID, name), Tenant: in.Tenant, Integration: in.ID, Sender: f.h.id,
				Kind: event.SignalSourceLossy, System: f.h.meta.System, Object: name, StartedAt: p.SeenAt, EndedAt: now, ReceivedAt: now,
				Summary: "changes of " + name + " since " + p.SeenAt.Std().UTC().Format(time.RFC3339) +
					" are no longer in the stream: they are older than it keeps them; compare the whole object",
				Detail: []event.Field{{Name: event.DetailCompare, Value: event.Value{Text: event.CompareWhole}}},
				Actor:  event.Actor{Kind: event.ActorUnknown},
			}
			out.messages = append(out.messages, bus.Message{Topic: topic.Intake, Key: in.ID + "/signal", Time: now, Event: sig})
		}
	}
	return f.write(out.messages)
}

func (f *Feed) write(messages []bus.Message) error {
	if len(messages) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.s.o.Limits.Produce)
	defer cancel()
	return f.s.o.Producer.Produce(ctx, messages...)
}

// Refused notes why nothing comes, for the card.
func (f *Feed) Refused(why string) { f.h.record.refuse(f.s.o.Now(), why) }
