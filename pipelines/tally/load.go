package tally

import (
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// load takes a partial from the log.
func (c *cells) load(key string, value []byte) error {
	if x := c.logged[key]; x != nil {
		c.drop(x)
	}
	if value == nil {
		return nil
	}
	x := &counted{key: strings.Clone(key)}
	if _, err := x.UnmarshalMsg(value); err != nil {
		return err
	}
	nth, err := strconv.Atoi(key[strings.LastIndexByte(key, '\x1f')+1:])
	if err != nil {
		return err
	}
	x.nth = nth
	c.logged[x.key] = x
	c.add(x)
	return nil
}

// adopt takes the partials of a second as older versions kept it: whole, in
// place of the one before. They get keys of their own with the next save.
func (c *cells) adopt(second []event.Partial) {
	for _, x := range slices.Clone(c.open) {
		if x.adopted {
			c.drop(x)
		}
	}
	for i := range second {
		x := &counted{Partial: second[i], adopted: true}
		x.cell = cellOf(&x.Partial)
		if before := c.of[x.cell]; before != nil {
			x.nth = before.nth + 1
		}
		c.add(x)
		c.soil(x)
	}
}

func (c *cells) add(x *counted) {
	x.cell = cellOf(&x.Partial)
	c.open = append(c.open, x)
	if now := c.of[x.cell]; now == nil || now.nth < x.nth {
		c.of[x.cell] = x
	}
}

func (c *cells) drop(x *counted) {
	c.open = slices.DeleteFunc(c.open, func(y *counted) bool { return y == x })
	x.dirty = false
	delete(c.logged, x.key)
	if c.of[x.cell] == x {
		delete(c.of, x.cell)
	}
}

func cellOf(p *event.Partial) cell {
	return cell{p.Tenant, p.Integration, p.Object, p.Provider, p.Token, p.Actor}
}
