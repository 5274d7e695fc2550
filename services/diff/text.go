package diff

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline.dev/services/internal/compare"
)

// Text is the summary for a terminal.
func (r *Result) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "source  %s: %s rows\ntarget  %s: %s rows\n", r.SourceLabel, count(r.A.Rows), r.TargetLabel, count(r.B.Rows))
	fmt.Fprintf(&b, "%s records by %s, %s equal (%s), in %s\n",
		count(r.Records), strings.Join(r.Key, ", "), count(r.Equal), r.EqualShare(), r.Took.Round(10*time.Millisecond))
	for _, l := range []struct {
		n    uint64
		text string
	}{
		{r.Different, "different in one field or more"},
		{r.MissingInTarget, "missing in target"},
		{r.MissingInSource, "missing in source"},
		{r.Duplicate, "keys that several rows hold"},
		{r.A.NoKey, "rows of the source without a key: not compared"},
		{r.B.NoKey, "rows of the target without a key: not compared"},
	} {
		if l.n > 0 {
			fmt.Fprintf(&b, "%12s  %s\n", count(l.n), l.text)
		}
	}
	for _, f := range r.ByField() {
		if f.Different > 0 {
			fmt.Fprintf(&b, "%12s  %s (%s)\n", count(f.Different), f.Name, how(f.Differences))
		}
	}
	if len(r.OnlySource) > 0 {
		fmt.Fprintf(&b, "not compared, only in source: %s\n", strings.Join(r.OnlySource, ", "))
	}
	if len(r.OnlyTarget) > 0 {
		fmt.Fprintf(&b, "not compared, only in target: %s\n", strings.Join(r.OnlyTarget, ", "))
	}
	return b.String()
}

// ByField lists the fields, those with most differences first.
func (r *Result) ByField() []compare.FieldCount {
	fields := slices.Clone(r.Summary.Fields)
	slices.SortStableFunc(fields, func(a, b compare.FieldCount) int {
		switch {
		case a.Different > b.Different:
			return -1
		case a.Different < b.Different:
			return 1
		}
		return 0
	})
	return fields
}

// EqualShare is the share of records that are equal; 100 % only when all are.
func (r *Result) EqualShare() string {
	if r.Records == 0 {
		return "no records"
	}
	if r.Equal == r.Records {
		return "100 %"
	}
	share := 100 * float64(r.Equal) / float64(r.Records)
	for digits := range 6 {
		if s := fmt.Sprintf("%.*f", digits+1, share); !strings.HasPrefix(s, "100") {
			return s + " %"
		}
	}
	return "just below 100 %"
}

// how lists the ways in which values differ, the most frequent first.
func how(differences map[string]uint64) string {
	var words []string
	for w := range differences {
		words = append(words, w)
	}
	slices.SortFunc(words, func(a, b string) int {
		if c := int64(differences[b]) - int64(differences[a]); c != 0 {
			return int(c)
		}
		return strings.Compare(a, b)
	})
	for i, w := range words {
		words[i] = fmt.Sprintf("%s %s", count(differences[w]), strings.ReplaceAll(w, "_", " "))
	}
	return strings.Join(words, ", ")
}

// count groups digits by three.
func count(n uint64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
