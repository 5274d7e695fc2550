package standalone

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/ingest"
	"plumbline.dev/services/ingest/pubsub"
	"plumbline.dev/services/ingest/statuspage"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/crm/salesforce"
)

// feedGroup is the consumer group whose leader fetches for all ingest roles.
const feedGroup = "plumbline-feeds"

// startFeeds fetches what no vendor sends: streams and status pages. Of
// several ingest roles one does.
func (a *App) startFeeds(s *ingest.Server) error {
	var streams []*source
	for i := range a.o.Config.Connections {
		c := &a.o.Config.Connections[i]
		if !slices.Contains(c.Observe, "stream") {
			continue
		}
		x, err := a.newStream(s, c)
		if err != nil {
			return fmt.Errorf("connection %s: %w", c.ID, err)
		}
		streams = append(streams, x)
	}
	var pages []*statuspage.Poller
	for i := range a.o.Config.StatusPages {
		c := &a.o.Config.StatusPages[i]
		feed, err := s.StatusPage(c)
		if err != nil {
			return err
		}
		p, err := statuspage.New(statuspage.Options{
			URL: c.URL, AllowPrivate: c.AllowPrivate, Every: time.Duration(c.Every), Taker: feed, Clock: a.o.Pace, Logger: a.log.Named("status"),
		})
		if err != nil {
			return fmt.Errorf("status page %s: %w", c.ID, err)
		}
		pages = append(pages, p)
	}
	if len(streams)+len(pages) == 0 {
		return nil
	}
	a.stack.Go("feeds", func(ctx context.Context) error {
		return bus.Lease(ctx, a.bus, feedGroup, topic.Positions, func(ctx context.Context) error { return a.fetch(ctx, streams, pages) })
	})
	return nil
}

// source is a stream that can be opened again and again.
type source struct {
	options pubsub.Options
	session *salesforce.Session
}

func (a *App) newStream(s *ingest.Server, c *config.Connection) (*source, error) {
	auth, err := salesforce.AuthOf(c, a.secrets.Resolve)
	if err != nil {
		return nil, err
	}
	session, err := salesforce.NewSession(salesforce.Options{Domain: c.Domain, BaseURL: c.BaseURL, AllowPrivate: c.AllowPrivate, Auth: auth})
	if err != nil {
		return nil, err
	}
	base, err := crm.Base(c.StreamURL, c.AllowPrivate)
	if err != nil {
		return nil, err
	}
	feed, err := s.Stream(c)
	if err != nil {
		return nil, err
	}
	if a.streams == nil {
		a.streams = pubsub.NewMetrics(a.reg)
	}
	return &source{session: session, options: pubsub.Options{
		Name: c.ID + c.Channel, Channel: c.Channel, Tenant: c.Account, Base: base, Dialer: crm.Dialer(c.AllowPrivate),
		Session: session, Taker: feed, Metrics: a.streams, Logger: a.log.Named("stream"),
	}}, nil
}

// fetch runs while the lease is held, from where the last holder was.
func (a *App) fetch(ctx context.Context, streams []*source, pages []*statuspage.Poller) error {
	at := map[string]*event.Position{}
	if len(streams) > 0 {
		var err error
		if at, err = bus.Streams(ctx, a.bus, a.topics); err != nil {
			return fmt.Errorf("read where streams go on: %w", err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, x := range streams {
		o := x.options
		o.From = at[o.Name]
		s, err := pubsub.New(o)
		if err != nil {
			return err
		}
		a.log.Info("stream opens", zap.String("stream", o.Name), zap.Bool("goes_on", o.From != nil))
		g.Go(func() error {
			defer x.session.Close()
			return s.Run(ctx)
		})
	}
	for _, p := range pages {
		g.Go(func() error { return p.Run(ctx) })
	}
	return g.Wait()
}
