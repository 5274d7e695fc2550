package classify

import (
	"fmt"
	"strings"
)

// near is how many words apart the concepts of one expression may be: about a
// clause. Sentence ends and message ends count as several words.
const (
	near        = 12
	sentenceGap = 4
	partGap     = 2 * near
)

// expr is a compiled `says` line: all of need near each other, none of ban
// anywhere.
type expr struct {
	need, ban []uint16
}

func (l *lexicon) expr(src string) (expr, error) {
	var e expr
	rest := strings.TrimSpace(src)
	for rest != "" {
		word := ""
		not := strings.HasPrefix(rest, "!")
		rest = strings.TrimPrefix(rest, "!")
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return expr{}, fmt.Errorf("%w: says %q: a quote is not closed", ErrRules, src)
			}
			word, rest = rest[:end+2], strings.TrimSpace(rest[end+2:])
		} else {
			word, rest, _ = strings.Cut(rest, " ")
			rest = strings.TrimSpace(rest)
		}
		id, err := l.operand(word)
		if err != nil {
			return expr{}, fmt.Errorf("says %q: %w", src, err)
		}
		if not {
			e.ban = append(e.ban, id)
		} else {
			e.need = append(e.need, id)
		}
	}
	if len(e.need) == 0 {
		return expr{}, fmt.Errorf("%w: says %q asks for nothing", ErrRules, src)
	}
	return e, nil
}

// operand is a known concept or a quoted phrase, which becomes a concept of
// its own.
func (l *lexicon) operand(word string) (uint16, error) {
	if !strings.HasPrefix(word, `"`) {
		id, ok := l.concepts[word]
		if !ok {
			return 0, fmt.Errorf("%w: no concept %q", ErrRules, word)
		}
		return id, nil
	}
	known := len(l.concepts)
	id, err := l.concept(word)
	if err != nil || len(l.concepts) == known {
		return id, err
	}
	return id, l.add(id, word)
}

// match reports whether the scan says what the expression asks.
func (e *expr) match(s *scan) bool {
	for _, id := range e.need {
		if !s.has(id) {
			return false
		}
	}
	for _, id := range e.ban {
		if s.has(id) {
			return false
		}
	}
	return len(e.need) == 1 || e.close(s)
}

// close reports whether some mention of the first concept has all others near.
func (e *expr) close(s *scan) bool {
	for i := range s.hits[:s.nhits] {
		if s.hits[i].concept != e.need[0] {
			continue
		}
		if e.around(s, int(s.hits[i].at)) {
			return true
		}
	}
	return false
}

func (e *expr) around(s *scan, at int) bool {
	for _, id := range e.need[1:] {
		found := false
		for i := range s.hits[:s.nhits] {
			d := int(s.hits[i].at) - at
			if s.hits[i].concept == id && d <= near && d >= -near {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// quote shows the words that matched, for the evidence.
func (e *expr) quote(l *lexicon, s *scan) string {
	var b strings.Builder
	b.WriteString("the answer says ")
	for i, id := range e.need {
		if i > 0 {
			b.WriteString(" … ")
		}
		for j := range s.hits[:s.nhits] {
			if s.hits[j].concept == id {
				b.WriteByte('"')
				b.WriteString(l.texts[s.hits[j].phrase])
				b.WriteByte('"')
				break
			}
		}
	}
	return b.String()
}
