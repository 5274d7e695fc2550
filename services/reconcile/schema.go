package reconcile

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/metadata"
)

const (
	// schemaEvery is how often schemas are glance at: two calls an object and side.
	schemaEvery = 10 * time.Minute
	// maxChangesTold bounds what one look says of an object.
	maxChangesTold = 50
)

// Glance is what the last look at an object's two schemas saw, and what of the
// mapping was broken then.
type Glance struct {
	At      event.Time                 `json:"at"`
	Source  *crm.Metadata              `json:"source"`
	Targets []*crm.Metadata            `json:"targets"`
	Broken  map[string]*event.Signal   `json:"broken,omitempty"` // by field: the open signals
	Known   map[string]*metadata.Break `json:"known,omitempty"`
}

func (l *Glance) sides() *metadata.Sides {
	if l == nil || l.Source == nil {
		return nil
	}
	return &metadata.Sides{Source: l.Source, Targets: l.Targets}
}

// schemas looks at every object's schemas again and again.
func (r *Role) schemas(ctx context.Context) error {
	for {
		for _, s := range r.subjects {
			if err := r.schema(ctx, s); err != nil && ctx.Err() == nil {
				r.metrics.failures.WithLabelValues(string(crm.KindOf(err))).Inc()
				r.log.Warn("cannot look at the schemas", zap.String("object", s.name()), zap.Error(err))
			}
		}
		if r.o.Clock.Sleep(ctx, r.o.SchemaEvery) != nil {
			return nil
		}
	}
}

// schema looks at one object's schemas: what has changed is told, and what of
// the mapping will break is, before a write fails by it.
func (r *Role) schema(ctx context.Context, s *subject) error {
	var before Glance
	state := "schema/" + s.name()
	if _, err := r.store.load(ctx, state, &before); err != nil {
		return err
	}
	readers := map[string]crm.Reader{event.Source: s.sides[event.Source].reader, event.Target: s.sides[event.Target].reader}
	now, signals, err := Look(crm.In(ctx, crm.LanePoll), s.Mapping, readers, &before, r.o.now())
	if err != nil {
		return err
	}
	messages := make([]bus.Message, 0, len(signals))
	for _, sig := range signals {
		messages = append(messages, bus.Message{Topic: topic.Intake, Key: s.Integration.ID + "/signal", Time: now.At, Event: sig})
	}
	if len(messages) > 0 { // before the state: what was told twice has the same id
		if err := r.o.Producer.Produce(ctx, messages...); err != nil {
			return err
		}
	}
	return r.store.save(ctx, state, now)
}

// Look reads an object's schemas on both sides, and tells what has changed since
// the look before, and what of the mapping will break or works again.
func Look(ctx context.Context, m *match.Mapping, readers map[string]crm.Reader, before *Glance, at event.Time) (*Glance, []*event.Signal, error) {
	now := &Glance{At: at, Broken: map[string]*event.Signal{}, Known: map[string]*metadata.Break{}}
	for _, side := range []string{event.Source, event.Target} {
		for _, native := range m.Natives(side) {
			x, err := readers[side].Metadata(ctx, native)
			if err != nil {
				return nil, nil, err
			}
			if side == event.Source {
				now.Source = &x
			} else {
				now.Targets = append(now.Targets, &x)
			}
		}
	}
	sides := now.sides()
	sides.Before = before.sides()
	var signals []*event.Signal
	if sides.Before != nil {
		signals = changed(m, before, now)
	}
	return now, append(signals, breaks(m, sides, before, now)...), nil
}

// changed tells the differences between two looks. They began after the first.
func changed(s *match.Mapping, before, now *Glance) (out []*event.Signal) {
	changes := metadata.Diff(before.Source, now.Source)
	system := map[int]string{}
	for i := range changes {
		system[i] = now.Source.System
	}
	for i := range min(len(before.Targets), len(now.Targets)) {
		for _, c := range metadata.Diff(before.Targets[i], now.Targets[i]) {
			system[len(changes)] = now.Targets[i].System
			changes = append(changes, c)
		}
	}
	for i := range changes[:min(len(changes), maxChangesTold)] {
		c := &changes[i]
		sig := signalOf(s, c.Kind(), system[i], c.Field, before.At, now.At, c.Summary, c.What)
		sig.Detail = []event.Field{
			text("after", c.After), text("before", c.Before), text("native", c.Object+"."+c.Field), text("removed", strings.Join(c.Gone, ";")),
			text("seen_at", now.At.String()), text("what", c.What),
		}
		out = append(out, sig)
	}
	return out
}

func text(name, v string) event.Field { return event.Field{Name: name, Value: event.Value{Text: v}} }

// breaks tells what of the mapping will fail, and what will not any more. What
// is known stays known while it is as broken.
func breaks(s *match.Mapping, sides *metadata.Sides, before, now *Glance) (out []*event.Signal) {
	for _, b := range metadata.Breaks(s.Object, sides) {
		now.Known[b.Field] = &b
		if was := before.Known[b.Field]; was != nil && was.What == b.What && b.What == metadata.BreakGone {
			now.Known[b.Field] = was // the look that saw it go knows where to
		}
	}
	for field, b := range before.Known { // that it is required, or cannot be written, is only seen when it begins
		if now.Known[field] == nil && stays(b, sides) {
			now.Known[field] = b
		}
	}
	for _, field := range slices.Sorted(maps.Keys(now.Known)) {
		b := now.Known[field]
		sig := before.Broken[field]
		if sig == nil || sig.Summary != b.Summary {
			since := now.At
			if sig != nil {
				since = sig.StartedAt
			}
			sig = signalOf(s, event.SignalMappingBreak, s.Integration.Target.System, field, since, now.At, b.Summary, b.What+b.Summary)
			sig.Detail = []event.Field{text("first_step", b.Step), text("what", b.What)}
			out = append(out, sig)
		}
		now.Broken[field] = sig
	}
	for _, field := range slices.Sorted(maps.Keys(before.Broken)) {
		if now.Broken[field] == nil {
			over := *before.Broken[field]
			over.ID, over.EndedAt, over.ReceivedAt = event.Hash(over.ID, "over"), now.At, now.At
			over.Summary = "the mapping of " + s.Object.Name + "." + field + " works again"
			out = append(out, &over)
		}
	}
	return out
}

// stays reports whether a break that only a comparison of looks shows goes on.
func stays(b *metadata.Break, s *metadata.Sides) bool {
	if b.What != metadata.BreakRequired {
		return false
	}
	return slices.ContainsFunc(s.Targets, func(t *crm.Metadata) bool {
		p, ok := t.Property(b.Field)
		return ok && p.Required
	})
}

// signalOf is about one field, under the integration's own name where it has one.
func signalOf(s *match.Mapping, kind, system, field string, since, now event.Time, summary, what string) *event.Signal {
	if i := slices.IndexFunc(s.Object.Fields, func(f config.FieldMap) bool { return f.Target == field && system == s.Integration.Target.System }); i >= 0 {
		field = s.Object.Fields[i].Source
	}
	return &event.Signal{
		ID:     event.Hash("schema", s.Integration.ID, s.Object.Name, system, field, kind, what, strconv.FormatInt(int64(since), 10)),
		Tenant: s.Integration.Tenant, Integration: s.Integration.ID, Kind: kind, Sender: "schema-watch", System: system, Object: s.Object.Name,
		Field: field, StartedAt: since, ReceivedAt: now, Summary: summary,
	}
}
