package classify

import (
	"strings"
	"sync/atomic"
)

// maxQuoted is how many phrases an evidence shows.
const maxQuoted = 6

// quoteCache keeps evidence that was written before: the same few phrases are
// what most answers say, and the common path must not allocate.
type quoteCache struct {
	slots [512]atomic.Pointer[quoted]
}

type quoted struct {
	expr    *expr
	phrases [maxQuoted]uint16
	text    string
}

// quote shows the words that matched, and why they decide.
func (c *Classifier) quote(e *expr, r *compiled, s *scan) string {
	want := quoted{expr: e}
	h := uint64(e.id)
	for i, id := range e.need[:min(len(e.need), maxQuoted)] {
		for j := range s.hits[:s.nhits] {
			if s.hits[j].concept == id {
				want.phrases[i] = s.hits[j].phrase + 1
				break
			}
		}
		h = (h ^ uint64(want.phrases[i])) * fnvPrime
	}
	slot := &c.quotes.slots[(h>>7)%uint64(len(c.quotes.slots))]
	if got := slot.Load(); got != nil && got.expr == e && got.phrases == want.phrases {
		return got.text
	}
	made := want
	made.text = c.lex.write(&want, r.Because)
	slot.Store(&made)
	return made.text
}

func (l *lexicon) write(q *quoted, why string) string {
	var b strings.Builder
	b.WriteString("the answer says ")
	for i, p := range q.phrases {
		if p == 0 {
			continue
		}
		if i > 0 {
			b.WriteString(" … ")
		}
		b.WriteByte('"')
		b.WriteString(l.texts[p-1])
		b.WriteByte('"')
	}
	return because(b.String(), why)
}
