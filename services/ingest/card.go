package ingest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/verify"
)

// Card is what a person has to know about one hook, since the start.
type Card struct {
	Hook       string    `json:"hook"`
	Source     string    `json:"source"`
	System     string    `json:"system"`
	URL        string    `json:"url,omitempty"` // to paste at the provider
	Proof      string    `json:"proof"`         // how requests show who sent them
	Accepted   int64     `json:"accepted"`
	LastTaken  time.Time `json:"last_accepted,omitzero"`
	Refused    int64     `json:"refused"`
	LastRefuse time.Time `json:"last_refused,omitzero"`
	Why        string    `json:"last_refused_because,omitempty"`
	Unseen     []string  `json:"mapped_fields_never_seen,omitempty"` // object.field
}

// record is what a hook remembers for its card.
type record struct {
	accepted, refused atomic.Int64
	taken             atomic.Int64 // ms
	seen              map[string]map[string]*atomic.Bool

	mu        sync.Mutex
	refusedAt time.Time
	why       string
}

// expect lists the fields that integrations map from the objects of what
// comes in here.
func (c *record) expect(uses func(*config.Endpoint) bool, all []config.Integration) {
	c.seen = map[string]map[string]*atomic.Bool{}
	for i := range all {
		in := &all[i]
		for j := range in.Objects {
			o := &in.Objects[j]
			for _, f := range o.Fields {
				if uses(&in.Source) {
					c.learn(o.Source, f.Source)
				}
				for _, t := range o.Target {
					if uses(&in.Target) {
						c.learn(t, f.Target)
					}
				}
			}
		}
	}
}

func (c *record) learn(object, field string) {
	if c.seen[object] == nil {
		c.seen[object] = map[string]*atomic.Bool{}
	}
	c.seen[object][field] = new(atomic.Bool)
}

// see notes which mapped fields a change brings.
func (c *record) see(e *event.Change) {
	fields := c.seen[e.Object]
	if fields == nil {
		return
	}
	for i := range e.Fields {
		if b := fields[e.Fields[i].Name]; b != nil && !b.Load() {
			b.Store(true)
		}
	}
}

func (c *record) unseen() []string {
	var out []string
	for object, fields := range c.seen {
		for name, b := range fields {
			if !b.Load() {
				out = append(out, object+"."+name)
			}
		}
	}
	slices.Sort(out)
	return out
}

func (c *record) refuse(at time.Time, why string) {
	c.refused.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusedAt, c.why = at, why
}

// Cards are the hooks' in the order of their ids.
func (s *Server) Cards() []Card {
	var out []Card
	for _, id := range slices.Sorted(maps.Keys(s.hooks)) {
		out = append(out, s.card(s.hooks[id]))
	}
	s.feedsMu.Lock()
	defer s.feedsMu.Unlock()
	for _, h := range s.feeds {
		out = append(out, s.card(h))
	}
	return out
}

func (s *Server) card(h *hook) Card {
	c := Card{
		Hook: h.id, Source: h.source, System: h.meta.System, URL: h.url, Proof: h.proof(),
		Accepted: h.record.accepted.Load(), Refused: h.record.refused.Load(), Unseen: h.record.unseen(),
	}
	if ms := h.record.taken.Load(); ms > 0 {
		c.LastTaken = time.UnixMilli(ms).UTC()
	}
	h.record.mu.Lock()
	defer h.record.mu.Unlock()
	c.LastRefuse, c.Why = h.record.refusedAt, h.record.why
	return c
}

// proof says in words how requests show who sent them.
func (h *hook) proof() string {
	if h.shows != "" {
		return h.shows
	}
	if v, ok := h.current.(*verify.Verifier); ok {
		return "signature in " + v.Scheme().Header
	}
	return "shared secret: end of the path, query, Authorization or X-Api-Key"
}

// serveCards answers GET /v1/sources, for whoever has a sender's token.
func (s *Server) serveCards(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		refuse(w, http.StatusMethodNotAllowed, "expected GET")
		return
	}
	if s.senders.who(r.Header) == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, errToken.Error())
		return
	}
	b, err := json.Marshal(map[string][]Card{"sources": s.Cards()})
	if err != nil {
		refuse(w, http.StatusInternalServerError, "cannot write the answer")
		return
	}
	w.Header()["Content-Type"] = typeJSON
	_, _ = w.Write(append(b, '\n'))
}

// why explains a refused signature to the people who run Plumbline; the sender
// learns nothing of it.
func (h *hook) why(r *verify.Request, host string, err error, now time.Time) string {
	v, signed := h.current.(*verify.Verifier)
	if !signed {
		if errors.Is(err, verify.ErrMissing) {
			return "no secret in the path, the query, Authorization or X-Api-Key"
		}
		return "the secret is another one than the configured"
	}
	scheme := v.Scheme()
	switch {
	case errors.Is(err, verify.ErrMissing):
		return missing(scheme, r.Header)
	case errors.Is(err, verify.ErrForm):
		return "header " + scheme.Header + " or its time is not written as " + h.source + " writes it"
	case errors.Is(err, verify.ErrTime):
		return "header " + scheme.TimeHeader + " is more than five minutes from our clock (" + now.UTC().Format(time.RFC3339) + "): a replay, or a wrong clock"
	}
	if other := h.signedFor(r, host, now); other != "" {
		return fmt.Sprintf("computed for %s, signed for %s: set public_url to the address the provider calls", r.URI, other)
	}
	return "signed with a secret that is not configured, or the body was changed on its way"
}

func missing(scheme *verify.Scheme, h http.Header) string {
	if scheme.Name == "v3" && len(h["X-Hubspot-Signature"]) > 0 {
		return "only an older HubSpot signature came: add accept: [v1] or [v2] to the hook if that is meant"
	}
	return "header " + scheme.Header + " is missing: is it this provider who calls?"
}

// signedFor looks for the address a signature was made for: mostly a proxy
// changed scheme, host or path, or public_url has a slash too many.
func (h *hook) signedFor(r *verify.Request, host string, now time.Time) string {
	path, query := "/hooks/"+h.id, ""
	if i := strings.IndexByte(r.URI, '?'); i >= 0 {
		query = r.URI[i:]
	}
	base := strings.TrimSuffix(r.URI, query)
	hosts := []string{host}
	if v := r.Header["X-Forwarded-Host"]; len(v) == 1 {
		hosts = append(hosts, v[0])
	}
	tries := []string{base + "/", strings.TrimSuffix(base, "/"), strings.Replace(base, "https://", "http://", 1), strings.Replace(base, "http://", "https://", 1)}
	for _, name := range hosts {
		tries = append(tries, "https://"+name+path, "http://"+name+path, "https://"+name+path+"/")
	}
	for _, try := range tries {
		other := *r
		other.URI = try + query
		if try != base && h.verify(&other, now) == nil {
			return other.URI
		}
	}
	return ""
}
