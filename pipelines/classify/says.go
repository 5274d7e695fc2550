package classify

import (
	"fmt"
	"slices"
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
// anywhere, and each of said true of its subject.
type expr struct {
	id        int
	need, ban []uint16
	said      []saying
}

// saying is `field~nosuch`: of all that the sentence may be about, a field
// stands nearest to "does not exist". Contact, id and column may all be named;
// only one of them is missing.
type saying struct{ subject, what uint16 }

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
		if err := e.take(l, word, not); err != nil {
			return expr{}, fmt.Errorf("says %q: %w", src, err)
		}
	}
	l.exprs++
	e.id = l.exprs
	if len(e.need) == 0 {
		return expr{}, fmt.Errorf("%w: says %q asks for nothing", ErrRules, src)
	}
	return e, nil
}

// take adds one word of the line.
func (e *expr) take(l *lexicon, word string, not bool) error {
	if subject, what, ok := strings.Cut(word, "~"); ok && word[0] != '"' {
		a, err := l.operand(subject)
		if err != nil {
			return err
		}
		b, err := l.operand(what)
		if err != nil {
			return err
		}
		if not || !slices.Contains(l.subjects, a) {
			return fmt.Errorf("%w: %q, want one of the subjects before the ~ and nothing denied", ErrRules, word)
		}
		e.need, e.said = append(e.need, a, b), append(e.said, saying{a, b})
		return nil
	}
	id, err := l.operand(word)
	if err != nil {
		return err
	}
	if not {
		e.ban = append(e.ban, id)
	} else {
		e.need = append(e.need, id)
	}
	return nil
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
func (e *expr) match(l *lexicon, s *scan) bool {
	for _, id := range e.need {
		if !s.has(id) {
			return false
		}
	}
	if slices.ContainsFunc(e.ban, s.has) {
		return false
	}
	for _, x := range e.said {
		if !x.holds(l, s) {
			return false
		}
	}
	return len(e.need) == 1 || e.close(s)
}

// holds reports whether some mention of what has the subject as its nearest.
func (x saying) holds(l *lexicon, s *scan) bool {
	for i := range s.hits[:s.nhits] {
		if s.hits[i].concept != x.what || l.covered(s, i) {
			continue
		}
		nearest, mine := near+1, near+1
		for j := range s.hits[:s.nhits] {
			s.steps++
			h := &s.hits[j]
			if h.quoted || !slices.Contains(l.subjects, h.concept) {
				continue
			}
			d := l.apart(&s.hits[i], h)
			nearest = min(nearest, d)
			if h.concept == x.subject {
				mine = min(mine, d)
			}
		}
		if mine <= near && mine == nearest {
			return true
		}
	}
	return false
}

// covered reports whether a longer phrase of the same concept contains this one.
func (l *lexicon) covered(s *scan, i int) bool {
	from, to := s.hits[i].at, s.hits[i].at+uint16(l.lengths[s.hits[i].phrase])
	for j := range s.hits[:s.nhits] {
		h := &s.hits[j]
		if h.concept == s.hits[i].concept && h.at <= from && h.at+uint16(l.lengths[h.phrase]) >= to &&
			l.lengths[h.phrase] > l.lengths[s.hits[i].phrase] {
			return true
		}
	}
	return false
}

// apart counts the words between two phrases; overlapping ones are as near as
// can be.
func (l *lexicon) apart(a, b *hit) int {
	if a.at > b.at {
		a, b = b, a
	}
	return max(int(b.at)-int(a.at)-int(l.lengths[a.phrase]), 0)
}

// close reports whether some mention of the first concept has all others near.
func (e *expr) close(s *scan) bool {
	for i := range s.hits[:s.nhits] {
		s.steps++
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
