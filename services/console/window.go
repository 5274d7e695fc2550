package console

import (
	"net/url"
	"time"
)

// Window is one of the spans that KPIs are shown for.
type Window struct {
	Name   string
	Words  string
	Span   time.Duration
	Bucket time.Duration // one point of a sparkline
}

// windows are those of the KPI views; the sparklines have 60 to 96 points.
var windows = []Window{
	{"1h", "last hour", time.Hour, time.Minute},
	{"24h", "last 24 hours", 24 * time.Hour, 15 * time.Minute},
	{"7d", "last 7 days", 7 * 24 * time.Hour, 2 * time.Hour},
	{"30d", "last 30 days", 30 * 24 * time.Hour, 8 * time.Hour},
}

const defaultWindow = "24h"

// findWindow returns the window of a name; an empty one means the default.
func findWindow(name string) (Window, bool) {
	if name == "" {
		name = defaultWindow
	}
	for _, w := range windows {
		if w.Name == name {
			return w, true
		}
	}
	return Window{}, false
}

// Bounds are the ends of the window at an instant: it ends with the last
// closed minute, as the views' own windows do.
func (w Window) Bounds(now time.Time) (from, to time.Time) {
	to = now.UTC().Truncate(time.Minute)
	return to.Add(-w.Span), to
}

// sqlTime is how an instant is handed to the views.
func sqlTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// rowsURL leads to the rows behind a number, with pairs of filter and value.
func rowsURL(question string, w Window, pairs ...string) string {
	q := url.Values{"window": {w.Name}}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return "/rows/" + question + "?" + q.Encode()
}
