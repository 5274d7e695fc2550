package quota

import "plumbline.dev/schemas/event"

const (
	// span is how much of the past the rate is taken from.
	span = 3 * event.Hour
	// leastSpan and leastReadings are without which there is no rate.
	leastSpan     = 45 * event.Minute
	leastReadings = 3
	// horizon is how far a forecast is worth telling: counters roll over a day.
	horizon = 24 * event.Hour
	// leastShare is what must be used before anybody is told.
	leastShare = 0.4
	// spread widens the interval: rates of an afternoon differ by that much.
	spread = 0.25
)

// Forecast is when the budget is used up, between Low and High.
type Forecast struct {
	At, Low, High event.Time
	PerHour       float64
}

// take adds a reading. A counter that falls by a third or more began anew.
func (a *Account) take(at event.Time, used, limit int64) bool {
	if n := len(a.Readings); n > 0 {
		last := a.Readings[n-1]
		if at <= last.At {
			return false // told once already, or late
		}
		if used*3 <= last.Used*2 {
			a.Readings, a.Reset = a.Readings[:0], at
		}
	}
	if len(a.Readings) == maxReadings {
		a.Readings = append(a.Readings[:0], a.Readings[1:]...)
	}
	a.Readings = append(a.Readings, Reading{at, used})
	a.Max, a.Last = limit, at
	return true
}

// forecast says when the budget ends if the last hours go on, and whether it
// ends before the counter begins anew.
func (a *Account) forecast() (Forecast, bool) {
	n := len(a.Readings)
	if n < leastReadings || a.Max <= 0 {
		return Forecast{}, false
	}
	last := a.Readings[n-1]
	first := last
	for i := n - 2; i >= 0 && a.Readings[i].At >= last.At-span; i-- {
		first = a.Readings[i]
	}
	if last.At-first.At < leastSpan || float64(last.Used) < leastShare*float64(a.Max) {
		return Forecast{}, false
	}
	rate := float64(last.Used-first.Used) / float64(last.At-first.At) // per ms
	left := float64(a.Max - last.Used)
	if left <= 0 {
		return Forecast{At: last.At, Low: last.At, High: last.At, PerHour: rate * event.Hour}, true
	}
	if rate <= 0 {
		return Forecast{}, false
	}
	f := Forecast{
		At:  last.At + event.Time(left/rate),
		Low: last.At + event.Time(left/(rate*(1+spread))), High: last.At + event.Time(left/(rate*(1-spread))),
		PerHour: rate * event.Hour,
	}
	return f, f.At < a.until(last.At)
}

// until is when the counter begins anew, as far as it was ever seen to.
func (a *Account) until(now event.Time) event.Time {
	if a.Reset == 0 {
		return now + horizon
	}
	next := a.Reset
	for next <= now {
		next += event.Day
	}
	return next
}
