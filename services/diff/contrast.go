package diff

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a piece of a value; the pieces that differ are marked.
type span struct {
	Text   string
	Marked bool
}

// maxShown bounds how much of a value a report shows, and how much around the
// first difference.
const (
	maxShown  = 160
	maxBefore = 24
)

// contrast cuts two values where they begin and where they end to differ.
func contrast(a, b *string) (source, target []span) {
	if blank(a) || blank(b) {
		return whole(a), whole(b)
	}
	x, y := []rune(clean(*a)), []rune(clean(*b))
	head := 0
	for head < min(len(x), len(y)) && x[head] == y[head] {
		head++
	}
	tail := 0
	for tail < min(len(x), len(y))-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	return cut(x, head, tail), cut(y, head, tail)
}

func whole(s *string) []span {
	if blank(s) {
		return nil
	}
	r := []rune(clean(*s))
	return cut(r, 0, 0)
}

func cut(r []rune, head, tail int) []span {
	before, middle, after := string(r[:head]), string(r[head:len(r)-tail]), string(r[len(r)-tail:])
	if len(r) > maxShown {
		if n := utf8.RuneCountInString(before); n > maxBefore {
			before = "…" + string([]rune(before)[n-maxBefore:])
		}
		middle, after = shorten(middle, maxShown-2*maxBefore), shorten(after, maxBefore)
	}
	return []span{{before, false}, {middle, true}, {after, false}}
}

func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// clean shows what cannot be seen.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "�")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return '↵'
		case r == '\t':
			return '→'
		case r == '\u00a0':
			return '⍽'
		case !unicode.IsPrint(r):
			return '␀'
		}
		return r
	}, s)
}
