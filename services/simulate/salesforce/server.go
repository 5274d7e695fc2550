// Package salesforce answers as Salesforce's REST API does, over the tables of
// a simulated world: records, queries, describe, composite calls, OAuth,
// limits, and the error bodies that clients meet.
package salesforce

import (
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"plumbline.dev/services/simulate/crm"
)

// Options of the server. Lock, Org and Tables are required.
type Options struct {
	Lock     sync.Locker // guards the tables
	Org      *crm.Salesforce
	Tables   []*crm.Table
	OrgID    string
	ClientID string
	Secret   string
	User     string // of the password flow
	Password string
	Key      *rsa.PublicKey // of the jwt_bearer flow
	UserID   string         // who writes with these credentials
	Now      func() int64
	Wall     func() time.Time
	Daily    int                                    // API calls a day; 0 = 100000
	External string                                 // field with the source's id; empty: HubSpot_Id__c
	Changed  func(crm.Change)                       // hears of writes, with the lock held
	Listed   func(*crm.Table)                       // hears that all of a table was read, with the lock held
	Fault    func(*http.Request) (crm.Answer, bool) // answers instead of the server
	JobFails func(query string) string              // why a bulk query fails, or ""
}

// Server is the fake org.
type Server struct {
	o       Options
	mux     *http.ServeMux
	mu      sync.Mutex
	tokens  map[string]bool
	refresh map[string]bool
	used    int
	serial  int
	cursors map[string]*cursor
	recent  []string // cursors, oldest first
	jobs    map[string]*job
}

// New makes a server; it listens nowhere itself.
func New(o Options) *Server {
	if o.Daily == 0 {
		o.Daily = 100_000
	}
	if o.External == "" {
		o.External = "HubSpot_Id__c"
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
	s := &Server{
		o: o, mux: http.NewServeMux(), tokens: map[string]bool{}, refresh: map[string]bool{}, cursors: map[string]*cursor{},
		jobs: map[string]*job{},
	}
	s.routes()
	return s
}

func (s *Server) routes() {
	const data = "/services/data/{version}"
	for pattern, h := range map[string]func(*request) answer{
		"GET " + data:                                            s.resources,
		"GET " + data + "/{$}":                                   s.resources,
		"GET " + data + "/limits":                                s.limits,
		"GET " + data + "/sobjects":                              s.global,
		"GET " + data + "/sobjects/{object}":                     s.basic,
		"GET " + data + "/sobjects/{object}/describe":            s.describe,
		"GET " + data + "/sobjects/{object}/updated":             s.updated,
		"GET " + data + "/sobjects/{object}/deleted":             s.deleted,
		"POST " + data + "/sobjects/{object}":                    s.create,
		"GET " + data + "/sobjects/{object}/{id}":                s.read,
		"PATCH " + data + "/sobjects/{object}/{id}":              s.update,
		"DELETE " + data + "/sobjects/{object}/{id}":             s.remove,
		"GET " + data + "/sobjects/{object}/{field}/{id}":        s.readBy,
		"PATCH " + data + "/sobjects/{object}/{field}/{id}":      s.upsert,
		"DELETE " + data + "/sobjects/{object}/{field}/{id}":     s.removeBy,
		"GET " + data + "/query":                                 s.query,
		"GET " + data + "/queryAll":                              s.queryAll,
		"GET " + data + "/query/{cursor}":                        s.more,
		"GET " + data + "/jobs/query":                            s.bulkJobs,
		"POST " + data + "/jobs/query":                           s.bulkCreate,
		"GET " + data + "/jobs/query/{job}":                      s.bulkStatus,
		"PATCH " + data + "/jobs/query/{job}":                    s.bulkAbort,
		"DELETE " + data + "/jobs/query/{job}":                   s.bulkDelete,
		"GET " + data + "/jobs/query/{job}/results":              s.bulkResults,
		"POST " + data + "/composite":                            s.composite,
		"POST " + data + "/composite/sobjects":                   s.collection,
		"PATCH " + data + "/composite/sobjects":                  s.collection,
		"DELETE " + data + "/composite/sobjects":                 s.collectionDelete,
		"GET " + data + "/composite/sobjects/{object}":           s.collectionRead,
		"POST " + data + "/composite/sobjects/{object}":          s.collectionRead,
		"PATCH " + data + "/composite/sobjects/{object}/{field}": s.collectionUpsert,
	} {
		s.mux.HandleFunc(pattern, s.api(h))
	}
	s.mux.HandleFunc("GET /services/data", s.versions)
	s.mux.HandleFunc("GET /services/data/{$}", s.versions)
	s.mux.HandleFunc("POST /services/oauth2/token", s.token)
	s.mux.HandleFunc("POST /services/oauth2/revoke", s.revoke)
	s.mux.HandleFunc("GET /services/oauth2/userinfo", s.api(s.userinfo))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { s.write(w, notFound()) })
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// request is a call with a good token.
type request struct {
	*http.Request
	version string
	table   *crm.Table
}

// answer is a status and its body; nil is an empty one.
type answer struct {
	status int
	body   any
}

// problem is Salesforce's error: an array, mostly of one.
func problem(status int, code, message string) answer {
	return refused(crm.Refuse(status, code, message))
}

func refused(a crm.Answer) answer { return answer{a.Status, json.RawMessage(a.Body)} }

func notFound() answer {
	return problem(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
}

// api wraps an endpoint in what every one has: token, limit, fault, lock.
func (s *Server) api(h func(*request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.known(r) {
			s.write(w, problem(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid"))
			return
		}
		used := s.spend()
		w.Header().Set("Sforce-Limit-Info", fmt.Sprintf("api-usage=%d/%d", min(used, s.o.Daily), s.o.Daily))
		if used > s.o.Daily {
			s.write(w, problem(http.StatusForbidden, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
			return
		}
		if s.o.Fault != nil {
			if a, bad := s.o.Fault(r); bad {
				s.write(w, refused(a))
				return
			}
		}
		s.o.Lock.Lock()
		defer s.o.Lock.Unlock()
		s.write(w, s.dispatch(r, h))
	}
}

// dispatch runs an endpoint; the caller holds the lock.
func (s *Server) dispatch(r *http.Request, h func(*request) answer) answer {
	q := &request{Request: r, version: r.PathValue("version")}
	if name := r.PathValue("object"); name != "" {
		if q.table = s.table(name); q.table == nil {
			return notFound()
		}
	}
	return h(q)
}

// Spend counts calls that others made against the org's allowance.
func (s *Server) Spend(calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += calls
}

func (s *Server) spend() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used++
	return s.used
}

func (s *Server) known(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.mu.Lock()
	defer s.mu.Unlock()
	return (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth")) && s.tokens[token]
}

func (s *Server) table(name string) *crm.Table {
	for _, t := range s.o.Tables {
		if strings.EqualFold(t.Name, name) {
			return t
		}
	}
	return nil
}

func (s *Server) write(w http.ResponseWriter, a answer) {
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	if t, ok := a.body.(text); ok {
		for k, v := range t.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(a.status)
		_, _ = w.Write(t.body)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // a client that went away is its own affair
}
