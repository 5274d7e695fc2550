package connect

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/goccy/go-yaml"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/privacy"
)

// Options of the walk. Readers, connections and Out are required.
type Options struct {
	Source, Target   crm.Reader
	SourceConnection config.Connection // as they will stand in the file
	TargetConnection config.Connection
	Privacy          *privacy.Key
	Sample           int       // records of each object that are looked at; 0 = 500
	Out              io.Writer // what happens, for a person
	Now              func() time.Time
}

//go:embed templates.yaml
var templatesYAML []byte

// Proposal is what the walk found.
type Proposal struct {
	Source, Target crm.Account
	Objects        []*Object
	Skipped        []string // why others are not in it
	Began, Ended   time.Time
}

// Object is one object with the evidence for what is proposed.
type Object struct {
	config.Object
	SourceCount, TargetCount int64
	Keys                     []KeyEvidence
	Fields                   []FieldEvidence
	First                    First
	sample                   []match.Row
	mapping                  *match.Mapping
}

type walk struct {
	o     Options
	known map[string][]crm.Property // system/object
	p     *Proposal
	in    config.Integration
}

// Init walks from the credentials to the proposal and the first number. An
// error is one that the user has to do something about, and says what.
func Init(ctx context.Context, o Options) (*Proposal, error) {
	if o.Sample == 0 {
		o.Sample = 500
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &walk{o: o, known: map[string][]crm.Property{}, p: &Proposal{Began: o.Now()}}
	w.in = config.Integration{
		ID: "hubspot-salesforce", Tenant: "default",
		Source: config.Endpoint{System: "hubspot", Connection: o.SourceConnection.ID},
		Target: config.Endpoint{System: "salesforce", Connection: o.TargetConnection.ID},
	}
	ctx = crm.In(ctx, crm.LaneProbe)
	if err := w.accounts(ctx); err != nil {
		return nil, err
	}
	var templates []config.Object
	if err := yaml.Unmarshal(templatesYAML, &templates); err != nil {
		return nil, fmt.Errorf("bundled templates: %w", err)
	}
	for i := range templates {
		if err := w.object(ctx, &templates[i]); err != nil {
			return nil, err
		}
	}
	if len(w.p.Objects) == 0 {
		return nil, errors.New("no object can be compared: " + joinOr(w.p.Skipped, "neither system shows contacts, companies or deals to these credentials"))
	}
	w.p.Ended = o.Now()
	w.total()
	return w.p, nil
}

func (w *walk) say(format string, args ...any) { fmt.Fprintf(w.o.Out, format+"\n", args...) }

// accounts proves both credentials.
func (w *walk) accounts(ctx context.Context) error {
	w.say("1. Who do these credentials belong to?")
	for _, x := range []struct {
		r    crm.Reader
		conn *config.Connection
		to   *crm.Account
	}{{w.o.Source, &w.o.SourceConnection, &w.p.Source}, {w.o.Target, &w.o.TargetConnection, &w.p.Target}} {
		a, err := x.r.Account(ctx)
		if err != nil {
			return advise(err, x.conn)
		}
		*x.to = a
		if x.conn.Account == "" {
			x.conn.Account = a.ID
		}
		text := fmt.Sprintf("   %s: account %s", title(x.r.System()), a.ID)
		if a.User != "" {
			text += ", as " + a.User
		}
		if a.Daily > 0 {
			text += fmt.Sprintf("; %d API calls a day, %d used today; Plumbline may use %d of them (call_share %g)",
				a.Daily, a.Used, int64(float64(a.Daily)*x.conn.CallShare), x.conn.CallShare)
		}
		w.say("%s", text)
	}
	w.in.Source.Account, w.in.Target.Account = w.p.Source.ID, w.p.Target.ID
	return nil
}

// object looks at one of the templates; what the credentials do not show is
// left out, with the reason.
func (w *walk) object(ctx context.Context, template *config.Object) error {
	w.say("\n%d. %s: how much, by which key, which fields?", 2+len(w.p.Objects)+len(w.p.Skipped), template.Name)
	o := &Object{Object: *template}
	props, err := w.describe(ctx, o)
	if why := leftOut(err); why != "" {
		w.say("   left out: %s", why)
		w.p.Skipped = append(w.p.Skipped, template.Name+": "+why)
		return nil
	}
	if err != nil {
		return advise(err, w.connectionOf(err))
	}
	for _, step := range []func(context.Context, *Object, *properties) error{w.count, w.keys, w.fields, w.first} {
		if err := step(ctx, o, props); err != nil {
			if errors.Is(err, errNothing) {
				w.p.Skipped = append(w.p.Skipped, template.Name+": "+err.Error())
				w.say("   left out: %s", err)
				return nil
			}
			return advise(err, w.connectionOf(err))
		}
	}
	w.p.Objects = append(w.p.Objects, o)
	return nil
}

// errNothing ends an object without ending the walk.
var errNothing = errors.New("there is nothing to compare")

// properties are what both sides have, by side and native kind.
type properties struct{ source, target map[string]crm.Property }

func (w *walk) describe(ctx context.Context, o *Object) (*properties, error) {
	list, err := w.properties(ctx, w.o.Source, o.Source)
	if err != nil {
		return nil, err
	}
	p := &properties{source: byName(list), target: map[string]crm.Property{}}
	var kept config.List[string]
	var refused error
	for _, native := range o.Target {
		list, err := w.properties(ctx, w.o.Target, native)
		if k := crm.KindOf(err); k == crm.KindGone || k == crm.KindScope || k == crm.KindSchema {
			refused = err
			continue // not every org has leads
		}
		if err != nil {
			return nil, err
		}
		kept = append(kept, native)
		maps.Copy(p.target, byName(list))
	}
	if o.Target = kept; len(kept) == 0 {
		return nil, refused
	}
	return p, nil
}

// properties asks once: the walk comes back to them again and again.
func (w *walk) properties(ctx context.Context, r crm.Reader, object string) ([]crm.Property, error) {
	key := r.System() + "/" + object
	if list, ok := w.known[key]; ok {
		return list, nil
	}
	list, err := r.Describe(ctx, object)
	if err == nil {
		w.known[key] = list
	}
	return list, err
}

func byName(list []crm.Property) map[string]crm.Property {
	out := make(map[string]crm.Property, len(list))
	for _, p := range list {
		out[p.Name] = p
	}
	return out
}

// leftOut is why an object cannot be looked at, if the credential is the
// reason and not the walk.
func leftOut(err error) string {
	switch crm.KindOf(err) {
	case crm.KindScope:
		return "the credential may not read it (" + err.Error() + ")"
	case crm.KindGone, crm.KindSchema:
		return "the system does not have it (" + err.Error() + ")"
	}
	return ""
}

func (w *walk) connectionOf(err error) *config.Connection {
	var e *crm.Error
	if errors.As(err, &e) && e.System == "Salesforce" {
		return &w.o.TargetConnection
	}
	return &w.o.SourceConnection
}

// count shows how much there is on each side.
func (w *walk) count(ctx context.Context, o *Object, _ *properties) error {
	n, err := w.o.Source.Count(ctx, crm.Query{Object: o.Source})
	if err != nil {
		return err
	}
	o.SourceCount = n
	var parts []string
	var kept config.List[string]
	for _, native := range o.Target {
		n, err := w.o.Target.Count(ctx, crm.Query{Object: native})
		if err != nil {
			return err
		}
		if n > 0 {
			kept = append(kept, native)
		}
		o.TargetCount += n
		parts = append(parts, fmt.Sprintf("%d %s", n, native))
	}
	if len(kept) > 0 {
		o.Target = kept
	}
	w.say("   %d in HubSpot, %s in Salesforce", o.SourceCount, joinOr(parts, "none"))
	if o.SourceCount == 0 || o.TargetCount == 0 {
		return fmt.Errorf("%w: one side is empty", errNothing)
	}
	return nil
}

func (w *walk) now() event.Time { return event.At(w.o.Now()) }

// mapping is an object as far as it is known, ready to convert records.
func (w *walk) mapping(ctx context.Context, o config.Object) (*match.Mapping, error) {
	in := w.in
	in.Objects = []config.Object{o}
	m := match.New(&in, &in.Objects[0], privacy.NewPolicy(w.o.Privacy, []config.Integration{in}))
	for _, x := range []struct {
		side string
		r    crm.Reader
	}{{event.Source, w.o.Source}, {event.Target, w.o.Target}} {
		for _, native := range m.Natives(x.side) {
			list, err := w.properties(ctx, x.r, native)
			if err != nil {
				return nil, err
			}
			m.Know(x.side, native, list)
		}
	}
	return m, nil
}
