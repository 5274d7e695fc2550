package config

import (
	"slices"
	"strings"
)

// nearest finds the word a person most likely meant.
func nearest(got string, words []string) (string, bool) {
	best, dist := "", 1<<30
	for _, w := range words {
		d := distance(strings.ToLower(got), w)
		if strings.EqualFold(got+"s", w) || strings.EqualFold(got, w+"s") {
			d = 0
		}
		if d < dist {
			best, dist = w, d
		}
	}
	return best, dist <= 1+len(best)/4
}

// distance counts the edits between two words: insert, delete, replace.
func distance(a, b string) int {
	if len(a) > 64 { // nobody meant a word of ours
		return 1 << 20
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diag+cost)
			diag, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

// oneOf is the sentence after "expected".
func oneOf(words []string) string { return "one of " + strings.Join(words, ", ") }

func (s *source) word(path, v string, words []string) {
	switch {
	case slices.Contains(words, v):
	case v == "":
		s.add(path, "is missing; expected %s", oneOf(words))
	default:
		if near, ok := nearest(v, words); ok {
			s.add(path, "is %q; did you mean %q? expected %s", v, near, oneOf(words))
			return
		}
		s.add(path, "is %q; expected %s", v, oneOf(words))
	}
}

// optional is word for a field that may be left out.
func (s *source) optional(path, v string, words []string) {
	if v != "" {
		s.word(path, v, words)
	}
}
