package classify

import (
	"fmt"
	"slices"
	"strings"
)

// claims is which rules ask for what, so that a rule that can never win is
// found when rules are loaded and not when its failure is.
type claims map[claim][]*compiled

type claim struct {
	set  *set
	kind string // code, body, says, header or plain
	key  string
}

// first are the kinds of which the first rule that fits wins; of the others the
// most confident does.
var first = []string{"code", "body"}

// add refuses a rule that would shadow another, or be shadowed. A file put in
// front with With may: that is what it is for.
func (x claims) add(c claim, r *compiled) error {
	for _, other := range x[c] {
		if other.own != r.own || other.Collateral != r.Collateral {
			continue
		}
		switch {
		case other == r:
			return fmt.Errorf("%w: %s %q stands twice in rule %s", ErrRules, c.kind, c.key, r.ID)
		case hides(c.kind, other, r):
			return shadowed(c, other, r)
		case !slices.Contains(first, c.kind) && hides(c.kind, r, other):
			return shadowed(c, r, other)
		}
	}
	x[c] = append(x[c], r)
	return nil
}

func shadowed(c claim, winner, loser *compiled) error {
	return fmt.Errorf("%w: rule %s shadows rule %s, which can never win: both ask for %s %q; narrow one by status or operation, or take it out",
		ErrRules, winner.ID, loser.ID, c.kind, c.key)
}

// hides reports whether a wins wherever b fits.
func hides(kind string, a, b *compiled) bool {
	if !within(a.status, b.status) || !covers(a.ops, b.ops) {
		return false
	}
	return slices.Contains(first, kind) || a.Confidence >= b.Confidence
}

// covers reports whether a list, empty for anything, contains all of another.
func covers(a, b []string) bool {
	if len(a) == 0 {
		return true
	}
	return len(b) > 0 && !slices.ContainsFunc(b, func(x string) bool { return !slices.Contains(a, x) })
}

func within(a, b []span) bool {
	if len(a) == 0 {
		return true
	}
	return len(b) > 0 && !slices.ContainsFunc(b, func(y span) bool {
		return !slices.ContainsFunc(a, func(x span) bool { return x.from <= y.from && x.to >= y.to })
	})
}

// normalSays is an expression whatever the order of its words.
func normalSays(src string) string {
	words := strings.Fields(src)
	slices.Sort(words)
	return strings.Join(words, " ")
}
