package classify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"plumbline.dev/schemas/event"
)

// labelled is one line of a file of errors whose class is known.
type labelled struct {
	ID             string            `json:"id"`
	Provider       string            `json:"provider"`
	Operation      string            `json:"operation"`
	Status         int               `json:"status"`
	Code           string            `json:"code"`
	Message        string            `json:"message"`
	Body           string            `json:"body"`
	Headers        map[string]string `json:"headers"`
	Class          string            `json:"class"`
	Recoverability string            `json:"recoverability"`
	Half           string            `json:"half"` // of blind.jsonl
}

func (l *labelled) input() Input {
	in := Input{
		System: l.Provider, Operation: l.Operation, Status: l.Status, Code: l.Code, Message: l.Message, Body: l.Body,
		Outcome: event.OutcomeError,
	}
	for _, name := range slices.Sorted(maps.Keys(l.Headers)) {
		in.Headers = append(in.Headers, event.Field{Name: name, Value: event.Value{Text: l.Headers[name]}})
	}
	return in
}

func readLabelled(t testing.TB, path string) []labelled {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var out []labelled
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l labelled
		require.NoError(t, json.Unmarshal(lines.Bytes(), &l), "line %d", len(out)+1)
		out = append(out, l)
	}
	require.NoError(t, lines.Err())
	return out
}

// score counts right classes and right recoverabilities, and who was taken for
// what.
type score struct {
	n, class, recoverability int
	confusion                map[[2]string]int // wanted, got
	wrong                    []string
}

func (s *score) add(l *labelled, v *event.Verdict) {
	if s.confusion == nil {
		s.confusion = map[[2]string]int{}
	}
	s.n++
	s.confusion[[2]string{l.Class, v.Class}]++
	if v.Class == l.Class {
		s.class++
	}
	if v.Recoverability == l.Recoverability {
		s.recoverability++
	}
	if v.Class != l.Class || v.Recoverability != l.Recoverability {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: want %s/%s, got %s/%s by %s %.2f (%s) | %d %q %.160q %.260s",
			l.ID, l.Class, l.Recoverability, v.Class, v.Recoverability, v.Rule, v.Confidence, v.Evidence, l.Status, l.Code, l.Message, l.Body))
	}
}

func (s *score) rates() (class, recoverability float64) {
	n := float64(max(s.n, 1))
	return float64(s.class) / n, float64(s.recoverability) / n
}

func (s *score) String() string {
	class, recoverability := s.rates()
	return fmt.Sprintf("%4d errors, class %.4f, recoverability %.4f", s.n, class, recoverability)
}

// matrix shows the confusion: a row the truth, a column what was said.
func (s *score) matrix() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s", "truth \\ said")
	for _, c := range event.Classes {
		fmt.Fprintf(&b, "%14s", c)
	}
	for _, want := range event.Classes {
		fmt.Fprintf(&b, "\n%-14s", want)
		for _, got := range event.Classes {
			fmt.Fprintf(&b, "%14d", s.confusion[[2]string{want, got}])
		}
	}
	return b.String()
}

func measure(c *Classifier, cases []labelled) score {
	var s score
	for i := range cases {
		in := cases[i].input()
		v := c.Classify(&in)
		s.add(&cases[i], &v)
	}
	return s
}

func compiledRules(t testing.TB, rules Rules) *Classifier {
	t.Helper()
	c, err := New(rules)
	require.NoError(t, err)
	return c
}

// without leaves out every file that speaks of a provider.
func (r Rules) without(provider string) Rules {
	r.Files = slices.DeleteFunc(slices.Clone(r.Files), func(f File) bool { return slices.Contains(f.Providers, provider) })
	return r
}

// heldOut measures each provider's errors with its own file taken away, which
// is what meets an error of a vendor nobody wrote rules for.
func heldOut(t testing.TB, cases []labelled) (all score, each map[string]*score) {
	t.Helper()
	rules := mustRules(t)
	each = map[string]*score{}
	classifiers := map[string]*Classifier{}
	for i := range cases {
		l := &cases[i]
		if classifiers[l.Provider] == nil {
			classifiers[l.Provider], each[l.Provider] = compiledRules(t, rules.without(l.Provider)), &score{}
		}
		in := l.input()
		v := classifiers[l.Provider].Classify(&in)
		all.add(l, &v)
		each[l.Provider].add(l, &v)
	}
	return all, each
}
