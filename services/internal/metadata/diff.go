package metadata

import (
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

// What may happen to a property.
const (
	Added    = "added"
	Removed  = "removed"
	Renamed  = "renamed"
	Retyped  = "retyped"
	Options  = "options"  // of a picklist
	Shorter  = "shorter"  // it holds fewer characters
	Required = "required" // a record without it is refused from now on
	Closed   = "closed"   // other values than the options are refused from now on
	ReadOnly = "read_only"
	Unique   = "unique"
)

// Change is one difference between two looks.
type Change struct {
	Object  string // native name
	Field   string
	What    string
	Before  string
	After   string   // of a renamed one: its new name
	Gone    []string // options that were taken away
	New     []string // options that came
	Summary string
}

// Kind is that of the signal.
func (c *Change) Kind() string {
	if c.What == Options || c.What == Closed {
		return event.SignalPicklistChange
	}
	return event.SignalSchemaChange
}

// Diff lists what changed from one look to the next, by name. A property that
// went while one alike came is renamed: the systems do not say so themselves.
func Diff(before, after *crm.Metadata) []Change {
	var out []Change
	came := slices.DeleteFunc(slices.Clone(after.Properties), func(p crm.Property) bool { _, ok := before.Property(p.Name); return ok })
	for i := range before.Properties {
		was := &before.Properties[i]
		if is, ok := after.Property(was.Name); ok {
			out = append(out, changed(after, was, &is)...)
			continue
		}
		c := Change{Object: after.Object, Field: was.Name, What: Removed}
		if j := slices.IndexFunc(came, func(p crm.Property) bool { return heir(was, &p) }); j >= 0 {
			c.What, c.After = Renamed, came[j].Name
			came = slices.Delete(came, j, j+1)
		}
		out = append(out, c)
	}
	for _, p := range came {
		out = append(out, Change{Object: after.Object, Field: p.Name, What: Added})
		if p.Required {
			out = append(out, Change{Object: after.Object, Field: p.Name, What: Required})
		}
	}
	for i := range out {
		out[i].Summary = summary(after.System, &out[i])
	}
	slices.SortStableFunc(out, func(a, b Change) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// heir reports whether a new property looks like one that is gone.
func heir(was, is *crm.Property) bool {
	if was.Kind != is.Kind || was.Type != is.Type {
		return false
	}
	named := strings.Contains(strings.ToLower(is.Name), strings.TrimSuffix(strings.ToLower(was.Name), "__c"))
	return named || was.Label != "" && was.Label == is.Label || len(was.Options) > 1 && slices.Equal(was.Options, is.Options)
}

func changed(m *crm.Metadata, was, is *crm.Property) []Change {
	var out []Change
	add := func(what, before, after string) {
		out = append(out, Change{Object: m.Object, Field: is.Name, What: what, Before: before, After: after})
	}
	if was.Kind != is.Kind || was.Type != is.Type {
		add(Retyped, was.Type, is.Type)
	}
	if is.Length > 0 && (was.Length == 0 || is.Length < was.Length) && was.Type == is.Type {
		add(Shorter, fmt.Sprint(was.Length), fmt.Sprint(is.Length))
	}
	for _, f := range []struct {
		what    string
		was, is bool
	}{{Required, was.Required, is.Required}, {Closed, was.Closed, is.Closed}, {ReadOnly, was.ReadOnly, is.ReadOnly}, {Unique, was.Unique, is.Unique}} {
		if f.is && !f.was {
			add(f.what, "no", "yes")
		}
	}
	gone, came := missing(was.Options, is.Options), missing(is.Options, was.Options)
	if len(gone)+len(came) > 0 && len(is.Options) > 0 {
		out = append(out, Change{Object: m.Object, Field: is.Name, What: Options, Gone: gone, New: came})
	}
	return out
}

// missing are the values of one list that the other lacks.
func missing(of, in []crm.Option) (out []string) {
	for _, o := range of {
		if !slices.ContainsFunc(in, func(x crm.Option) bool { return x.Value == o.Value }) {
			out = append(out, o.Value)
		}
	}
	return out
}

func summary(system string, c *Change) string {
	where := system + " " + c.Object + "." + c.Field
	switch c.What {
	case Removed:
		return where + " was deleted"
	case Renamed:
		return where + " is gone, and " + c.After + " looks like it: renamed"
	case Retyped:
		return where + " changed its type from " + c.Before + " to " + c.After
	case Shorter:
		return where + " holds " + c.After + " characters, no more " + c.Before
	case Options:
		var words []string
		if len(c.Gone) > 0 {
			words = append(words, quoted(c.Gone)+" left")
		}
		if len(c.New) > 0 {
			words = append(words, quoted(c.New)+" joined")
		}
		return strings.Join(words, " and ") + " the picklist of " + where
	case Added:
		return where + " is new"
	}
	return where + " is " + strings.ReplaceAll(c.What, "_", " ") + " now"
}

// quoted shows the first few.
func quoted(list []string) string {
	const most = 5
	rest := ""
	if len(list) > most {
		rest = fmt.Sprintf(" and %d more", len(list)-most)
		list = list[:most]
	}
	return "'" + strings.Join(list, "', '") + "'" + rest
}
