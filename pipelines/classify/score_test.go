package classify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
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

// score is the share of right classes and of right recoverabilities.
type score struct {
	class, recoverability float64
	wrong                 []string
}

func measure(c *Classifier, cases []labelled) score {
	var s score
	for i := range cases {
		l := &cases[i]
		in := l.input()
		v := c.Classify(&in)
		if v.Class == l.Class {
			s.class++
		}
		if v.Recoverability == l.Recoverability {
			s.recoverability++
		}
		if v.Class != l.Class || v.Recoverability != l.Recoverability {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: want %s/%s, got %s/%s by %s %.2f (%s) | %d %q %q",
				l.ID, l.Class, l.Recoverability, v.Class, v.Recoverability, v.Rule, v.Confidence, v.Evidence, l.Status, l.Code, l.Message))
		}
	}
	s.class /= float64(len(cases))
	s.recoverability /= float64(len(cases))
	return s
}

func compiledRules(t testing.TB, general bool) *Classifier {
	t.Helper()
	r, err := Embedded()
	require.NoError(t, err)
	if general {
		r = r.General()
	}
	c, err := New(r)
	require.NoError(t, err)
	return c
}

// A file of errors from elsewhere is measured by hand, never required:
// PLUMBLINE_ERRORS=errors.jsonl go test -run TestMeasure -v
func TestMeasure(t *testing.T) {
	path := os.Getenv("PLUMBLINE_ERRORS")
	if path == "" {
		t.Skip("PLUMBLINE_ERRORS names no file")
	}
	cases := readLabelled(t, path)
	for _, general := range []bool{false, true} {
		s := measure(compiledRules(t, general), cases)
		t.Logf("general rules only: %v: %d errors, class %.4f, recoverability %.4f", general, len(cases), s.class, s.recoverability)
		for _, w := range s.wrong {
			t.Log(w)
		}
	}
}

// What the shipped rules have to reach on our own fixtures, and what the
// general rules reach alone, as if every vendor were unknown. The second is
// the honest number for systems nobody wrote rules for: it may only rise.
const (
	floorAll           = 0.97
	floorGeneralClass  = 0.91
	floorGeneralRecov  = 0.95
	fixtureCasesAtMost = 0.5 // share of one class: a file of one class proves nothing
)

func TestFixtures(t *testing.T) {
	cases := readLabelled(t, "testdata/errors.jsonl")
	require.GreaterOrEqual(t, len(cases), 150)
	classes, ids := map[string]int{}, map[string]bool{}
	for i := range cases {
		require.Contains(t, event.Classes, cases[i].Class, cases[i].ID)
		require.False(t, ids[cases[i].ID], "id %s twice", cases[i].ID)
		ids[cases[i].ID] = true
		classes[cases[i].Class]++
	}
	for _, class := range event.Classes {
		require.NotZero(t, classes[class], class)
		require.Less(t, float64(classes[class])/float64(len(cases)), fixtureCasesAtMost, class)
	}
	s := measure(compiledRules(t, false), cases)
	t.Logf("all rules: class %.4f, recoverability %.4f", s.class, s.recoverability)
	require.GreaterOrEqual(t, s.class, floorAll, "%v", s.wrong)
	require.GreaterOrEqual(t, s.recoverability, floorAll, "%v", s.wrong)
}

func TestProvidersUnknown(t *testing.T) {
	cases := readLabelled(t, "testdata/errors.jsonl")
	s := measure(compiledRules(t, true), cases)
	t.Logf("general rules only: class %.4f, recoverability %.4f", s.class, s.recoverability)
	require.GreaterOrEqual(t, s.class, floorGeneralClass, "%v", s.wrong)
	require.GreaterOrEqual(t, s.recoverability, floorGeneralRecov, "%v", s.wrong)
}
