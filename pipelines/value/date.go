package value

import (
	"strconv"
	"strings"
	"time"
)

// Layouts CRMs write. Ambiguous ones (01/02/2026) are left out: guessing day
// and month makes two different dates equal.
var (
	zoned = [...]string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999 Z0700", time.RFC1123Z, "2006-01-02 15:04:05.999999999 MST",
		"2006-01-02 15:04:05.999999999Z07", // Postgres
	}
	// No zone: the system means UTC (Close, HubSpot's exports).
	unzoned = [...]string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04"}
	days    = [...]string{"2006-01-02", "20060102", "2006/01/02"}
)

const (
	dayForm     = "2006-01-02"
	instantForm = "2006-01-02T15:04:05.000Z"
)

// parseTime reads an instant or a day.
func parseTime(s string) (at time.Time, ok bool) {
	s = strings.TrimSpace(s)
	for _, l := range days {
		if t, err := time.Parse(l, s); err == nil {
			return sane(t)
		}
	}
	if t, ok := epoch(s); ok {
		return sane(t)
	}
	for _, l := range zoned {
		if t, err := time.Parse(l, s); err == nil {
			return sane(t.UTC())
		}
	}
	for _, l := range unzoned {
		if t, err := time.Parse(l, s); err == nil {
			return sane(t)
		}
	}
	return time.Time{}, false
}

// sane keeps years that four digits can write again.
func sane(t time.Time) (time.Time, bool) {
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}

// epoch reads seconds (10 digits) and milliseconds (12 or 13), also negative
// ones. Fewer digits are a number somebody put into a date field.
func epoch(s string) (time.Time, bool) {
	d := strings.TrimPrefix(s, "-")
	if len(d) != 10 && len(d) != 12 && len(d) != 13 {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || digits(d) != d {
		return time.Time{}, false
	}
	if len(d) == 10 {
		return time.Unix(n, 0).UTC(), true
	}
	return time.UnixMilli(n).UTC(), true
}

// date is the day an instant falls on in UTC: HubSpot keeps dates as midnight
// UTC in milliseconds.
func date(s string) string {
	at, ok := parseTime(s)
	if !ok {
		return text(s)
	}
	return at.UTC().Format(dayForm)
}

// datetime is the instant in UTC to the millisecond; a bare day is its
// midnight.
func datetime(s string) string {
	at, ok := parseTime(s)
	if !ok {
		return text(s)
	}
	return at.UTC().Truncate(time.Millisecond).Format(instantForm)
}
