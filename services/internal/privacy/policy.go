package privacy

import (
	"strings"
	"unicode/utf8"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// What may happen to a field.
const (
	Clear = "clear"
	Hash  = "hash"
	Seal  = "seal"
	Drop  = "drop"
)

// rank orders the policies: where two integrations read one field, the event
// is written once, and the stricter word holds.
var rank = map[string]int{Clear: 1, Seal: 2, Hash: 3, Drop: 4}

type rule struct{ policy, kind string }

// Policy is the field policy of all integrations, ready for use. It is safe
// for concurrent use.
type Policy struct {
	key     *Key
	objects map[objectKey]map[string]rule // field name in lower case -> rule
}

type objectKey struct{ system, object string }

// NewPolicy compiles the integrations' field maps.
func NewPolicy(key *Key, integrations []config.Integration) *Policy {
	p := &Policy{key: key, objects: map[objectKey]map[string]rule{}}
	for i := range integrations {
		in := &integrations[i]
		for j := range in.Objects {
			p.object(in, &in.Objects[j])
		}
	}
	return p
}

// Key is the policy's key.
func (p *Policy) Key() *Key { return p.key }

// object learns the rules of one mapped object under every name that an event
// may use for it.
func (p *Policy) object(in *config.Integration, o *config.Object) {
	targets := append([]string{o.Name}, o.Target...)
	for _, k := range o.Key {
		p.learn(in.Source.System, []string{o.Name, o.Source}, k.Source, "", k.Normalize)
		p.learn(in.Target.System, targets, k.Target, "", k.Normalize)
	}
	for _, f := range o.Fields {
		p.learn(in.Source.System, []string{o.Name, o.Source}, f.Source, f.Policy, f.Compare)
		p.learn(in.Target.System, targets, f.Target, f.Policy, f.Compare)
	}
}

func (p *Policy) learn(system string, objects []string, field, policy, compare string) {
	if policy == "" && personal(compare) {
		policy = Hash
	}
	r := rule{policy: policy, kind: kindOf(compare, field)}
	for _, o := range objects {
		k := objectKey{system, strings.ToLower(o)}
		if p.objects[k] == nil {
			p.objects[k] = map[string]rule{}
		}
		name := strings.ToLower(field)
		was := p.objects[k][name]
		// A kind learned once is kept: both sides must hash alike.
		if r.kind == "" {
			r.kind = was.kind
		}
		if rank[r.policy] < rank[was.policy] {
			r.policy = was.policy
		}
		p.objects[k][name] = r
	}
}

func kindOf(compare, field string) string {
	if compare != "" {
		return compare
	}
	return nameKind(field)
}

func personal(kind string) bool { return kind == value.Email || kind == value.Phone }

// Apply rewrites the fields in place by the policy of their object and
// returns those that are kept.
func (p *Policy) Apply(tenant, system, object string, fields []event.Field) []event.Field {
	if len(fields) == 0 {
		return fields
	}
	rules := p.objects[objectKey{system, strings.ToLower(object)}]
	kept := fields[:0]
	for _, f := range fields {
		r := find(rules, f.Name)
		if r.policy == Drop {
			continue
		}
		f.Value = p.rewrite(tenant, r, f.Value)
		kept = append(kept, f)
	}
	return kept
}

// Readable reports whether a field's values are stored as they are.
func (p *Policy) Readable(system, object, field string) bool {
	return find(p.objects[objectKey{system, strings.ToLower(object)}], field).policy == Clear
}

// find returns the rule of a field: the configured one, else by its name.
func find(rules map[string]rule, name string) rule {
	r, ok := rules[name]
	if !ok {
		r = rules[strings.ToLower(name)]
	}
	if r.kind == "" {
		r.kind = nameKind(name)
	}
	if r.policy == "" {
		r.policy = Clear
		if personal(r.kind) || personal(nameKind(name)) {
			r.policy = Hash
		}
	}
	return r
}

func (p *Policy) rewrite(tenant string, r rule, v event.Value) event.Value {
	// What holds nothing gives nothing away, and blank must stay blank.
	if r.policy == Clear || v.Kind == event.KindNull || strings.TrimSpace(v.Text) == "" ||
		v.Kind == event.KindHash || v.Kind == event.KindSeal {
		return v
	}
	out := event.Value{Mask: Mask(r.kind, v.Text), Len: utf8.RuneCountInString(v.Text)}
	if r.policy == Seal {
		out.Kind, out.Text = event.KindSeal, p.key.SealText(tenant, v.Text)
		return out
	}
	out.Kind, out.Text = event.KindHash, p.key.Hash(value.Normalize(r.kind, v))
	return out
}
