package classify

import (
	"fmt"
	"strings"
)

// maxConcepts bounds the bitset a scan carries on its stack.
const maxConcepts = 1024

// lexicon turns words into concepts. A concept is a set of phrases that mean
// the same ("access token", "session id"), so that a rule written once
// understands phrasings it has never seen.
type lexicon struct {
	words    map[string]uint16 // 0 = not a word any phrase uses
	next     map[uint32]uint16 // trie of phrases: node<<16|word -> node
	ends     [][]phrase        // per node
	texts    []string          // phrases as written, for the evidence
	lengths  []uint8           // words of each
	subjects []uint16          // concepts a sentence can be about, see expr
	exprs    int               // compiled so far
	concepts map[string]uint16
}

type phrase struct {
	concept uint16
	text    uint16 // index of texts
}

func newLexicon() *lexicon {
	return &lexicon{
		words: map[string]uint16{}, next: map[uint32]uint16{}, ends: make([][]phrase, 1),
		concepts: map[string]uint16{},
	}
}

// concept returns the number of a concept, a new one for a new name.
func (l *lexicon) concept(name string) (uint16, error) {
	if id, ok := l.concepts[name]; ok {
		return id, nil
	}
	if len(l.concepts) == maxConcepts {
		return 0, fmt.Errorf("%w: more than %d concepts and literal phrases", ErrRules, maxConcepts)
	}
	id := uint16(len(l.concepts))
	l.concepts[name] = id
	return id, nil
}

// about names the concepts that a sentence can be about.
func (l *lexicon) about(names []string) error {
	for _, name := range names {
		id, ok := l.concepts[name]
		if !ok {
			return fmt.Errorf("%w: no concept %q among the subjects", ErrRules, name)
		}
		l.subjects = append(l.subjects, id)
	}
	return nil
}

// add teaches the lexicon one phrase of a concept.
func (l *lexicon) add(concept uint16, text string) error {
	text = strings.TrimSpace(plain(text))
	parts := strings.Fields(text)
	if len(parts) == 0 {
		return fmt.Errorf("%w: phrase %q has no words", ErrRules, text)
	}
	node := uint16(0)
	for _, p := range parts {
		p = singular(p)
		w, ok := l.words[p]
		if !ok {
			w = uint16(len(l.words) + 1)
			l.words[p] = w
		}
		edge := uint32(node)<<16 | uint32(w)
		to, ok := l.next[edge]
		if !ok {
			to = uint16(len(l.ends))
			l.ends = append(l.ends, nil)
			l.next[edge] = to
		}
		node = to
	}
	l.ends[node] = append(l.ends[node], phrase{concept: concept, text: uint16(len(l.texts))})
	l.texts = append(l.texts, text)
	l.lengths = append(l.lengths, uint8(min(len(parts), 255)))
	return nil
}

// known numbers a word that no phrase of a concept uses.
func (l *lexicon) known(w string) uint16 {
	w = singular(w)
	id, ok := l.words[w]
	if !ok {
		id = uint16(len(l.words) + 1)
		l.words[w] = id
	}
	return id
}

// word looks a word up. The conversion does not allocate.
func (l *lexicon) word(b []byte) uint16 {
	if n := len(b); n > 3 && b[n-1] == 's' && b[n-2] != 's' {
		b = b[:n-1]
	}
	return l.words[string(b)]
}

// singular cuts what word cuts: both sides only have to agree.
func singular(w string) string {
	if n := len(w); n > 3 && w[n-1] == 's' && w[n-2] != 's' {
		return w[:n-1]
	}
	return w
}

// plain is a phrase as the lexer sees text: lower case, no apostrophes, words
// apart.
func plain(s string) string {
	s = strings.ToLower(s)
	s = strings.NewReplacer("'", "", "’", "").Replace(s)
	return strings.Map(func(r rune) rune {
		if r < 0x80 && alnum[r] {
			return r
		}
		return ' '
	}, s)
}

var alnum, upper = func() (a, u [256]bool) {
	for c := '0'; c <= '9'; c++ {
		a[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		a[c], a[c-32], u[c-32] = true, true, true
	}
	return a, u
}()
