package tally

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	// maxOpen and maxEntries bound a second: what is fuller is told at once.
	maxOpen    = 8192
	maxEntries = 512
	// pulseEvery is how often each tenant's partition says where it stands.
	pulseEvery = 10 * event.Second
)

// Tally implements stream.Operator.
type Tally struct {
	cells   cells
	pulsed  event.Time // when each tenant was last told of
	dirty   bool       // pulsed is
	tenants []string
	targets map[string]int64  // latency target of each integration
	of      map[string]string // tenant of each
	names   map[name]string   // the source's name of a field of the target
}

// name is a field as one side calls it.
type name struct{ integration, object, field string }

// New makes the tally of one partition.
func New(integrations []config.Integration) *Tally {
	t := &Tally{cells: newCells(), targets: map[string]int64{}, of: map[string]string{}, names: map[name]string{}}
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
	if len(t.cells.open) >= maxOpen {
		t.cells.tell(ctx, out, true)
	}
}

// Tick implements stream.Operator.
func (t *Tally) Tick(ctx stream.Ctx, out *stream.Out) {
	t.cells.tell(ctx, out, len(t.cells.open) < manyOpen)
	if ctx.Now < t.pulsed+pulseEvery {
		return
	}
	t.pulsed, t.dirty = ctx.Now, true
	for _, tenant := range t.tenants {
		out.Emit(topic.Partials, tenant, &event.Pulse{Tenant: tenant, Partition: int(ctx.Partition), At: ctx.Now})
	}
}

// at returns the open partial of a cell.
func (t *Tally) at(ctx stream.Ctx, c cell) *event.Partial {
	if tenant, ok := t.of[c.integration]; ok {
		c.tenant = tenant
	}
	return t.cells.at(ctx, c)
}

// Save implements stream.State.
func (t *Tally) Save(emit stream.Emit) error {
	if err := t.cells.save(emit); err != nil || !t.dirty {
		return err
	}
	t.dirty = false
	return t.savePulsed(emit)
}

func (t *Tally) savePulsed(emit stream.Emit) error {
	b, err := (&Second{Pulsed: t.pulsed}).MarshalMsg(nil)
	if err != nil {
		return err
	}
	return emit(stateKey, b)
}

// Rewrite implements stream.State: what is open is little, and written whole.
func (t *Tally) Rewrite(_ int, emit stream.Emit) (bool, error) {
	if err := t.savePulsed(emit); err != nil {
		return false, err
	}
	return true, t.cells.rewrite(emit)
}

// Load implements stream.State. Before cells had keys of their own they stood
// with the pulse.
func (t *Tally) Load(key string, value []byte) error {
	if key != stateKey {
		return t.cells.load(key, value)
	}
	var s Second
	if value != nil {
		if _, err := s.UnmarshalMsg(value); err != nil {
			return err
		}
	}
	t.pulsed = s.Pulsed
	t.cells.adopt(s.Open)
	t.dirty = t.dirty || len(s.Open) > 0
	return nil
}
