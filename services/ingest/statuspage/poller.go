// Package statuspage asks vendors' status pages again and again, and hands
// what is new to the feed as the page's own webhooks would post it.
package statuspage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"net/url"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
)

// Taker makes bodies durable.
type Taker interface {
	Take(body []byte) error
	Refused(why string)
}

// Options of a poller. URL and Taker are required.
type Options struct {
	URL          string // of the page, without /api
	AllowPrivate bool
	Every        time.Duration
	Taker        Taker
	Clock        pace.Clock
	Logger       *zap.Logger
}

const (
	timeout  = 10 * time.Second
	maxPage  = 2 << 20            // fifty incidents with their stories
	recent   = 7 * 24 * time.Hour // older ones explain nothing that still can be corrected
	maxParts = 1000
	maxWait  = 15 * time.Minute
)

// Poller asks one page.
type Poller struct {
	o          Options
	base       *url.URL
	client     *http.Client
	incidents  document
	components document
	status     map[string]string // components, as they were
	seed       maphash.Seed
}

// document is one of the page's, as it was when it was asked last.
type document struct {
	path, etag string
	sum        uint64
}

// New prepares a poller; it asks nobody yet.
func New(o Options) (*Poller, error) {
	base, err := crm.Base(o.URL, o.AllowPrivate)
	if err != nil {
		return nil, fmt.Errorf("status page: %w", err)
	}
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return &Poller{
		o: o, base: base, seed: maphash.MakeSeed(), status: map[string]string{},
		client:     &http.Client{Transport: crm.Transport(o.AllowPrivate), CheckRedirect: crm.NoRedirect, Timeout: timeout},
		incidents:  document{path: "/api/v2/incidents.json"},
		components: document{path: "/api/v2/components.json"},
	}, nil
}

// Run asks until ctx ends; a page that fails is asked ever more rarely.
func (p *Poller) Run(ctx context.Context) error {
	defer p.client.CloseIdleConnections()
	wait := p.o.Every
	for {
		err := p.Poll(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			wait = min(2*wait, max(maxWait, p.o.Every))
			p.o.Taker.Refused(err.Error())
			p.o.Logger.Warn("a status page cannot be read", zap.String("page", p.o.URL), zap.Error(err), zap.Duration("again_in", wait))
		default:
			wait = p.o.Every
		}
		if p.o.Clock.Sleep(ctx, wait) != nil {
			return nil
		}
	}
}

// Poll asks once.
func (p *Poller) Poll(ctx context.Context) error {
	return errors.Join(
		p.look(ctx, &p.incidents, p.tellIncidents),
		p.look(ctx, &p.components, p.tellComponents),
	)
}

// look fetches a document and tells what is new in it. It counts as seen only
// when that is durable.
func (p *Poller) look(ctx context.Context, d *document, tell func([]byte) error) error {
	body, etag, err := p.fetch(ctx, d)
	if err != nil || body == nil {
		return err
	}
	sum := maphash.Bytes(p.seed, body)
	if sum != d.sum {
		if err := tell(body); err != nil {
			return err
		}
	}
	d.etag, d.sum = etag, sum
	return nil
}

// fetch is nil where nothing changed, by the page's own word.
func (p *Poller) fetch(ctx context.Context, d *document) (body []byte, etag string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base.String()+d.path, http.NoBody)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "plumbline (read-only)")
	if d.etag != "" {
		req.Header.Set("If-None-Match", d.etag)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return nil, "", fmt.Errorf("ask %s: %w", d.path, err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotModified:
		return nil, d.etag, nil
	case res.StatusCode != http.StatusOK:
		return nil, "", fmt.Errorf("ask %s: the page answered %d", d.path, res.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, maxPage+1))
	switch {
	case err != nil:
		return nil, "", fmt.Errorf("ask %s: %w", d.path, err)
	case len(body) > maxPage:
		return nil, "", fmt.Errorf("ask %s: the answer is larger than %d bytes", d.path, maxPage)
	}
	return body, res.Header.Get("ETag"), nil
}

// page is what both documents have in common.
type page struct {
	Page       json.RawMessage   `json:"page"`
	Incidents  []json.RawMessage `json:"incidents,omitempty"`
	Components []json.RawMessage `json:"components,omitempty"`
}

func read(body []byte) (page, error) {
	var p page
	if err := json.Unmarshal(body, &p); err != nil || p.Page == nil {
		return p, errors.New("the answer is not a status page's JSON")
	}
	if len(p.Incidents) > maxParts || len(p.Components) > maxParts {
		return p, fmt.Errorf("the page lists more than %d things", maxParts)
	}
	return p, nil
}

// tellIncidents hands over those that are open or ended lately. Each update
// has an id of its own, so telling one again counts once.
func (p *Poller) tellIncidents(body []byte) error {
	all, err := read(body)
	if err != nil {
		return err
	}
	out := page{Page: all.Page}
	for _, raw := range all.Incidents {
		var i struct {
			Updated  time.Time `json:"updated_at"`
			Resolved time.Time `json:"resolved_at"`
		}
		if json.Unmarshal(raw, &i) != nil || i.Resolved.IsZero() || p.o.Clock.Now().Sub(i.Updated) < recent {
			out.Incidents = append(out.Incidents, raw)
		}
	}
	if len(out.Incidents) == 0 {
		return nil
	}
	b, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return p.o.Taker.Take(b)
}
