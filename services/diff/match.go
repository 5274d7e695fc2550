package diff

import (
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/pipelines/value"
)

// pair is a column of A and the column of B it is compared with.
type pair struct {
	name string // how it is reported: A's name
	a, b int    // positions in the two inputs
	kind string
}

// plan says which columns are compared.
type plan struct {
	key, fields  []pair
	onlyA, onlyB []string
}

// match finds for each column of A its column of B: by --map, else by name,
// without regard to case, spaces, dashes and underscores.
func match(o *Options, a, b *input) (*plan, error) {
	pairs, err := pairsOf(o, a, b)
	if err != nil {
		return nil, err
	}
	p := &plan{}
	if p.key, err = choose("--key", o.Key, pairs, a, b); err != nil {
		return nil, err
	}
	for i := range p.key {
		p.key[i].kind = value.Exact // types bring text alike in both; a normal form has to be asked for
	}
	p.fields = pairs
	if len(o.Columns) > 0 {
		if p.fields, err = choose("--columns", o.Columns, pairs, a, b); err != nil {
			return nil, err
		}
	}
	p.fields = slices.DeleteFunc(slices.Clone(p.fields), func(f pair) bool {
		return slices.ContainsFunc(p.key, func(k pair) bool { return k.a == f.a && k.b == f.b })
	})
	for name, kind := range o.Compare {
		found, err := choose("--compare", []string{name}, pairs, a, b)
		if err != nil {
			return nil, err
		}
		for _, list := range [][]pair{p.key, p.fields} {
			for i := range list {
				if list[i].a == found[0].a {
					list[i].kind = kind
				}
			}
		}
	}
	p.onlyA = left(a, func(i int) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.a == i }) })
	p.onlyB = left(b, func(i int) bool { return slices.ContainsFunc(pairs, func(p pair) bool { return p.b == i }) })
	return p, nil
}

func pairsOf(o *Options, a, b *input) ([]pair, error) {
	target := map[int]int{}
	taken := map[int]bool{}
	for from, to := range o.Map {
		i, err := a.find(from)
		if err != nil {
			return nil, usage("--map '%s=%s': %w", from, to, err)
		}
		j, err := b.find(to)
		if err != nil {
			return nil, usage("--map '%s=%s': %w", from, to, err)
		}
		if taken[j] {
			return nil, usage("--map names %s of %s twice", b.columns[j].name, b.label)
		}
		target[i], taken[j] = j, true
	}
	var pairs []pair
	for i := range a.columns {
		j, ok := target[i]
		if !ok {
			var err error
			if j, err = b.find(a.columns[i].name); err != nil || taken[j] {
				continue
			}
			// Two columns of A for one of B: the better name has it.
			if back, err := a.find(b.columns[j].name); err != nil || back != i {
				continue
			}
		}
		pairs = append(pairs, pair{name: a.columns[i].name, a: i, b: j, kind: together(a.columns[i].kind, b.columns[j].kind)})
	}
	return pairs, nil
}

// together is how two columns compare when nobody says it: by their types
// where one side has types, else as exact text.
func together(a, b string) string {
	switch {
	case a == b && a != "":
		return a
	case a == "" && b == "":
		return value.Exact
	case a == "" || b == "":
		return a + b
	case a == value.Bool || b == value.Bool:
		return value.Bool
	}
	return value.DateTime // a date and a time, or one that is written as a number
}

// find looks a column up: exactly, then without regard to case, then also
// without spaces, dashes and underscores.
func (in *input) find(name string) (int, error) {
	for _, form := range []func(string) string{strings.TrimSpace, fold, squeeze} {
		found := -1
		for i, c := range in.columns {
			if form(c.name) != form(name) {
				continue
			}
			if found >= 0 {
				return 0, fmt.Errorf("%s has %q and %q: write the one that is meant exactly", in.label, in.columns[found].name, c.name)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	return 0, fmt.Errorf("%s has no column %q; it has %s", in.label, name, in.names())
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func squeeze(s string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(fold(s))
}

// names lists columns for an error: what is long is cut.
func (in *input) names() string {
	const most = 30
	var names []string
	for i, c := range in.columns {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(in.columns)-most))
			break
		}
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// choose finds the pairs of columns named by either side.
func choose(flag string, names []string, pairs []pair, a, b *input) ([]pair, error) {
	var chosen []pair
	for _, name := range names {
		i, errA := a.find(name)
		j, errB := b.find(name)
		if errA != nil && errB != nil {
			return nil, usage("%s %s: %w", flag, name, errA)
		}
		at := slices.IndexFunc(pairs, func(p pair) bool { return errA == nil && p.a == i })
		if at < 0 {
			at = slices.IndexFunc(pairs, func(p pair) bool { return errB == nil && p.b == j })
		}
		if at < 0 {
			missing, present := b, a
			if errA != nil {
				missing, present = a, b
			}
			return nil, usage("%s %s: only %s has it; name its counterpart in %s (%s) with --map 'A=B'",
				flag, name, present.label, missing.label, missing.names())
		}
		chosen = append(chosen, pairs[at])
	}
	return chosen, nil
}

func left(in *input, used func(int) bool) (names []string) {
	for i, c := range in.columns {
		if !used(i) {
			names = append(names, c.name)
		}
	}
	return names
}
