package token

import (
	"fmt"
	"slices"
	"strconv"

	"plumbline.dev/schemas/event"
)

// Usage is one account's counter against the calls that somebody we know of
// made.
type Usage struct {
	At      Time      `msg:"at"`
	Known   [24]int64 `msg:"k"`           // calls we know of, by hour
	History []int64   `msg:"h,omitempty"` // unexplained calls, hour by hour
	HourAt  int64     `msg:"ha"`          // the hour History ends with
}

const (
	usageHistory = 14 * 24
	usageLearn   = 3 * 24 // hours before anything is strange
	usageFresh   = 24     // the newest are under test, and no baseline
	// usageLeast is what nobody looks into.
	usageLeast = 500
)

func (u *Usage) roll(now event.Time) {
	hour, was := int64(now)/event.Hour, int64(u.At)/event.Hour
	if u.At != 0 {
		for i := was + 1; i <= hour && i <= was+24; i++ {
			u.Known[i%24] = 0
		}
	}
	u.At = max(u.At, now)
}

func (u *Usage) know(now event.Time, calls int64) {
	u.roll(now)
	u.Known[int64(u.At)/event.Hour%24] += calls
}

// known sums the calls we know of in the counter's window: the last 24 hours,
// or since the counter began anew.
func (u *Usage) known(since event.Time) int64 {
	var sum int64
	hour := int64(u.At) / event.Hour
	for i := max(hour-23, int64(since)/event.Hour); i <= hour; i++ {
		sum += u.Known[i%24]
	}
	return sum
}

// counted folds one reading of the vendor's counter.
func (u *Usage) counted(s *event.Signal) (Finding, bool) {
	u.roll(s.StartedAt)
	used, limit := number(s, "used"), number(s, "max")
	since := event.Time(number(s, "since_ms"))
	unexplained := max(used-u.known(since)-number(s, "own"), 0)
	hour := int64(s.StartedAt) / event.Hour
	if hour != u.HourAt {
		if len(u.History) == usageHistory {
			u.History = slices.Delete(u.History, 0, 1)
		}
		u.History, u.HourAt = append(u.History, unexplained), hour
	}
	past := len(u.History) - usageFresh
	if past < usageLearn {
		return Finding{}, false
	}
	usual := slices.Max(u.History[:past])
	if unexplained < usageLeast || unexplained < usual+usual/2 || limit > 0 && (unexplained-usual)*100 < limit {
		return Finding{}, false
	}
	return Finding{
		Kind: "unexplained_calls", Weight: 3, At: s.StartedAt,
		Words: fmt.Sprintf("%d calls that nobody known made; so far it was %d at most", unexplained, usual),
	}, true
}

func number(s *event.Signal, name string) int64 {
	v, _ := event.Find(s.Detail, name)
	n, err := strconv.ParseInt(v.Text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
