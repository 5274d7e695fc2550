package tally

import "plumbline.dev/schemas/event"

// Second is the part of the state that has no key of its own. Older versions
// kept in it what was counted since the last tick.
type Second struct {
	Open   []event.Partial `msg:"o,omitempty"`
	Pulsed event.Time      `msg:"p,omitempty"` // when each tenant was last told of
}
