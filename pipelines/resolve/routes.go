package resolve

import (
	"slices"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// route says that an integration maps a native object on one side.
type route struct {
	integration *config.Integration
	object      *config.Object
	side        string
}

type nativeObject struct{ system, object string }

// routes finds the integrations that a native record concerns.
type routes struct {
	byNative map[nativeObject][]route
	byID     map[string]*config.Integration
}

func newRoutes(integrations []config.Integration) *routes {
	r := &routes{byNative: map[nativeObject][]route{}, byID: map[string]*config.Integration{}}
	for i := range integrations {
		in := &integrations[i]
		r.byID[in.ID] = in
		for j := range in.Objects {
			o := &in.Objects[j]
			r.add(in.Source.System, o.Source, route{in, o, event.Source})
			for _, target := range o.Target {
				r.add(in.Target.System, target, route{in, o, event.Target})
			}
		}
	}
	return r
}

func (r *routes) add(system, object string, to route) {
	k := nativeObject{system, object}
	r.byNative[k] = append(r.byNative[k], to)
}

// each calls f for the routes of a native record. An event that names its
// integration goes there only; an endpoint without account takes any.
func (r *routes) each(system, account, object, integration string, f func(route)) {
	for _, to := range r.byNative[nativeObject{system, object}] {
		if integration != "" && to.integration.ID != integration {
			continue
		}
		if want := to.endpoint().Account; want != "" && account != "" && want != account {
			continue
		}
		f(to)
	}
}

// keyed reports whether a record of the source shows a field it is known by.
func (t route) keyed(fields []event.Field) bool {
	for i := range t.object.Key {
		if _, ok := event.Find(fields, t.object.Key[i].Source); ok {
			return true
		}
	}
	return false
}

// to is the route that leads to an integration's object on the target's side.
func (r *routes) to(integration, name string) (route, bool) {
	in, obj := r.object(integration, name)
	return route{in, obj, event.Target}, obj != nil
}

func (t route) endpoint() config.Endpoint {
	if t.side == event.Source {
		return t.integration.Source
	}
	return t.integration.Target
}

// object finds an integration's object by its own name or a native one.
func (r *routes) object(integration, name string) (*config.Integration, *config.Object) {
	in := r.byID[integration]
	if in == nil {
		return nil, nil
	}
	for i := range in.Objects {
		o := &in.Objects[i]
		if o.Name == name || o.Source == name || slices.Contains(o.Target, name) {
			return in, o
		}
	}
	return in, nil
}
