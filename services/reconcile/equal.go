package reconcile

import (
	"context"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/match"
)

// tellEqual makes observations of pairs that were found equal.
func (x *run) tellEqual(ctx context.Context, sources, targets []string) error {
	a, err := x.r.store.known(ctx, x.s.Mapping, event.Source, sources)
	if err != nil {
		return err
	}
	b, err := x.r.store.known(ctx, x.s.Mapping, event.Target, targets)
	if err != nil {
		return err
	}
	seen := match.Seen{By: event.FoundByReconcile, Run: x.state.ID, Now: x.r.o.now()}
	var out []bus.Message
	for i := range sources {
		source, okA := a[sources[i]]
		target, okB := b[targets[i]]
		if okA && okB {
			out = append(out, x.s.Observe(&source, seen, "", nil), x.s.Observe(&target, seen, source.ID, nil))
		}
	}
	return x.r.o.Producer.Produce(ctx, out...)
}
