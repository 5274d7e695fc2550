package reconcile

import (
	"context"
	"errors"
	"slices"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// set is how one (object, field) set stands: its two watermarks, and what was
// compared, so that another mapping does not inherit them.
type set struct {
	Definition string     `json:"definition"`
	State      string     `json:"state"`
	Compared   event.Time `json:"compared_through,omitempty"`
	Equal      event.Time `json:"equal_through,omitempty"`
	BlockedBy  string     `json:"blocked_by,omitempty"`
	Share      float64    `json:"share,omitempty"`
}

// sets are all of an object; the field "" is the object as a whole.
type sets map[string]*set

func setsName(integration, object string) string { return "sets/" + integration + "/" + object }

// definition is what a comparison of the field means.
func definition(o *config.Object, f *config.FieldMap) string {
	d := config.Object{Source: o.Source, Target: o.Target, Key: o.Key, Scope: o.Scope}
	if f != nil {
		d.Fields = []config.FieldMap{*f}
		d.Fields[0].Rule, d.Fields[0].Policy = "", ""
	}
	return config.Hash([]config.Integration{{Objects: []config.Object{d}}})
}

func every(o *config.Object) time.Duration {
	if o.CompareEvery > 0 {
		return time.Duration(o.CompareEvery)
	}
	return day
}

// names are the sets that an object should have, with their definitions.
func names(o *config.Object) map[string]string {
	out := map[string]string{"": definition(o, nil)}
	for i := range o.Fields {
		out[o.Fields[i].Source] = definition(o, &o.Fields[i])
	}
	return out
}

// declare says which sets there are: new ones are planned, those that now
// mean something else start anew, those no longer configured are removed.
func (r *Role) declare(ctx context.Context, s *subject) error {
	known, err := r.sets(ctx, s)
	if err != nil {
		return err
	}
	now := r.o.now()
	var out []bus.Message
	wanted := names(s.Object)
	for field, def := range wanted {
		switch was := known[field]; {
		case was == nil:
			known[field] = &set{Definition: def, State: event.RunPlanned}
			out = append(out, r.row(s, field, known[field], "", now, now))
		case was.Definition != def:
			*was = set{Definition: def, State: event.RunInvalidated}
			out = append(out, r.row(s, field, was, "the mapping changed", now, now))
		}
	}
	for field, was := range known {
		if _, ok := wanted[field]; !ok {
			was.State = event.RunRemoved
			out = append(out, r.row(s, field, was, "no longer mapped", now, now))
			delete(known, field)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return errors.Join(r.publish(ctx, out), r.store.save(ctx, setsName(s.Integration.ID, s.Object.Name), known))
}

func (r *Role) sets(ctx context.Context, s *subject) (sets, error) {
	known := sets{}
	_, err := r.store.load(ctx, setsName(s.Integration.ID, s.Object.Name), &known)
	return known, err
}

// row is a set as it now stands, without counts.
func (r *Role) row(s *subject, field string, x *set, reason string, started, now event.Time) bus.Message {
	return message(&event.Reconciliation{
		Tenant: s.Integration.Tenant, Integration: s.Integration.ID, Object: s.Object.Name, Field: field, Run: x.State, State: x.State,
		Reason: reason, Critical: s.IsCritical(), ScheduleMS: every(s.Object).Milliseconds(), StartedAt: started, UpdatedAt: now,
		ComparedThrough: x.Compared, EqualThrough: x.Equal, BlockedBy: x.BlockedBy, Share: x.Share, Version: uint64(now),
	})
}

// publish tells the world, and watch, which judges coverage and drift by it:
// what it hears comes through intake, so that a replay knows it.
func (r *Role) publish(ctx context.Context, out []bus.Message) error {
	for _, m := range slices.Clone(out) {
		m.Topic, m.Key = topic.Intake, m.Key+"/reconciliation"
		out = append(out, m)
	}
	return r.o.Producer.Produce(ctx, out...)
}

func message(e *event.Reconciliation) bus.Message {
	e.ID = event.Hash("reconciliation", e.Integration, e.Object, e.Field, e.Run)
	return bus.Message{Topic: topic.Reconciliations, Key: e.Integration, Time: e.UpdatedAt, Event: e}
}

// passed moves the watermarks after a complete run.
func (r *Role) passed(ctx context.Context, s *subject, res *Result) error {
	known, err := r.sets(ctx, s)
	if err != nil {
		return err
	}
	now := r.o.now()
	defs := names(s.Object)
	var out []bus.Message
	whole := FieldResult{Different: res.Different + res.MissingInTarget + res.MissingInSource + res.Duplicates, Accepted: res.Accepted, InFlight: res.InFlight}
	for field, f := range fieldResults(res, whole) {
		x := &set{Definition: defs[field], State: event.RunComplete, Compared: res.StartedAt, Share: res.Share}
		if was := known[field]; was != nil {
			x.Equal = was.Equal
		}
		reason := ""
		switch {
		case f.Blocked != "":
			x.State, x.BlockedBy, reason = event.RunFailed, res.Run, f.Blocked
			x.Compared = 0
			if was := known[field]; was != nil {
				x.Compared, x.Share = was.Compared, was.Share
			}
		case f.Different > f.Accepted:
			x.BlockedBy = res.Run
		default:
			x.Equal = equalThrough(res, &f, s.Integration)
		}
		known[field] = x
		out = append(out, counted(s, res, field, &f, x, reason, now))
	}
	r.metrics.compared.WithLabelValues(s.Integration.ID, s.Object.Name).Set(float64(res.StartedAt) / 1000)
	r.metrics.linked.WithLabelValues(s.Integration.ID, s.Object.Name).Set(res.Linking())
	return errors.Join(r.publish(ctx, out), r.store.save(ctx, setsName(s.Integration.ID, s.Object.Name), known))
}

func fieldResults(res *Result, whole FieldResult) map[string]FieldResult {
	out := map[string]FieldResult{"": whole}
	for _, f := range res.Fields {
		was := out[f.Source] // one field may fill several
		was.Different, was.InFlight, was.Accepted = was.Different+f.Different, was.InFlight+f.InFlight, was.Accepted+f.Accepted
		if f.Blocked != "" {
			was.Blocked = f.Blocked
		}
		out[f.Source] = was
	}
	return out
}

// equalThrough is the run's begin, less what was under way then.
func equalThrough(res *Result, f *FieldResult, in *config.Integration) event.Time {
	if f.InFlight > 0 {
		return res.StartedAt - event.Time(time.Duration(in.Deadline).Milliseconds())
	}
	return res.StartedAt
}

func counted(s *subject, res *Result, field string, f *FieldResult, x *set, reason string, now event.Time) bus.Message {
	e := &event.Reconciliation{
		Tenant: s.Integration.Tenant, Integration: s.Integration.ID, Object: s.Object.Name, Field: field, Run: res.Run, State: x.State,
		Reason: reason, Critical: s.IsCritical(), ScheduleMS: every(s.Object).Milliseconds(), StartedAt: res.StartedAt, EndedAt: res.EndedAt,
		SourceRecords: res.Source, TargetRecords: res.Target, Compared: res.Compared, Equal: res.Compared - f.Different - f.InFlight,
		Different: f.Different, InFlight: f.InFlight, Accepted: f.Accepted, Share: x.Share, ComparedThrough: x.Compared,
		EqualThrough: x.Equal, BlockedBy: x.BlockedBy, UpdatedAt: now, Version: uint64(now),
	}
	if field == "" {
		e.SourceCount, e.TargetCount, e.Equal, e.Different = res.SourceCount, res.TargetCount, res.Equal, res.Different
		e.MissingInTarget, e.MissingInSource, e.Duplicates = res.MissingInTarget, res.MissingInSource, res.Duplicates
		e.Unlinkable, e.OutOfScope, e.Calls = res.Unlinkable, res.OutOfScope, res.Calls
		e.Compared = res.Compared + res.MissingInTarget
	}
	return message(e)
}

// failed leaves the watermarks where they are and names the run that holds
// them back.
func (r *Role) failed(ctx context.Context, s *subject, p *progress, why error) error {
	known, err := r.sets(ctx, s)
	if err != nil {
		return err
	}
	now := r.o.now()
	var out []bus.Message
	for field := range names(s.Object) {
		x := known[field]
		if x == nil {
			x = &set{State: event.RunPlanned}
		}
		x.State, x.BlockedBy = event.RunFailed, p.ID
		known[field] = x
		m := r.row(s, field, x, why.Error(), p.StartedAt, now)
		e := m.Event.(*event.Reconciliation)
		e.Run, e.EndedAt, e.Calls = p.ID, now, p.Calls
		out = append(out, message(e))
	}
	return errors.Join(r.publish(ctx, out), r.store.save(ctx, setsName(s.Integration.ID, s.Object.Name), known))
}
