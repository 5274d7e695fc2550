package console

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/console/ask"
	"plumbline.dev/services/console/login"
	"plumbline.dev/services/internal/warehouse"
)

// rowsShown is how many rows a table on a page has; its own page has more.
const (
	rowsShown = 25
	rowsPaged = 200
)

// visit is one person at one address.
type visit struct {
	s      *Server
	person login.Person
	path   string
	query  url.Values
	window Window
	now    time.Time // of the reading
}

// limits are those of every read, with the rows that are for the person.
func (s *Server) limits(p login.Person) warehouse.Limits {
	l := readLimits
	l.Tenants = p.Tenants
	return l
}

// scope tells whose rows an answer holds: one is never shown to another.
func scope(p login.Person) string {
	if p.Tenants == nil {
		return "*"
	}
	return strings.Join(slices.Sorted(slices.Values(p.Tenants)), ",")
}

// get is a parameter of the address.
func (v *visit) get(name string) string { return v.query.Get(name) }

// integrations are those configured that are for the person.
func (v *visit) integrations() []config.Integration { return v.s.integrations(v.person) }

func (s *Server) integrations(p login.Person) []config.Integration {
	return slices.DeleteFunc(slices.Clone(s.o.Integrations), func(c config.Integration) bool { return !p.Sees(tenantOf(c)) })
}

func tenantOf(c config.Integration) string {
	if c.Tenant == "" {
		return "default"
	}
	return c.Tenant
}

// integration finds a configured one, nil if it is not there or not for the
// person.
func (v *visit) integration(id string) *config.Integration {
	list := v.integrations()
	i := slices.IndexFunc(list, func(c config.Integration) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// ask runs one question with parameters of the page's own.
func (v *visit) ask(ctx context.Context, name string, limit int, values map[string]string, change ...func(*ask.Params)) (*ask.Answer, error) {
	p := ask.Params{Values: values, To: v.now, From: v.now.Add(-v.window.Span), Now: v.now, Limit: limit, Lists: v.fieldNames(values["record_key"])}
	for _, f := range change {
		f(&p)
	}
	return ask.Ask(ctx, v.s.o.Warehouse, v.s.limits(v.person), name, p)
}

// fieldNames are a record's mapped fields, those of the target beside those of
// the source.
func (v *visit) fieldNames(recordKey string) map[string][]string {
	out := map[string][]string{"source_fields": {""}, "target_fields": {""}} // never empty: it needs a type
	id, rest, _ := strings.Cut(recordKey, "/")
	object, _, _ := strings.Cut(rest, "/")
	in := v.integration(id)
	if in == nil {
		return out
	}
	for _, o := range in.Objects {
		if o.Name != object {
			continue
		}
		for _, f := range o.Fields {
			out["source_fields"], out["target_fields"] = append(out["source_fields"], f.Source), append(out["target_fields"], f.Target)
		}
	}
	return out
}

// part is one table of a page: a question and what it is asked.
type part struct {
	name   string
	values map[string]string
	hide   []string // columns that say the same in every row
	change func(*ask.Params)
	limit  int // 0 = rowsShown
}

// sheets asks several questions, a few at a time.
func (v *visit) sheets(ctx context.Context, parts ...part) ([]*sheet, error) {
	out := make([]*sheet, len(parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelReads)
	for i, p := range parts {
		g.Go(func() error {
			var change []func(*ask.Params)
			if p.change != nil {
				change = append(change, p.change)
			}
			limit := p.limit
			if limit == 0 {
				limit = rowsShown
			}
			a, err := v.ask(ctx, p.name, limit, maps.Clone(p.values), change...)
			if err != nil {
				return err
			}
			out[i] = v.sheet(a, p.hide...)
			return nil
		})
	}
	return out, g.Wait()
}
