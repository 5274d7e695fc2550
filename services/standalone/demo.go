package standalone

import "context"

// Demo runs simulated traffic through the real door.
type Demo struct {
	Seed uint64
	Rate float64 // changes a second
}

func (a *App) startDemo(context.Context) error { return nil }
