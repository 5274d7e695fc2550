package metadata

import (
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
)

// Break is what will make writes of a field fail.
type Break struct {
	Object  string // the integration's name
	Field   string // the source's name; a required field that is not mapped: the target's
	What    string // gone, type, picklist, required
	Summary string
	Step    string
}

// The kinds of break.
const (
	BreakGone     = "gone"
	BreakType     = "type"
	BreakPicklist = "picklist"
	BreakRequired = "required"
	BreakReadOnly = "read_only"
)

// Sides are the two schemas of an integration's object. A target may be several
// objects (leads and contacts): what one of them can take is not broken.
type Sides struct {
	Source  *crm.Metadata
	Targets []*crm.Metadata
	// Before are the same at the look before, nil at the first: what has been as
	// it is from the beginning is not reported where people may mean it.
	Before *Sides
}

// Breaks are the fields of a mapping that will fail, in its order.
func Breaks(o *config.Object, s *Sides) []Break {
	var out []Break
	for i := range o.Fields {
		f := &o.Fields[i]
		b := s.gone(f)
		if b == nil {
			b = s.fit(f)
		}
		if b != nil {
			b.Object, b.Field = o.Name, f.Source
			out = append(out, *b)
		}
	}
	return append(out, s.required(o)...)
}

func (s *Sides) gone(f *config.FieldMap) *Break {
	const step = "put the field back, or map the one that took its place"
	if _, ok := s.Source.Property(f.Source); !ok {
		return &Break{What: BreakGone, Summary: s.Source.System + " has no " + s.Source.Object + "." + f.Source + " (any more): nothing is read from it", Step: step}
	}
	if len(s.targets(f.Target)) == 0 {
		text := s.Targets[0].System + " has no " + s.Targets[0].Object + "." + f.Target + " (any more): writes that carry it are refused"
		if heir := s.heir(f.Target); heir != "" {
			text += "; " + heir + " looks like it"
		}
		return &Break{What: BreakGone, Summary: text, Step: step}
	}
	return nil
}

// heir is the new name of a property that was there at the look before.
func (s *Sides) heir(name string) string {
	if s.Before == nil {
		return ""
	}
	for i, before := range s.Before.Targets {
		if i >= len(s.Targets) {
			break
		}
		for _, c := range Diff(before, s.Targets[i]) {
			if c.What == Renamed && c.Field == name {
				return c.After
			}
		}
	}
	return ""
}

func (s *Sides) targets(name string) (out []crm.Property) {
	for _, t := range s.Targets {
		if p, ok := t.Property(name); ok {
			out = append(out, p)
		}
	}
	return out
}

// fit holds the values that come against those that can be taken.
func (s *Sides) fit(f *config.FieldMap) *Break {
	from, _ := s.Source.Property(f.Source)
	to := s.targets(f.Target)
	all := func(fails func(*crm.Property) bool) bool {
		return !slices.ContainsFunc(to, func(p crm.Property) bool { return !fails(&p) })
	}
	where := s.Targets[0].System + " " + s.Targets[0].Object + "." + f.Target
	switch {
	case all(func(p *crm.Property) bool {
		return strict[p.Kind] && !compatible(from.Kind, p.Kind) && f.Compare != p.Kind && len(f.Map) == 0
	}):
		return &Break{
			What: BreakType, Summary: fmt.Sprintf("%s is a %s and takes no %s of %s.%s", where, to[0].Kind, from.Kind, s.Source.Object, f.Source),
			Step: "put the type back, or map a field that can hold the values",
		}
	case all(func(p *crm.Property) bool { return p.ReadOnly }) && s.was(f.Target, func(p *crm.Property) bool { return !p.ReadOnly }):
		return &Break{What: BreakReadOnly, Summary: where + " cannot be written any more", Step: "give the sync's user the right to edit the field"}
	case all(func(p *crm.Property) bool { return len(refused(f, &from, p)) > 0 }):
		values := refused(f, &from, &to[0])
		return &Break{
			What: BreakPicklist, Summary: fmt.Sprintf("%s of %s %s.%s is no option of %s: writes with it are refused", quoted(values), s.Source.System, s.Source.Object, f.Source, where),
			Step: "add the option, or map the value to one that is there",
		}
	}
	return nil
}

// strict are the kinds that refuse what does not read as theirs.
var strict = map[string]bool{value.Number: true, value.Bool: true, value.Date: true, value.DateTime: true}

func compatible(from, to string) bool {
	switch to {
	case value.Date, value.DateTime:
		return from == value.Date || from == value.DateTime
	}
	return from == to
}

// refused are the source's options that a closed picklist does not have, as the
// map has them.
func refused(f *config.FieldMap, from, to *crm.Property) (out []string) {
	if !to.Closed || len(to.Options) == 0 || to.Kind == value.Reference {
		return nil
	}
	for _, o := range from.Options {
		v := o.Value
		if mapped, ok := f.Map[v]; ok {
			v = mapped
		}
		if v != "" && !slices.ContainsFunc(to.Options, func(x crm.Option) bool { return strings.EqualFold(x.Value, v) }) {
			out = append(out, o.Value)
		}
	}
	return out
}

// was reports whether something held of a property at the look before, or was
// true of none then.
func (s *Sides) was(name string, what func(*crm.Property) bool) bool {
	if s.Before == nil {
		return false
	}
	before := s.Before.targets(name)
	return slices.ContainsFunc(before, func(p crm.Property) bool { return what(&p) })
}

// required are the fields that creates must carry since the look before and
// that nobody maps.
func (s *Sides) required(o *config.Object) (out []Break) {
	if s.Before == nil {
		return nil
	}
	for _, t := range s.Targets {
		for _, p := range t.Properties {
			mapped := slices.ContainsFunc(o.Fields, func(f config.FieldMap) bool { return f.Target == p.Name }) ||
				slices.ContainsFunc(o.Key, func(k config.Key) bool { return k.Target == p.Name })
			if !p.Required || mapped || s.was(p.Name, func(b *crm.Property) bool { return b.Required }) {
				continue
			}
			out = append(out, Break{
				Object: o.Name, Field: p.Name, What: BreakRequired, Summary: t.System + " " + t.Object + "." + p.Name + " is required now and not mapped: creates are refused",
				Step: "map the field, give it a default, or make it optional",
			})
		}
	}
	return out
}
