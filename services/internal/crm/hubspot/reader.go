// Package hubspot reads a HubSpot account with a private app's token.
package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
)

// Address of the API, and the smallest edition's calls a day.
const (
	Address    = "https://api.hubapi.com"
	LeastDaily = 250_000
)

// Options of a reader. Token and Budget are required.
type Options struct {
	BaseURL      string // "" = Address
	AllowPrivate bool
	Token        string
	Budget       *crm.Budget
	Clock        pace.Clock
}

// Reader implements crm.Reader.
type Reader struct {
	call  *crm.Caller
	clock pace.Clock

	mu      sync.Mutex
	search  time.Time // when the next search may start
	members map[string]members
}

// New makes a reader; it calls nothing yet.
func New(o Options) (*Reader, error) {
	if o.BaseURL == "" {
		o.BaseURL = Address
	}
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	base, err := crm.Base(o.BaseURL, o.AllowPrivate)
	if err != nil {
		return nil, err
	}
	r := &Reader{clock: o.Clock, members: map[string]members{}}
	r.call = &crm.Caller{
		System: "HubSpot", Base: base, Budget: o.Budget, Clock: o.Clock,
		Client: &http.Client{Transport: crm.Transport(o.AllowPrivate), CheckRedirect: crm.NoRedirect},
		Authorize: func(_ context.Context, req *http.Request, _ bool) error {
			req.Header.Set("Authorization", "Bearer "+o.Token)
			return nil
		},
		Headers: func(h http.Header) { learn(o.Budget, h) }, Refusal: refusal,
	}
	return r, nil
}

// System implements crm.Reader.
func (r *Reader) System() string { return "hubspot" }

// Close ends idle connections.
func (r *Reader) Close() { r.call.Client.CloseIdleConnections() }

// learn reads the limits that every answer but a search's carries.
func learn(b *crm.Budget, h http.Header) {
	n := func(name string) int64 {
		v, err := strconv.ParseInt(h.Get("X-HubSpot-RateLimit-"+name), 10, 64)
		if err != nil {
			return -1
		}
		return v
	}
	b.Learn(n("Daily"), n("Daily-Remaining"), time.Duration(n("Interval-Milliseconds"))*time.Millisecond, n("Max"), n("Remaining"))
}

// Account implements crm.Reader.
func (r *Reader) Account(ctx context.Context) (crm.Account, error) {
	var details struct {
		PortalID int64 `json:"portalId"`
	}
	if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: "/account-info/v3/details"}, &details); err != nil {
		return crm.Account{}, err
	}
	a := crm.Account{ID: strconv.FormatInt(details.PortalID, 10)}
	var usage struct {
		Results []struct {
			Limit int64 `json:"usageLimit"`
			Used  int64 `json:"currentUsage"`
		} `json:"results"`
	}
	err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: "/account-info/v3/api-usage/daily/private-apps"}, &usage)
	if err == nil && len(usage.Results) > 0 {
		a.Daily, a.Used = usage.Results[0].Limit, usage.Results[0].Used
		r.call.Budget.Learn(a.Daily, max(a.Daily-a.Used, 0), 0, 0, -1)
	}
	return a, nil // without it, the headers tell
}

// Probe implements crm.Reader.
func (r *Reader) Probe(ctx context.Context) error {
	return r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: "/account-info/v3/details"}, nil)
}

// Users implements crm.Reader.
func (r *Reader) Users(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	after := ""
	for {
		q := url.Values{"limit": {"500"}}
		if after != "" {
			q.Set("after", after)
		}
		var page struct {
			Results []struct {
				ID    string `json:"id"`
				Email string `json:"email"`
			} `json:"results"`
			Paging paging `json:"paging"`
		}
		if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: "/crm/v3/owners/", Query: q}, &page); err != nil {
			return nil, err
		}
		for _, u := range page.Results {
			out[u.ID] = u.Email
		}
		if after = page.Paging.Next.After; after == "" {
			return out, nil
		}
	}
}

// Cost implements crm.Reader.
func (r *Reader) Cost(way crm.Way, n int64) int64 {
	size := int64(searchPage)
	if way != crm.ByModified {
		size = listPage
	}
	return max((n+size-1)/size, 1)
}

type paging struct {
	Next struct {
		After string `json:"after"`
	} `json:"next"`
}

// record is a CRM object in an answer.
type record struct {
	ID         string             `json:"id"`
	Properties map[string]*string `json:"properties"`
	CreatedAt  time.Time          `json:"createdAt"`
	UpdatedAt  time.Time          `json:"updatedAt"`
	Archived   bool               `json:"archived"`
}

// writerProperty names the person behind the last change, where one made it.
const writerProperty = "hs_updated_by_user_id"

// convert makes a record of the fields asked for.
func (h *record) convert(q crm.Query) crm.Record {
	out := crm.Record{
		ID: h.ID, Object: q.Object, CreatedAt: event.At(h.CreatedAt), ModifiedAt: event.At(h.UpdatedAt), Deleted: h.Archived,
		Fields: make([]event.Field, 0, len(q.Fields)),
	}
	if t, ok := instant(h.Properties[modified(q.Object)]); ok {
		out.ModifiedAt = t
	}
	for _, name := range q.Fields {
		v := event.Value{Kind: event.KindNull}
		if text := h.Properties[name]; text != nil && *text != "" {
			v = event.Value{Text: *text}
		}
		out.Fields = append(out.Fields, event.Field{Name: name, Value: v})
	}
	if by := h.Properties[writerProperty]; by != nil && *by != "" {
		out.Writer = event.Actor{Kind: event.ActorUser, ID: *by}
	}
	return out
}

func instant(v *string) (event.Time, bool) {
	if v == nil {
		return 0, false
	}
	if t, err := time.Parse(time.RFC3339Nano, *v); err == nil {
		return event.At(t), true
	}
	n, err := strconv.ParseInt(*v, 10, 64)
	return event.Time(n), err == nil && n > 0
}

// modified is where a type keeps its last modification.
func modified(object string) string {
	if object == "contact" {
		return "lastmodifieddate"
	}
	return "hs_lastmodifieddate"
}

// properties are those to ask for.
func properties(q crm.Query) []string {
	return append(append(make([]string, 0, len(q.Fields)+2), q.Fields...), modified(q.Object), writerProperty)
}

// plural is a type's name in addresses; custom ones (2-1234, p_cars) keep theirs.
func plural(object string) string {
	switch object {
	case "company":
		return "companies"
	case "contact", "deal", "ticket", "product", "line_item", "lead", "quote":
		return object + "s"
	}
	return url.PathEscape(object)
}

func objects(q crm.Query) string { return "/crm/v3/objects/" + plural(q.Object) }

func joined(q crm.Query) string { return strings.Join(properties(q), ",") }
