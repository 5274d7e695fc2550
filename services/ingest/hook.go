package ingest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/sources"
	"plumbline.dev/services/ingest/verify"
)

// hook is one configured webhook endpoint.
type hook struct {
	id, system, tenant string
	url                string             // as the provider calls it, without the query
	current            *verify.Verifier   // decides whenever its header is there
	older              []*verify.Verifier // accepted by configuration
	decode             func([]byte, sources.Meta) (sources.Result, error)
	metrics            routeMetrics
}

// provider says in data how a source signs and who decodes it.
type provider struct {
	current verify.Scheme
	older   map[string]verify.Scheme // by the name in the hook's accept list
	decode  func([]byte, sources.Meta) (sources.Result, error)
}

var providers = map[string]provider{
	"hubspot": {
		current: verify.HubSpotV3,
		older:   map[string]verify.Scheme{"v1": verify.HubSpotV1, "v2": verify.HubSpotV2},
		decode:  sources.HubSpot,
	},
}

func (s *Server) loadHooks() error {
	s.hooks = map[string]*hook{}
	for i := range s.o.Config.Hooks {
		c := &s.o.Config.Hooks[i]
		h, err := s.newHook(c)
		if err != nil {
			return fmt.Errorf("hook %s: %w", c.ID, err)
		}
		s.hooks[c.ID] = h
	}
	random := []byte(rand.Text())
	v, err := verify.New(verify.HubSpotV3, random)
	s.unknown = &hook{id: "unknown", current: v, metrics: s.metrics.route("unknown")}
	return err
}

func (s *Server) newHook(c *config.Hook) (*hook, error) {
	p, ok := providers[c.Source]
	if !ok {
		return nil, fmt.Errorf("source %s has no webhook decoder in this version: remove the hook", c.Source)
	}
	var secrets [][]byte
	for _, ref := range c.Secrets {
		secret, err := s.o.Secrets.Resolve(ref)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret)
	}
	base, _, _ := strings.Cut(c.PublicURL, "?")
	h := &hook{
		id: c.ID, system: c.Source, url: base, decode: p.decode,
		tenant: tenantOf(c.ID, s.o.Config), metrics: s.metrics.route("hooks/" + c.ID),
	}
	var err error
	if h.current, err = verify.New(p.current, secrets...); err != nil {
		return nil, err
	}
	for _, name := range c.Accept {
		scheme, ok := p.older[name]
		if !ok {
			return nil, fmt.Errorf("accept: %s has no signature %s", c.Source, name)
		}
		v, err := verify.New(scheme, secrets...)
		if err != nil {
			return nil, err
		}
		h.older = append(h.older, v)
	}
	return h, nil
}

// tenantOf is the tenant of the integrations that use the hook; the
// configuration makes sure that it is one.
func tenantOf(hook string, c *config.Config) string {
	for i := range c.Integrations {
		if in := &c.Integrations[i]; in.Source.Hook == hook || in.Target.Hook == hook {
			return in.Tenant
		}
	}
	return "default"
}

// verify checks the signature. An older scheme counts only where it is
// configured and the current one's header is absent.
func (h *hook) verify(r *http.Request, body []byte, now time.Time) error {
	req := verify.Request{Method: r.Method, URI: h.url, Header: r.Header, Body: body}
	if r.URL.RawQuery != "" {
		req.URI += "?" + r.URL.RawQuery
	}
	if h.current.Present(r.Header) || len(h.older) == 0 {
		return h.current.Verify(&req, now)
	}
	err := error(verify.ErrMissing)
	for _, v := range h.older {
		if e := v.Verify(&req, now); e == nil {
			return nil
		} else if err == verify.ErrMissing { //nolint:errorlint // our own value, never wrapped
			err = e
		}
	}
	return err
}

func (s *Server) serveHook(w http.ResponseWriter, r *http.Request, id string) {
	start := s.o.Now()
	h := s.hooks[id]
	if h == nil {
		s.serveUnknown(w, r)
		return
	}
	if _, err := jsonType(r.Header); err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	b, err := s.read(w, r, false) // providers sign what they send, and send it plain
	if err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	defer b.release()
	if err := h.verify(r, b.bytes, start); err != nil {
		s.metrics.signatures.WithLabelValues(h.metrics.name, err.Error()).Inc()
		s.refuse(w, &h.metrics, errSignature)
		return
	}
	s.take(w, r.Header, h, b.bytes, start)
}

var (
	errSignature = &problem{http.StatusUnauthorized, "signature refused"}
	errNoHook    = &problem{http.StatusNotFound, "no such hook"}
)

// serveUnknown works as long as a wrong signature does.
func (s *Server) serveUnknown(w http.ResponseWriter, r *http.Request) {
	h := s.unknown
	b, err := s.read(w, r, false)
	if err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	defer b.release()
	h.current.Burn(&verify.Request{Method: r.Method, URI: r.URL.Path, Header: r.Header, Body: b.bytes})
	s.refuse(w, &h.metrics, errNoHook)
}

// take decodes a body whose sender is known and makes it durable.
func (s *Server) take(w http.ResponseWriter, header http.Header, h *hook, body []byte, start time.Time) {
	result, err := h.decode(body, sources.Meta{Hook: h.id, ReceivedAt: at(start)})
	if err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	out := s.batch(len(result.Changes) + len(result.Bad))
	defer out.release()
	for _, c := range result.Changes {
		c.Fields = s.o.Privacy.Apply(h.tenant, c.System, c.Object, c.Fields)
		out.intake(event.NativeKey(c.System, c.Account, c.Object, c.RecordID), c, start)
	}
	out.deadLetters(s, "hook:"+h.id, h.tenant, body, result.Bad, start)
	if err := s.produce(out, header); err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	h.metrics.ignored.Add(float64(result.Ignored))
	a := answer{Accepted: result.Total - len(result.Bad), DeadLetters: notes(result.Bad)}
	h.metrics.events.Add(float64(len(result.Changes)))
	s.accepted(w, &h.metrics, &a, result.Bad, start)
}
