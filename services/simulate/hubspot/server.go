// Package hubspot answers as HubSpot's API does, over the tables of a
// simulated world: CRM objects, search, properties, OAuth, limits, and the
// error bodies that clients meet.
package hubspot

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline.dev/services/simulate/crm"
)

// Options of the server. Lock, Tables and Token are required.
type Options struct {
	Lock    sync.Locker // guards Tables
	Tables  []*crm.Table
	Portal  string
	Token   string // a private app's access token
	Refresh string // the refresh token that the OAuth endpoint takes
	Owners  []string
	Now     func() int64                        // time in the world, milliseconds
	Wall    func() time.Time                    // that limits go by
	Limit   int                                 // requests in ten seconds; 0 = 190
	Daily   int                                 // 0 = 625000
	Changed func(crm.Change)                    // hears of writes, with the lock held
	Listed  func(*crm.Table)                    // hears that all of a table was read, with the lock held
	Fault   func(*http.Request) (Problem, bool) // answers instead of the server
}

// Server is the fake HubSpot.
type Server struct {
	o      Options
	mux    *http.ServeMux
	mu     sync.Mutex
	tokens map[string]string // access token -> app
	window time.Time
	used   int
	day    int
	serial int
	links  []link
}

// New makes a server; it listens nowhere itself.
func New(o Options) *Server {
	if o.Limit == 0 {
		o.Limit = 190
	}
	if o.Daily == 0 {
		o.Daily = 625_000
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Listed == nil {
		o.Listed = func(*crm.Table) {}
	}
	if o.Changed == nil {
		o.Changed = func(crm.Change) {}
	}
	s := &Server{o: o, mux: http.NewServeMux(), tokens: map[string]string{o.Token: "private-app"}}
	s.routes()
	return s
}

func (s *Server) routes() {
	for pattern, h := range map[string]func(*request) (int, any){
		"GET /crm/v3/objects/{type}":                                       s.list,
		"POST /crm/v3/objects/{type}":                                      s.create,
		"GET /crm/v3/objects/{type}/{id}":                                  s.read,
		"PATCH /crm/v3/objects/{type}/{id}":                                s.update,
		"DELETE /crm/v3/objects/{type}/{id}":                               s.archive,
		"POST /crm/v3/objects/{type}/search":                               s.search,
		"POST /crm/v3/objects/{type}/batch/{verb}":                         s.batch,
		"GET /crm/v3/properties/{type}":                                    s.properties,
		"GET /crm/v3/properties/{type}/{name}":                             s.property,
		"GET /crm/v3/schemas/{type}":                                       s.schema,
		"GET /crm/v3/owners":                                               s.owners,
		"GET /crm/v3/owners/":                                              s.owners,
		"GET /crm/v3/lists/{list}":                                         s.listOf,
		"GET /crm/v3/lists/{list}/memberships":                             s.members,
		"GET /account-info/v3/details":                                     s.account,
		"GET /account-info/v3/api-usage/daily/private-apps":                s.usage,
		"GET /crm/v4/objects/{type}/{id}/associations/{to}":                s.associations,
		"PUT /crm/v4/objects/{type}/{id}/associations/default/{to}/{toID}": s.associate,
	} {
		s.mux.HandleFunc(pattern, s.api(h))
	}
	s.mux.HandleFunc("POST /oauth/v1/token", s.token)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		s.answer(w, http.StatusNotFound, s.problem(http.StatusNotFound, "", "Unable to find a resource for this address"))
	})
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// request is a call whose token is known.
type request struct {
	*http.Request
	app   string
	table *crm.Table
}

// api wraps an endpoint in what every one has: token, limit, fault, lock.
func (s *Server) api(h func(*request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		app, ok := s.app(r)
		if !ok {
			s.answer(w, http.StatusUnauthorized, s.problem(http.StatusUnauthorized, "INVALID_AUTHENTICATION",
				"Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"))
			return
		}
		if p, ok := s.spend(w.Header(), r); !ok {
			s.answer(w, p.HTTP, p)
			return
		}
		if s.o.Fault != nil {
			if p, bad := s.o.Fault(r); bad {
				s.answer(w, p.HTTP, p)
				return
			}
		}
		s.o.Lock.Lock()
		defer s.o.Lock.Unlock()
		q := &request{Request: r, app: app}
		if name := r.PathValue("type"); name != "" {
			if q.table = s.table(name); q.table == nil {
				s.answer(w, http.StatusBadRequest, s.problem(http.StatusBadRequest, "", "Unable to infer object type from: "+name))
				return
			}
		}
		status, body := h(q)
		s.answer(w, status, body)
	}
}

func (s *Server) app(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	app, ok := s.tokens[token]
	return app, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

// Revoke makes a token worthless.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// spend counts the request against the limits and says how much is left.
// Search answers carry no such headers, and count like others.
func (s *Server) spend(h http.Header, r *http.Request) (Problem, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Wall()
	if now.Sub(s.window) >= 10*time.Second {
		s.window, s.used = now, 0
	}
	s.used, s.day = s.used+1, s.day+1
	left := max(s.o.Limit-s.used, 0)
	if !strings.HasSuffix(r.URL.Path, "/search") {
		for name, n := range map[string]int{
			"X-HubSpot-RateLimit-Max": s.o.Limit, "X-HubSpot-RateLimit-Remaining": left,
			"X-HubSpot-RateLimit-Interval-Milliseconds": 10_000,
			"X-HubSpot-RateLimit-Daily":                 s.o.Daily, "X-HubSpot-RateLimit-Daily-Remaining": max(s.o.Daily-s.day, 0),
		} {
			h.Set(name, strconv.Itoa(n))
		}
	}
	switch {
	case s.day > s.o.Daily:
		return s.limited("DAILY", "You have reached your daily limit."), false
	case s.used > s.o.Limit:
		return s.limited("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit."), false
	}
	return Problem{}, true
}

// types are the names by which clients call a table.
var types = map[string]string{
	"contacts": "contact", "0-1": "contact", "companies": "company", "0-2": "company", "deals": "deal", "0-3": "deal",
}

func (s *Server) table(name string) *crm.Table {
	name = strings.ToLower(name)
	if one := types[name]; one != "" {
		name = one
	}
	for _, t := range s.o.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// correlation is the id that HubSpot puts into every answer; the next one of a
// count, so that runs repeat.
func (s *Server) correlation() string {
	s.serial++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.serial*2654435761&0xffffffff, s.serial)
}
