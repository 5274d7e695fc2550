package config

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
)

func (s *source) integrations(c *config.Config) {
	seen := map[string]int{}
	tenants := map[string]string{} // hook -> tenant
	for i := range c.Integrations {
		in := &c.Integrations[i]
		p := fmt.Sprintf("integrations[%d]", i)
		s.id(p, in.ID, seen)
		if !idForm.MatchString(in.Tenant) {
			s.add(p+".tenant", "is %q; expected letters, digits, dot, dash or underscore, at most 64", in.Tenant)
		}
		s.word(p+".priority", in.Priority, priorities)
		s.word(p+".mode", in.Mode, modes)
		s.word(p+".attempts", in.Attempts, attempts)
		s.schedule(p, in)
		s.thresholds(p+".thresholds", in.Thresholds)
		s.endpoint(p+".source", in.Source, c)
		s.endpoint(p+".target", in.Target, c)
		s.hookTenant(p+".source.hook", in.Source.Hook, in.Tenant, tenants)
		s.hookTenant(p+".target.hook", in.Target.Hook, in.Tenant, tenants)
		s.objects(p+".objects", in)
	}
}

// hookTenant keeps a hook within one tenant: what comes through it is sealed
// with that tenant's key before anybody knows which integration it is for.
func (s *source) hookTenant(path, hook, tenant string, tenants map[string]string) {
	if hook == "" {
		return
	}
	if other, ok := tenants[hook]; ok && other != tenant {
		s.add(path, "is %q, which tenant %q uses already; expected a hook of tenant %q's own", hook, other, tenant)
		return
	}
	tenants[hook] = tenant
}

func (s *source) schedule(p string, in *config.Integration) {
	switch {
	case in.Mode != config.Batch && in.Schedule != "":
		s.add(p+".schedule", "is set, but mode is %s; expected mode: batch", in.Mode)
	case in.Mode == config.Batch && !isSchedule(in.Schedule):
		s.add(p+".schedule", "is %q; expected a cron line like \"0 * * * *\" or an interval like 1h", in.Schedule)
	}
}

func isSchedule(v string) bool {
	if d, err := time.ParseDuration(v); err == nil {
		return d > 0
	}
	return len(strings.Fields(v)) == 5 || strings.HasPrefix(v, "@")
}

func (s *source) thresholds(path string, t map[string]float64) {
	for name, v := range t {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
			s.add(path+"."+name, "is %v; expected a number of 0 or more", v)
		}
	}
}

func (s *source) endpoint(p string, e config.Endpoint, c *config.Config) {
	s.word(p+".system", e.System, Systems)
	if e.Connection != "" {
		s.connectionOf(p, e, c.Connections)
	}
	s.canary(p+".canary", e.Canary)
	if e.Hook == "" {
		return
	}
	i := slices.IndexFunc(c.Hooks, func(h config.Hook) bool { return h.ID == e.Hook })
	switch {
	case i < 0:
		s.add(p+".hook", "is %q, which hooks does not define; %s", e.Hook, defined(c.Hooks, func(h config.Hook) string { return h.ID }))
	case c.Hooks[i].Source != e.System && slices.Contains(Systems, c.Hooks[i].Source):
		s.add(p+".hook", "is %q, a hook of %s; expected one of %s", e.Hook, c.Hooks[i].Source, e.System)
	}
}

func (s *source) canary(p string, c *config.Canary) {
	if c == nil {
		return
	}
	s.required(p+".object", c.Object)
	s.required(p+".record", c.Record)
	if time.Duration(c.Every) < time.Minute {
		s.add(p+".every", "is how often somebody changes the record, at least a minute: e.g. 15m")
	}
}

func (s *source) connectionOf(p string, e config.Endpoint, cs []config.Connection) {
	i := slices.IndexFunc(cs, func(c config.Connection) bool { return c.ID == e.Connection })
	switch {
	case i < 0:
		s.add(p+".connection", "is %q, which connections does not define; %s", e.Connection,
			defined(cs, func(c config.Connection) string { return c.ID }))
	case cs[i].System != e.System && e.System != "":
		s.add(p+".connection", "is %q, a connection to %s; expected one to %s", e.Connection, cs[i].System, e.System)
	case cs[i].Account != "" && cs[i].Account != e.Account:
		s.add(p+".account", "is %q, but connection %q is to account %q", e.Account, e.Connection, cs[i].Account)
	}
}

func defined[T any](list []T, id func(T) string) string {
	if len(list) == 0 {
		return "none is defined"
	}
	var ids []string
	for _, x := range list {
		ids = append(ids, id(x))
	}
	return "defined are " + strings.Join(ids, ", ")
}

func (s *source) objects(path string, in *config.Integration) {
	seen := map[string]int{}
	for i := range in.Objects {
		o := &in.Objects[i]
		p := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case o.Name == "":
			s.add(p+".name", "is missing")
		case seen[o.Name] != 0:
			s.add(p+".name", "is %q, which line %d has already", o.Name, seen[o.Name])
		default:
			seen[o.Name] = s.line(p + ".name")
		}
		s.native(p+".source", in.Source.System, o.Source)
		for j, t := range o.Target {
			s.native(fmt.Sprintf("%s.target[%d]", p, j), in.Target.System, t)
		}
		for j, k := range o.Key {
			s.key(fmt.Sprintf("%s.key[%d]", p, j), k)
		}
		s.fields(p+".fields", o.Fields)
	}
}

// plurals are the names HubSpot's URLs use; its events use the singular ones.
var plurals = map[string]string{
	"contacts": "contact", "companies": "company", "deals": "deal", "tickets": "ticket",
	"products": "product", "line_items": "line_item", "leads": "lead",
}

func (s *source) native(path, system, object string) {
	if one := plurals[object]; one != "" && system == "hubspot" {
		s.add(path, "is %q; expected the name in HubSpot's events, %q", object, one)
	}
}

func (s *source) key(p string, k config.Key) {
	s.required(p+".source", k.Source)
	s.required(p+".target", k.Target)
	s.optional(p+".normalize", k.Normalize, value.Kinds)
}

func (s *source) fields(path string, fields []config.FieldMap) {
	type pair struct{ source, target string }
	seen := map[pair]bool{}
	policy := map[string]string{}
	for i, f := range fields {
		p := fmt.Sprintf("%s[%d]", path, i)
		s.required(p+".source", f.Source)
		s.required(p+".target", f.Target)
		s.optional(p+".compare", f.Compare, value.Kinds)
		s.optional(p+".policy", f.Policy, policies)
		s.optional(p+".rule", f.Rule, rules)
		if seen[pair{f.Source, f.Target}] {
			s.add(p, "maps %s to %s a second time", f.Source, f.Target)
		}
		seen[pair{f.Source, f.Target}] = true
		if len(f.Map) > 0 && f.Compare != value.Picklist && f.Compare != value.Multi {
			s.add(p+".map", "is set, but compare is %q; expected compare: picklist", f.Compare)
		}
		if f.Via != "" && f.Compare != value.Reference {
			s.add(p+".via", "is set, but compare is %q; expected compare: reference", f.Compare)
		}
		for _, name := range []string{"source." + f.Source, "target." + f.Target} {
			if was, ok := policy[name]; ok && was != f.Policy {
				s.add(p+".policy", "is %q, but an earlier line gives the same field %q: a field has one policy", f.Policy, was)
			}
			policy[name] = f.Policy
		}
	}
}
