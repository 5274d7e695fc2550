package tally

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	stateKey   = "second"
	cellPrefix = "cell/"

	// Where so many cells are open that each holds next to nothing, those that
	// hold nothing urgent wait for more, and watch folds one sum of three seconds
	// where it would fold three. It tells a minute five seconds after its end.
	manyOpen = 256
	patience = 3 * event.Second
)

// cell is what one partial is about.
type cell struct {
	tenant, integration, object, provider, token string
	actor                                        event.Actor
}

// cells are the open partials.
type cells struct {
	open   []*counted // in the order they began
	of     map[cell]*counted
	dirty  []*counted
	logged map[string]*counted // what stands in the log, by key
	gone   map[string]bool     // keys there of what was told
	buf    []byte
}

// counted is an open partial; Second is when it began, until it is told.
type counted struct {
	event.Partial
	cell    cell
	nth     int    // of its cell: those before it are full
	key     string // in the log, once it stands there
	dirty   bool
	adopted bool // it stands in the log as part of an older version's second
}

func newCells() cells {
	return cells{of: map[cell]*counted{}, logged: map[string]*counted{}, gone: map[string]bool{}}
}

// at returns the open partial of a cell. One that is full is left as it is
// and another begun: both are told.
func (c *cells) at(ctx stream.Ctx, of cell) *event.Partial {
	x := c.of[of]
	if x == nil || full(&x.Partial) {
		next := &counted{cell: of, Partial: event.Partial{
			Tenant: of.tenant, Integration: of.integration, Object: of.object, Provider: of.provider, Token: of.token, Actor: of.actor,
			Second: ctx.Now,
		}}
		if x != nil {
			next.nth = x.nth + 1
		}
		x = next
		c.of[of], c.open = x, append(c.open, x)
	}
	x.Version = ctx.Version
	c.soil(x)
	return &x.Partial
}

func (c *cells) soil(x *counted) {
	if !x.dirty {
		x.dirty = true
		c.dirty = append(c.dirty, x)
	}
}

// tell tells what was counted, in an order that does not depend on maps: all
// of it, or what is urgent or has waited.
func (c *cells) tell(ctx stream.Ctx, out *stream.Out, all bool) {
	var told []*counted
	kept := c.open[:0]
	for _, x := range c.open {
		if all || x.urgent() || ctx.Now >= x.Second+patience {
			told = append(told, x)
		} else {
			kept = append(kept, x)
		}
	}
	clear(c.open[len(kept):])
	c.open = kept
	slices.SortFunc(told, inOrder)
	for _, x := range told {
		x.Second = max(ctx.Now, 1) // nobody has ticked yet: the time is not known
		out.Emit(topic.Partials, x.Tenant, &x.Partial)
		c.forget(x)
	}
}

func (c *cells) forget(x *counted) {
	if c.of[x.cell] == x {
		delete(c.of, x.cell)
	}
	x.dirty = false // it is not saved any more
	if x.key != "" {
		delete(c.logged, x.key)
		c.gone[x.key] = true
	}
}

// urgent reports whether somebody may have to be told: something failed or
// differs, or a delivery is not as it should be. A full one is told too.
func (x *counted) urgent() bool {
	return len(x.Failures) > 0 || len(x.Divergences) > 0 || full(&x.Partial) ||
		slices.ContainsFunc(x.Deliveries, func(d event.DeliveryCount) bool { return len(d.Records) > 0 })
}

// inOrder puts failures before what came of them: a record that fails and is
// right with the next try, both between two ticks, is right.
func inOrder(a, b *counted) int {
	return cmp.Or(
		-cmp.Compare(min(len(a.Failures), 1), min(len(b.Failures), 1)),
		cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Integration, b.Integration), cmp.Compare(a.Object, b.Object),
		cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Token, b.Token), cmp.Compare(a.Actor.Kind, b.Actor.Kind),
		cmp.Compare(a.Actor.ID, b.Actor.ID), cmp.Compare(a.Actor.Run, b.Actor.Run), cmp.Compare(a.nth, b.nth),
	)
}

func full(p *event.Partial) bool {
	return max(len(p.Attempts), len(p.Failures), len(p.Deliveries), len(p.Latencies), len(p.Tries), len(p.Divergences), len(p.Changes)) >= maxEntries ||
		slices.ContainsFunc(p.Failures, func(c event.FailureCount) bool { return len(c.Records) >= event.MaxKeys }) ||
		slices.ContainsFunc(p.Deliveries, func(c event.DeliveryCount) bool { return len(c.Records) >= event.MaxKeys }) ||
		slices.ContainsFunc(p.Divergences, func(c event.DivergenceCount) bool { return len(c.Records) >= event.MaxKeys })
}

// keyed is where an open partial stands in the log.
func (x *counted) keyed() string {
	c := &x.cell
	return cellPrefix + strings.Join([]string{
		c.tenant, c.integration, c.object, c.provider, c.token, c.actor.Kind, c.actor.ID, c.actor.Run, strconv.Itoa(x.nth),
	}, "\x1f")
}

// save writes the partials that changed, and lets go those that were told and
// did not begin again.
func (c *cells) save(emit stream.Emit) error {
	changed := c.dirty
	c.dirty = nil
	for _, x := range changed {
		if !x.dirty {
			continue
		}
		x.dirty = false
		if err := c.write(x, emit); err != nil {
			return err
		}
	}
	for key := range c.gone {
		if err := emit(key, nil); err != nil {
			return err
		}
	}
	clear(c.gone)
	return nil
}

func (c *cells) rewrite(emit stream.Emit) error {
	for _, x := range c.open {
		if err := c.write(x, emit); err != nil {
			return err
		}
	}
	return nil
}

func (c *cells) write(x *counted, emit stream.Emit) error {
	b, err := x.MarshalMsg(c.buf[:0])
	if err != nil {
		return err
	}
	if x.key == "" {
		x.key = x.keyed()
		c.logged[x.key] = x
		delete(c.gone, x.key)
	}
	c.buf, x.adopted = b, false
	return emit(x.key, b)
}
