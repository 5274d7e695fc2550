package console

import (
	"html/template"
	"time"
)

// stamp is an instant on a page: in UTC as it is sent, in the viewer's zone
// where there is a script, with UTC on hover.
type stamp struct{ Text, ISO, UTC string }

func newStamp(t, now time.Time) *stamp {
	t = t.UTC()
	return &stamp{Text: clockWords(t, now.UTC()), ISO: t.Format("2006-01-02T15:04:05.000Z"), UTC: t.Format("2 Jan 2006 15:04:05") + " UTC"}
}

// clockWords are short for today and say the day otherwise.
func clockWords(t, now time.Time) string {
	switch {
	case t.Format(time.DateOnly) == now.Format(time.DateOnly):
		return t.Format("15:04:05")
	case t.Year() == now.Year():
		return t.Format("2 Jan 15:04:05")
	}
	return t.Format("2 Jan 2006 15:04")
}

func (s *stamp) element(suffix string) template.HTML {
	// Its parts are made of numbers and months: there is nothing to escape.
	return template.HTML(`<time datetime="` + s.ISO + `" title="` + s.UTC + `">` + s.Text + suffix + `</time>`) //nolint:gosec // every part is made here or escaped
}

// moment is an instant among words, where the page says once that times are UTC.
func moment(t, now time.Time) template.HTML { return newStamp(t, now).element("") }

// momentUTC says itself that it is UTC.
func momentUTC(t, now time.Time) template.HTML { return newStamp(t, now).element(" UTC") }

// plainText is text among elements.
func plainText(s string) template.HTML { return template.HTML(template.HTMLEscapeString(s)) } //nolint:gosec // escaped
