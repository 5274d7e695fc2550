package statuspage

import (
	"context"
	"time"

	"plumbline.dev/schemas/event"
)

// fixed is a clock that stands still.
type fixed struct{}

func (fixed) Now() time.Time                                   { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
func (fixed) Sleep(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
func (fixed) Wall(d time.Duration) time.Duration               { return d }
func summary(e event.Event) string                             { return e.(*event.Signal).Summary }
