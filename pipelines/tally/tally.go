package tally

import (
	"cmp"
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	// maxOpen and maxEntries bound a second: what is fuller is told at once.
	maxOpen    = 2048
	maxEntries = 512
	// pulseEvery is how often each tenant's partition says where it stands.
	pulseEvery = 10 * event.Second
	stateKey   = "second"
)

// Tally implements stream.Operator.
type Tally struct {
	state   Second
	cells   map[cell]int // where in state.Open
	dirty   bool
	tenants []string
	targets map[string]int64  // latency target of each integration
	of      map[string]string // tenant of each
	names   map[name]string   // the source's name of a field of the target
}

// name is a field as one side calls it.
type name struct{ integration, object, field string }

// cell is what one partial is about.
type cell struct {
	tenant, integration, object, provider, token string
	actor                                        event.Actor
}

// New makes the tally of one partition.
func New(integrations []config.Integration) *Tally {
	t := &Tally{cells: map[cell]int{}, targets: map[string]int64{}, of: map[string]string{}, names: map[name]string{}}
	for i := range integrations {
		in := &integrations[i]
		t.targets[in.ID] = in.LatencyTarget()
		t.of[in.ID] = in.TenantOrDefault()
		t.tenants = append(t.tenants, in.TenantOrDefault())
		for j := range in.Objects {
			for _, f := range in.Objects[j].Fields {
				if n := (name{in.ID, in.Objects[j].Name, f.Target}); t.names[n] == "" {
					t.names[n] = f.Source
				}
			}
		}
	}
	slices.Sort(t.tenants)
	t.tenants = slices.Compact(t.tenants)
	return t
}

// Step implements stream.Operator.
func (t *Tally) Step(ctx stream.Ctx, _ string, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Change:
		t.change(ctx, e)
	case *event.Attempt:
		t.attempt(ctx, e)
	case *event.Failure:
		t.failure(ctx, e)
	case *event.Delivery:
		t.delivery(ctx, e)
	case *event.Divergence:
		t.divergence(ctx, e)
	default:
		return
	}
	if len(t.state.Open) >= maxOpen {
		t.flush(ctx, out)
	}
}

// Tick implements stream.Operator.
func (t *Tally) Tick(ctx stream.Ctx, out *stream.Out) {
	t.flush(ctx, out)
	if ctx.Now < t.state.Pulsed+pulseEvery {
		return
	}
	t.state.Pulsed, t.dirty = ctx.Now, true
	for _, tenant := range t.tenants {
		out.Emit(topic.Partials, tenant, &event.Pulse{Tenant: tenant, Partition: int(ctx.Partition), At: ctx.Now})
	}
}

// flush tells what was counted, in an order that does not depend on maps.
func (t *Tally) flush(ctx stream.Ctx, out *stream.Out) {
	if len(t.state.Open) == 0 {
		return
	}
	open := t.state.Open
	slices.SortFunc(open, byCell)
	for i := range open {
		p := &open[i]
		p.Second = max(ctx.Now, 1) // nobody has ticked yet: the time is not known
		out.Emit(topic.Partials, p.Tenant, p)
	}
	t.state.Open, t.dirty = nil, true
	clear(t.cells)
}

func byCell(a, b event.Partial) int {
	return cmp.Or(
		cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Integration, b.Integration), cmp.Compare(a.Object, b.Object),
		cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Token, b.Token), cmp.Compare(a.Actor.Kind, b.Actor.Kind),
		cmp.Compare(a.Actor.ID, b.Actor.ID), cmp.Compare(a.Actor.Run, b.Actor.Run), cmp.Compare(a.Version, b.Version),
	)
}

// at returns the open partial of a cell. One that is full is left as it is
// and another begun: both are told.
func (t *Tally) at(ctx stream.Ctx, c cell) *event.Partial {
	t.dirty = true
	if tenant, ok := t.of[c.integration]; ok {
		c.tenant = tenant
	}
	if i, ok := t.cells[c]; ok && !full(&t.state.Open[i]) {
		p := &t.state.Open[i]
		p.Version = ctx.Version
		return p
	}
	t.cells[c] = len(t.state.Open)
	t.state.Open = append(t.state.Open, event.Partial{
		Tenant: c.tenant, Integration: c.integration, Object: c.object, Provider: c.provider, Token: c.token, Actor: c.actor,
		Version: ctx.Version,
	})
	return &t.state.Open[len(t.state.Open)-1]
}

func full(p *event.Partial) bool {
	return max(len(p.Attempts), len(p.Failures), len(p.Deliveries), len(p.Latencies), len(p.Tries), len(p.Divergences), len(p.Changes)) >= maxEntries ||
		slices.ContainsFunc(p.Failures, func(c event.FailureCount) bool { return len(c.Records) >= event.MaxKeys }) ||
		slices.ContainsFunc(p.Deliveries, func(c event.DeliveryCount) bool { return len(c.Records) >= event.MaxKeys }) ||
		slices.ContainsFunc(p.Divergences, func(c event.DivergenceCount) bool { return len(c.Records) >= event.MaxKeys })
}

// Save implements stream.State.
func (t *Tally) Save(emit stream.Emit) error {
	if !t.dirty {
		return nil
	}
	t.dirty = false
	_, err := t.Rewrite(1, emit)
	return err
}

// Rewrite implements stream.State.
func (t *Tally) Rewrite(_ int, emit stream.Emit) (bool, error) {
	b, err := t.state.MarshalMsg(nil)
	if err != nil {
		return false, err
	}
	return true, emit(stateKey, b)
}

// Load implements stream.State.
func (t *Tally) Load(_ string, value []byte) error {
	t.state = Second{}
	clear(t.cells)
	if value == nil {
		return nil
	}
	if _, err := t.state.UnmarshalMsg(value); err != nil {
		return err
	}
	for i := range t.state.Open {
		p := &t.state.Open[i]
		t.cells[cell{p.Tenant, p.Integration, p.Object, p.Provider, p.Token, p.Actor}] = i
	}
	return nil
}
