package quota

import "plumbline.dev/schemas/event"

// Time is event.Time; msgp writes it as the number it is.
type Time = event.Time

// Account is one system's counter of one tenant.
type Account struct {
	Tenant   string    `msg:"tn"`
	System   string    `msg:"sy"`
	Readings []Reading `msg:"r,omitempty"` // oldest first
	Max      int64     `msg:"m"`
	Reset    Time      `msg:"rs,omitempty"` // when the counter last began anew
	Began    Time      `msg:"b,omitempty"`  // of the forecast that was told
	Calm     Time      `msg:"c,omitempty"`  // since when nothing is foreseen any more
	Last     Time      `msg:"l"`
}

// Reading is the counter at an instant.
//
//msgp:tuple Reading
type Reading struct {
	At   Time
	Used int64
}

const (
	maxReadings = 96
	forgetAfter = 14 * event.Day
)

// Due implements stream.KeyState.
func (a *Account) Due() event.Time { return a.Last + forgetAfter }

// Empty implements stream.KeyState.
func (a *Account) Empty() bool { return a.System == "" }
