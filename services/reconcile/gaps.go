package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/crm"
)

// gapsEvery is how often objects that nobody configured are counted: a call each.
const gapsEvery = 24 * time.Hour

// kind is a sort of record that a CRM has whether or not somebody maps it.
type kind struct {
	name     string
	natives  map[string]string // by system
	critical bool
}

var kinds = []kind{
	{"contact", map[string]string{"hubspot": "contact", "salesforce": "Contact"}, true},
	{"company", map[string]string{"hubspot": "company", "salesforce": "Account"}, true},
	{"deal", map[string]string{"hubspot": "deal", "salesforce": "Opportunity"}, true},
	{"lead", map[string]string{"salesforce": "Lead"}, false},
	{"ticket", map[string]string{"hubspot": "ticket", "salesforce": "Case"}, false},
}

// gaps tells, once a day, of the objects that a side holds and nobody mapped.
func (r *Role) gaps(ctx context.Context) error {
	for {
		for _, in := range r.pairs() {
			err := r.untilDone(ctx, "tell what is in no integration", func(ctx context.Context) error { return r.tellGaps(ctx, in) })
			if err != nil {
				return nil
			}
		}
		if r.o.Clock.Sleep(ctx, gapsEvery) != nil {
			return nil
		}
	}
}

// pairs are integrations, the first of each two accounts.
func (r *Role) pairs() []*config.Integration {
	seen := map[[2]string]bool{}
	var out []*config.Integration
	for i := range r.o.Config.Integrations {
		in := &r.o.Config.Integrations[i]
		pair := [2]string{in.Source.Connection, in.Target.Connection}
		if r.accounts[pair[0]] != nil && r.accounts[pair[1]] != nil && !seen[pair] {
			seen[pair] = true
			out = append(out, in)
		}
	}
	return out
}

// tellGaps remembers what it told, so that a gap that was closed is taken back.
func (r *Role) tellGaps(ctx context.Context, in *config.Integration) error {
	state := "gaps/" + in.ID
	before := map[string]bool{}
	if _, err := r.store.load(ctx, state, &before); err != nil {
		return err
	}
	now := map[string]bool{}
	var out []bus.Message
	for i := range kinds {
		name := nameOf(in, &kinds[i])
		held, sure := r.held(ctx, in, &kinds[i])
		if len(held) == 0 {
			if !sure && before[name] {
				now[name] = true // as it was told
			}
			continue
		}
		now[name] = true
		reason := strings.Join(held, ", ") + ": no integration maps them. Map the object, or leave it out with `excluded: <reason>`"
		out = append(out, r.gap(in, name, event.RunUncovered, reason, kinds[i].critical))
	}
	for name := range before {
		o := configured(in, name)
		switch {
		case now[name]:
		case o == nil:
			out = append(out, r.gap(in, name, event.RunRemoved, "no longer there, or mapped", false))
		case o.Excluded != "":
			out = append(out, r.gap(in, name, event.RunExcluded, o.Excluded, false))
		} // else its own sets say how it stands
	}
	if err := r.publish(ctx, out); err != nil {
		return err
	}
	return r.store.save(ctx, state, now)
}

// held says what of a kind the two accounts hold and nobody mapped, and whether
// it saw both. What an account does not have, or its credential may not read,
// is no gap.
func (r *Role) held(ctx context.Context, in *config.Integration, k *kind) (out []string, sure bool) {
	sure = true
	for _, connection := range []string{in.Source.Connection, in.Target.Connection} {
		a := r.accounts[connection]
		native := k.natives[a.conn.System]
		if native == "" || r.mapped(connection, native) {
			continue
		}
		n, err := a.reader.Count(crm.In(ctx, crm.LaneCompare), crm.Query{Object: native})
		if err != nil {
			r.log.Debug("cannot count what is in no integration", zap.String("connection", connection), zap.String("object", native), zap.Error(err))
			sure = false
			continue
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%s holds %d %s records", a.conn.System, n, native))
		}
	}
	return out, sure
}

// mapped reports whether any integration reads the object of an account, or
// leaves it out and says why.
func (r *Role) mapped(connection, native string) bool {
	for i := range r.o.Config.Integrations {
		in := &r.o.Config.Integrations[i]
		for j := range in.Objects {
			o := &in.Objects[j]
			if in.Source.Connection == connection && strings.EqualFold(o.Source, native) {
				return true
			}
			if in.Target.Connection == connection && slices.ContainsFunc(o.Target, func(n string) bool { return strings.EqualFold(n, native) }) {
				return true
			}
		}
	}
	return false
}

func configured(in *config.Integration, name string) *config.Object {
	for i := range in.Objects {
		if in.Objects[i].Name == name {
			return &in.Objects[i]
		}
	}
	return nil
}

// nameOf is how a gap is called: not as an object that is compared.
func nameOf(in *config.Integration, k *kind) string {
	if configured(in, k.name) != nil {
		return k.name + " (not mapped)"
	}
	return k.name
}

func (r *Role) gap(in *config.Integration, object, state, reason string, critical bool) bus.Message {
	now := r.o.now()
	return message(&event.Reconciliation{
		Tenant: in.Tenant, Integration: in.ID, Object: object, Run: state, State: state, Reason: reason, Critical: critical,
		ScheduleMS: day.Milliseconds(), StartedAt: now, UpdatedAt: now, Version: uint64(now),
	})
}
