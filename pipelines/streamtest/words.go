package streamtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
)

// words cuts a line at spaces; a part of a word may be "quoted".
func words(line string) ([]string, error) {
	var out []string
	var word strings.Builder
	in := false
	for rest := line; rest != ""; {
		switch c := rest[0]; c {
		case ' ', '\t':
			if in {
				out = append(out, word.String())
			}
			word.Reset()
			in, rest = false, rest[1:]
		case '"':
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, fmt.Errorf("a quote does not end: %s", rest)
			}
			text, _ := strconv.Unquote(quoted)
			word.WriteString(text)
			in, rest = true, rest[len(quoted):]
		default:
			word.WriteByte(c)
			in, rest = true, rest[1:]
		}
	}
	if in {
		out = append(out, word.String())
	}
	return out, nil
}

// quote is the reverse of words for one word.
func quote(s string) string {
	if s == "" || strings.ContainsAny(s, " \t\"\n\\") || !strconv.CanBackquote(s) {
		return strconv.Quote(s)
	}
	return s
}

// clock reads times of the scenario's day, and those of other days in full.
type clock struct{ day time.Time }

func (c clock) parse(s string) (event.Time, error) {
	for _, layout := range []string{"15:04:05.999", "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return event.At(time.Date(c.day.Year(), c.day.Month(), c.day.Day(), t.Hour(), t.Minute(), t.Second(),
				t.Nanosecond(), time.UTC)), nil
		}
	}
	if t, err := time.Parse("2006-01-02T15:04:05.999", s); err == nil && t.Year() >= 1970 {
		return event.At(t), nil
	}
	return 0, fmt.Errorf("%q is not a time: write 10:00:00, 10:00:00.250 or 2026-01-05T10:00:00", s)
}

// show is the reverse of parse, as short as it goes.
func (c clock) show(t event.Time) string {
	if t == 0 {
		return "-"
	}
	std := t.Std()
	if std.Truncate(24 * time.Hour).Equal(c.day) {
		return std.Format("15:04:05.999")
	}
	return std.Format("2006-01-02T15:04:05.999")
}

func span(s string) (event.Time, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a span of time: write 90s, 15m or 2h", s)
	}
	return event.Time(d.Milliseconds()), nil
}
