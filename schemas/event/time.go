package event

import "time"

// Time is an instant in milliseconds since 1970-01-01 UTC: the finest unit
// any vendor reports and the one ClickHouse's DateTime64(3) holds. Zero means
// the instant is not known.
type Time int64

// Milliseconds in the spans that rules are written in.
const (
	Second = 1000
	Minute = 60 * Second
	Hour   = 60 * Minute
	Day    = 24 * Hour
)

// At converts a wall-clock time.
func At(t time.Time) Time { return Time(t.UnixMilli()) }

// Std converts to the standard library's time, in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String is RFC 3339 with milliseconds, or "-" when unknown.
func (t Time) String() string {
	if t == 0 {
		return "-"
	}
	return t.Std().Format("2006-01-02T15:04:05.000Z")
}
