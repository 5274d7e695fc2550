package stream

import "plumbline.dev/schemas/event"

// Link is one operator of a chain; its name is that of its part of the state.
type Link struct {
	Name string
	Op   Operator
}

// Chain runs operators one behind the other on the same input. Each sees the
// input first, then what those before it emitted for it, as if that had come
// by a topic. An output to no topic is for the operators behind it only.
type Chain struct {
	*Parts
	links []Link
}

// NewChain makes the operator of several.
func NewChain(links ...Link) *Chain {
	var parts []Part
	for _, l := range links {
		parts = append(parts, Part{l.Name, l.Op})
	}
	return &Chain{Parts: NewParts(parts...), links: links}
}

// Step implements Operator.
func (c *Chain) Step(ctx Ctx, key string, ev event.Event, out *Out) {
	for i := range c.links {
		before := len(out.List)
		c.links[i].Op.Step(ctx, key, ev, out)
		c.hear(i, ctx, before, out)
	}
	out.private()
}

// Tick implements Operator. What was emitted is heard before time moves.
func (c *Chain) Tick(ctx Ctx, out *Out) {
	for i := range c.links {
		c.hear(i, ctx, len(out.List), out)
		c.links[i].Op.Tick(ctx, out)
	}
	out.private()
}

// hear lets a link see what the links before it emitted.
func (c *Chain) hear(i int, ctx Ctx, upTo int, out *Out) {
	for j := range upTo {
		c.links[i].Op.Step(ctx, out.List[j].Key, out.List[j].Event, out)
	}
}

// private takes out what was meant for the chain only.
func (o *Out) private() {
	kept := o.List[:0]
	for _, x := range o.List {
		if x.Topic != "" {
			kept = append(kept, x)
		}
	}
	o.List = kept
}
