package crm

import (
	"context"
	"fmt"
	"sync"
	"time"

	"plumbline.dev/services/internal/pace"
)

// Lane is what a call is for. Polling has a part of the budget of its own, so
// that a comparison of everything does not blind it.
type Lane string

// The lanes.
const (
	LanePoll    Lane = "poll"
	LaneCheck   Lane = "check"
	LaneCompare Lane = "compare"
	LaneProbe   Lane = "probe" // set-up, probes: few, and never refused for others' sake
)

type laneKey struct{}

// In puts the calls made with a context into a lane.
func In(ctx context.Context, l Lane) context.Context { return context.WithValue(ctx, laneKey{}, l) }

func laneOf(ctx context.Context) Lane {
	if l, ok := ctx.Value(laneKey{}).(Lane); ok {
		return l
	}
	return LaneProbe
}

// Shares of our budget that others leave alone.
const (
	pollReserve  = 0.6 // polling may use this much, and others not
	probeReserve = 0.02
	// vendorFloor is the part of the account's own day that we never touch:
	// at its end the customer's sync stops, not our reading.
	vendorFloor = 0.1
	burstShare  = 0.5 // of what the system allows in its short interval
)

// BudgetOptions describe an account's budget.
type BudgetOptions struct {
	System string
	Share  float64 // of the account's calls a day, from call_share
	Daily  int64   // until the account says: the vendor's smallest edition
	Clock  pace.Clock
}

// Budget is shared by everything that calls one account. A day is any 24
// hours: vendors reset at midnight or roll, and this keeps to both.
type Budget struct {
	o BudgetOptions

	mu       sync.Mutex
	daily    int64
	left     int64                    // the account's own, -1 = not known
	leftAt   time.Time                //
	hours    map[int64]map[Lane]int64 // hour since 1970 -> calls
	before   map[int64]int64          // of earlier processes
	notes    map[int64][2]int64       // checks asked and answered
	interval time.Duration            // the short limit
	max      int64
	window   time.Time
	used     int64
	until    time.Time // nobody calls before
}

// NewBudget makes the budget of one account.
func NewBudget(o BudgetOptions) *Budget {
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	return &Budget{
		o: o, daily: o.Daily, left: -1, hours: map[int64]map[Lane]int64{}, before: map[int64]int64{}, notes: map[int64][2]int64{},
	}
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// Allowed is how many calls a day are ours.
func (b *Budget) Allowed() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.allowed()
}

func (b *Budget) allowed() int64 { return int64(float64(b.daily) * b.o.Share) }

// Daily is the account's limit as far as it is known.
func (b *Budget) Daily() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.daily
}

// Left is how many calls a lane may still make now.
func (b *Budget) Left(l Lane) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.leftFor(l)
}

func (b *Budget) leftFor(l Lane) int64 {
	now := hourOf(b.o.Clock.Now())
	var all, poll int64
	for h := now - 24; h <= now; h++ { // 25 started hours hold any 24 whole ones
		all += b.before[h]
		for lane, n := range b.hours[h] {
			all += n
			if lane == LanePoll {
				poll += n
			}
		}
	}
	allowed := b.allowed()
	free := allowed - all
	reserve := int64(0)
	if l != LaneProbe {
		reserve += int64(float64(allowed) * probeReserve)
	}
	if l == LaneCheck || l == LaneCompare {
		reserve += max(int64(float64(allowed)*pollReserve)-poll, 0)
	}
	return max(free-reserve, 0)
}

// Take spends one call, after waiting for the short limit. It refuses when the
// lane's part of the day is used up.
func (b *Budget) Take(ctx context.Context) error {
	lane := laneOf(ctx)
	for {
		wait, err := b.take(lane)
		if err != nil || wait <= 0 {
			return err
		}
		if err := b.o.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (b *Budget) take(lane Lane) (wait time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.o.Clock.Now()
	if b.leftFor(lane) < 1 {
		return 0, b.spent(lane, now, fmt.Sprintf("the %d calls a day that Plumbline may make (call_share %g of %d) are used up for %s",
			b.allowed(), b.o.Share, b.daily, lane))
	}
	if b.left >= 0 && now.Sub(b.leftAt) < time.Hour && float64(b.left) < float64(b.daily)*vendorFloor && lane != LaneProbe {
		return 0, b.spent(lane, now, fmt.Sprintf("the account has %d of its %d calls left today; they are left to the sync", b.left, b.daily))
	}
	if now.Before(b.until) {
		return b.until.Sub(now), nil
	}
	if b.max > 0 {
		if now.Sub(b.window) >= b.interval {
			b.window, b.used = now, 0
		}
		if float64(b.used) >= max(float64(b.max)*burstShare, 1) {
			return b.window.Add(b.interval).Sub(now), nil
		}
		b.used++
	}
	h := hourOf(now)
	if b.hours[h] == nil {
		b.hours[h] = map[Lane]int64{}
		b.forget(h)
	}
	b.hours[h][lane]++
	return 0, nil
}

func (b *Budget) spent(_ Lane, now time.Time, text string) error {
	return &Error{
		Kind: KindBudget, System: b.o.System, Message: text, After: now.Truncate(time.Hour).Add(time.Hour).Sub(now),
	}
}

func (b *Budget) forget(now int64) {
	for h := range b.hours {
		if h < now-25 {
			delete(b.hours, h)
			delete(b.notes, h)
		}
	}
	for h := range b.before {
		if h < now-25 {
			delete(b.before, h)
		}
	}
}

// Learn takes what the account itself said: its day, what is left of it (-1 =
// not said), and its short interval.
func (b *Budget) Learn(daily, left int64, interval time.Duration, most, remaining int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.o.Clock.Now()
	if daily > 0 {
		b.daily = daily
	}
	if left >= 0 {
		b.left, b.leftAt = left, now
	}
	if most <= 0 || interval <= 0 {
		return
	}
	b.interval, b.max = interval, most
	if remaining >= 0 && remaining*10 < most { // others are calling too
		b.pause(now.Add(interval))
	}
}

// Pause keeps everybody from calling until then: the account said so.
func (b *Budget) Pause(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pause(b.o.Clock.Now().Add(d))
}

func (b *Budget) pause(until time.Time) {
	if until.After(b.until) {
		b.until = until
	}
}
