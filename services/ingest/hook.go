package ingest

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/own"
	"plumbline.dev/services/ingest/sources"
	"plumbline.dev/services/ingest/verify"
	"plumbline.dev/services/ingest/wire"
	"plumbline.dev/services/internal/privacy"
)

// hook is one configured webhook endpoint.
type hook struct {
	id, tenant string
	source     string
	url        string             // as the provider calls it, without the query
	current    checker            // decides whenever its header is there
	older      []*verify.Verifier // accepted by configuration
	provider   provider
	meta       sources.Meta      // what is known before a request comes
	users      []string          // integrations that the hook feeds
	actors     map[string]string // kinds by id, in the customer's words
	metrics    routeMetrics
	quota      quota
	shows      string // of a feed: how we know whose words these are
	record     record
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
	var err error
	s.burner, err = verify.New(verify.HubSpotV3, []byte(rand.Text()))
	s.unknown = s.metrics.route("unknown")
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
		id: c.ID, source: c.Source, url: base, provider: p, tenant: tenantOf(c.ID, s.o.Config), actors: c.Actors,
		users: usersOf(c.ID, s.o.Config), metrics: s.metrics.route("hooks/" + c.ID),
	}
	h.record.expect(func(e *config.Endpoint) bool { return e.Hook == c.ID }, s.o.Config.Integrations)
	if err := h.describe(c, s.o.Config); err != nil {
		return nil, err
	}
	return h, h.guard(c, secrets)
}

// describe fills in what decoders are told about every body.
func (h *hook) describe(c *config.Hook, all *config.Config) error {
	h.meta = sources.Meta{
		Hook: c.ID, System: c.System, Account: c.Account,
		Integration: c.Integration, Runs: c.Runs, Mapping: c.Mapping,
	}
	if c.Account == "" {
		h.meta.Account = accountOf(c.ID, all)
	}
	if h.meta.System == "" && !h.provider.serves {
		h.meta.System = c.Source
	}
	if h.meta.System == "" {
		return fmt.Errorf("system is missing: name the system whose events come through source %s", c.Source)
	}
	if h.meta.Integration == "" && len(all.Integrations) == 1 {
		h.meta.Integration = all.Integrations[0].ID
	}
	for name, id := range c.Runs {
		if !slices.ContainsFunc(all.Integrations, func(in config.Integration) bool { return in.ID == id }) {
			return fmt.Errorf("runs: %q belongs to integration %q, which is not configured", name, id)
		}
	}
	return nil
}

// guard makes the checks of the signature or the shared secret.
func (h *hook) guard(c *config.Hook, secrets [][]byte) error {
	current, err := h.provider.current, error(nil)
	if c.Signature != nil && c.Source == "json" {
		custom, err := verify.Custom(c.Signature)
		if err != nil {
			return err
		}
		current = &custom
	}
	if current == nil {
		h.current, err = verify.NewShared(h.provider.secret, secrets...)
		return err
	}
	if h.current, err = verify.New(*current, secrets...); err != nil {
		return err
	}
	for _, name := range c.Accept {
		scheme, ok := h.provider.older[name]
		if !ok {
			return fmt.Errorf("accept: %s has no signature %s", c.Source, name)
		}
		v, err := verify.New(scheme, secrets...)
		if err != nil {
			return err
		}
		h.older = append(h.older, v)
	}
	return nil
}

// accountOf is the account that every integration with the hook agrees on.
func accountOf(hook string, c *config.Config) string {
	found := ""
	for i := range c.Integrations {
		for _, end := range []*config.Endpoint{&c.Integrations[i].Source, &c.Integrations[i].Target} {
			if end.Hook != hook || end.Account == "" {
				continue
			}
			if found != "" && found != end.Account {
				return ""
			}
			found = end.Account
		}
	}
	return found
}

// usersOf are the integrations that a hook feeds.
func usersOf(hook string, c *config.Config) []string {
	var out []string
	for i := range c.Integrations {
		if in := &c.Integrations[i]; in.Source.Hook == hook || in.Target.Hook == hook {
			out = append(out, in.ID)
		}
	}
	return out
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
func (h *hook) verify(req *verify.Request, now time.Time) error {
	if h.current.Present(req.Header) || len(h.older) == 0 {
		return h.current.Verify(req, now)
	}
	err := error(verify.ErrMissing)
	for _, v := range h.older {
		if e := v.Verify(req, now); e == nil {
			return nil
		} else if err == verify.ErrMissing { //nolint:errorlint // our own value, never wrapped
			err = e
		}
	}
	return err
}

// request is what a signature may cover.
func (h *hook) request(r *http.Request, body []byte, secret string) *verify.Request {
	req := &verify.Request{Method: r.Method, URI: h.url, Header: r.Header, Body: body, Secret: secret}
	if r.URL.RawQuery != "" {
		req.URI += "?" + r.URL.RawQuery
	}
	return req
}

// serveHook takes POST /hooks/{id}; a secret may stand behind the id.
func (s *Server) serveHook(w http.ResponseWriter, r *http.Request, id string) {
	start := s.o.Now()
	id, secret, _ := strings.Cut(id, "/")
	h := s.hooks[id]
	if h == nil {
		s.serveUnknown(w, r)
		return
	}
	if err := h.accepts(r.Header); err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	b, err := s.read(w, r, false) // providers sign what they send, and send it plain
	if err != nil {
		s.refuse(w, &h.metrics, err)
		return
	}
	defer b.release()
	req := h.request(r, b.bytes, secret)
	if err := h.verify(req, start); err != nil {
		s.metrics.signatures.WithLabelValues(h.metrics.name, err.Error()).Inc()
		h.record.refuse(start, h.why(req, r.Host, err, start))
		s.quarantine(h, req, err, start)
		s.refuse(w, &h.metrics, errSignature)
		return
	}
	a, err := s.take(r.Header, h, b.bytes, start)
	if err != nil {
		h.record.refuse(start, err.Error())
		s.refuse(w, &h.metrics, err)
		return
	}
	h.record.accepted.Add(1)
	h.record.taken.Store(start.UnixMilli())
	s.accepted(w, &h.metrics, &a, start)
}

func (h *hook) accepts(header http.Header) error {
	if v := header["Content-Type"]; h.provider.soap && len(v) == 1 && isXML(v[0]) {
		return nil
	}
	_, err := jsonType(header)
	return err
}

var (
	errSignature = &problem{http.StatusUnauthorized, "signature refused"}
	errNoHook    = &problem{http.StatusNotFound, "no such hook"}
)

// serveUnknown works as long as a wrong signature does.
func (s *Server) serveUnknown(w http.ResponseWriter, r *http.Request) {
	b, err := s.read(w, r, false)
	if err != nil {
		s.refuse(w, &s.unknown, err)
		return
	}
	defer b.release()
	s.burner.Burn(&verify.Request{Method: r.Method, URI: r.URL.Path, Header: r.Header, Body: b.bytes})
	s.refuse(w, &s.unknown, errNoHook)
}

// take decodes a body whose sender is known and makes it durable.
func (s *Server) take(header http.Header, h *hook, body []byte, start time.Time) (answer, error) {
	meta := h.meta
	meta.ReceivedAt, meta.Header = at(start), header
	result, err := h.provider.decode(body, meta)
	if err != nil {
		return answer{}, err
	}
	out := s.batch(len(result.Changes) + len(result.Others) + len(result.Bad))
	defer out.release()
	for _, c := range result.Changes {
		s.change(out, h, c, start)
	}
	for i, e := range result.Others {
		if err := s.other(out, h, e, start); err != nil {
			result.Bad = append(result.Bad, wire.Reject(i, body, err))
		}
	}
	events := len(out.messages)
	out.deadLetters(s, "hook:"+h.id, h.tenant, body, result.Bad, start)
	if err := s.produce(out, header); err != nil {
		return answer{}, err
	}
	h.metrics.ignored.Add(float64(result.Ignored))
	h.metrics.events.Add(float64(events))
	s.dead(&h.metrics, result.Bad)
	return answer{
		Accepted: max(result.Total-len(result.Bad), 0), DeadLetters: notes(result.Bad), soap: h.provider.soap && isMarkup(body),
	}, nil
}

// change goes to intake beside its record, its fields by the policy.
func (s *Server) change(out *batch, h *hook, c *event.Change, now time.Time) {
	h.record.see(c)
	c.Fields = s.o.Privacy.Apply(h.tenant, c.System, c.Object, c.Fields)
	if kind := h.actors[c.Actor.ID]; kind != "" {
		c.Actor.Kind = kind
	} else if kind := h.actors[c.Token]; c.Token != "" && kind != "" {
		c.Actor.Kind = kind
	}
	out.intake(event.NativeKey(c.System, c.Account, c.Object, c.RecordID), c, now)
}

// other events are those that only some providers send.
func (s *Server) other(out *batch, h *hook, e event.Event, now time.Time) error {
	switch e := e.(type) {
	case *event.Change:
		s.change(out, h, e, now)
	case *event.Attempt:
		key, err := s.own.Finish(e)
		if err != nil {
			return err
		}
		out.intake(key, e, now)
	case *event.Signal:
		s.signal(out, h, e, now)
	}
	return nil
}

// signal is about the integrations that the hook feeds: others have the same
// system, but not this account. A hook that feeds none is about all.
func (s *Server) signal(out *batch, h *hook, e *event.Signal, now time.Time) {
	e.Summary = privacy.MaskEmails(e.Summary)
	if e.Integration != "" || len(h.users) == 0 {
		out.intake(own.SignalKey(e), e, now)
		return
	}
	for _, id := range h.users {
		one := *e
		one.Integration, one.Tenant = id, h.tenant
		one.ID = event.Hash(e.ID, id)
		out.intake(own.SignalKey(&one), &one, now)
	}
}
