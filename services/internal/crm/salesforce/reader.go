// Package salesforce reads a Salesforce org: SOQL over REST, Bulk API 2.0 for
// what is large, describe, and the OAuth flows that need no person.
package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
)

const (
	version = "v60.0"
	data    = "/services/data/" + version
)

// LeastDaily is the calls a day of the smallest edition with API access.
const LeastDaily = 15_000

// Options of a reader. Domain or BaseURL, a credential, and Budget are required.
type Options struct {
	Domain       string // acme.my.salesforce.com
	BaseURL      string // instead of https://Domain
	AllowPrivate bool
	Auth         Auth
	Budget       *crm.Budget
	Clock        pace.Clock
	BulkFrom     int64 // All of so many records goes through Bulk API 2.0; 0 = 20,000, negative = never
}

// Reader implements crm.Reader.
type Reader struct {
	call  *crm.Caller
	auth  *session
	clock pace.Clock
	bulk  int64 // records from which on All reads in bulk; negative = never

	mu     sync.Mutex
	fields map[string]map[string]string // what an object has, by its native name: field to type
}

// New makes a reader; it calls nothing yet.
func New(o Options) (*Reader, error) {
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	base, err := address(o)
	if err != nil {
		return nil, err
	}
	if o.Auth.Flow == JWTBearer { // a key that cannot sign is found now
		if _, err := o.Auth.assertion(o.Clock.Now()); err != nil {
			return nil, err
		}
	}
	client := &http.Client{Transport: crm.Transport(o.AllowPrivate), CheckRedirect: crm.NoRedirect}
	if o.BulkFrom == 0 {
		o.BulkFrom = bulkFrom
	}
	r := &Reader{clock: o.Clock, bulk: o.BulkFrom, fields: map[string]map[string]string{}}
	r.auth = &session{auth: o.Auth, base: base, client: client, clock: o.Clock, token: o.Auth.Token}
	r.call = &crm.Caller{
		System: "Salesforce", Base: base, Client: client, Budget: o.Budget, Clock: o.Clock, Authorize: r.auth.authorize,
		Renews: o.Auth.renews(), Headers: func(h http.Header) { learn(o.Budget, h) }, Refusal: refusal,
	}
	return r, nil
}

func address(o Options) (*url.URL, error) {
	if o.BaseURL == "" {
		o.BaseURL = "https://" + o.Domain
	}
	return crm.Base(o.BaseURL, o.AllowPrivate)
}

// System implements crm.Reader.
func (r *Reader) System() string { return "salesforce" }

// Close ends idle connections.
func (r *Reader) Close() { r.call.Client.CloseIdleConnections() }

// learn reads "api-usage=18/5000".
func learn(b *crm.Budget, h http.Header) {
	_, text, ok := strings.Cut(h.Get("Sforce-Limit-Info"), "api-usage=")
	text, _, _ = strings.Cut(text, ",")
	usedText, dailyText, slash := strings.Cut(text, "/")
	used, errUsed := strconv.ParseInt(strings.TrimSpace(usedText), 10, 64)
	daily, errDaily := strconv.ParseInt(strings.TrimSpace(dailyText), 10, 64)
	if ok && slash && errUsed == nil && errDaily == nil {
		b.Learn(daily, max(daily-used, 0), 0, 0, -1)
	}
}

// Account implements crm.Reader.
func (r *Reader) Account(ctx context.Context) (crm.Account, error) {
	var who struct {
		Org  string `json:"organization_id"`
		User string `json:"preferred_username"`
	}
	if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: "/services/oauth2/userinfo"}, &who); err != nil {
		return crm.Account{}, err
	}
	a := crm.Account{ID: who.Org, User: who.User}
	var limits struct {
		Daily struct{ Max, Remaining int64 } `json:"DailyApiRequests"`
	}
	if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: data + "/limits"}, &limits); err == nil && limits.Daily.Max > 0 {
		a.Daily, a.Used = limits.Daily.Max, limits.Daily.Max-limits.Daily.Remaining
		r.call.Budget.Learn(a.Daily, limits.Daily.Remaining, 0, 0, -1)
	}
	return a, nil // without it, the headers tell
}

// Probe implements crm.Reader.
func (r *Reader) Probe(ctx context.Context) error {
	return r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: data + "/limits"}, nil)
}

// Users implements crm.Reader.
func (r *Reader) Users(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := r.query(ctx, "query", "SELECT Id, Email FROM User", func(rows []row) error {
		for _, x := range rows {
			out[x.text("Id")] = x.text("Email")
		}
		return nil
	})
	return out, err
}
