package streamtest

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"plumbline.dev/pipelines/stream"
)

// The package that imports this one must not define a flag of this name.
var update = flag.Bool("update", false, "write the expectations of scenarios anew")

// Options of a run.
type Options struct {
	Files    string   // default testdata/*.txt
	Settings []string // names that `set` takes besides the package's own
	// Operator makes a fresh operator, one for each partition and restart.
	Operator func(s *Scenario) (stream.Operator, error)
	// Format shows an output; "" leaves it out. Default: Scenario.Format.
	// Scenario.Changes shows of a delivery's later versions only what changed.
	Format func(s *Scenario, o stream.Output) string
}

// Run plays every scenario as a test of its own.
func Run(t *testing.T, o Options) {
	t.Helper()
	if o.Files == "" {
		o.Files = "testdata/*.txt"
	}
	files, err := filepath.Glob(o.Files)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario matches %s (%v)", o.Files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Check(file, string(text), o)
			if got != "" && got != string(text) && *update {
				err = os.WriteFile(file, []byte(got), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Check plays a scenario in every style. It returns the file as it should
// read, and an error if that differs from what it says, or if two ways of
// playing differ: then there is nothing to write.
func Check(name, text string, o Options) (string, error) {
	s, err := Parse(name, text, o.Settings...)
	if err != nil {
		return "", err
	}
	if _, err := o.Operator(s); err != nil {
		return "", fmt.Errorf("%s: make the operator: %w", name, err)
	}
	newOp := func() stream.Operator {
		op, _ := o.Operator(s) // it could be made a moment ago, from the same settings
		return op
	}
	first, err := s.play(newOp, neverSaved)
	if err != nil {
		return "", err
	}
	for _, how := range []style{neverSaved, savedOften, killedOften} {
		again, err := s.play(newOp, how)
		if err != nil {
			return "", err
		}
		if err := s.same(first, again); err != nil {
			return "", err
		}
	}
	return s.compare(first, o)
}

// same reports the first line that gave other bytes when played again.
func (s *Scenario) same(first, again []played) error {
	i := 0
	for _, section := range s.Sections {
		for _, line := range section.Lines {
			if !slices.EqualFunc(first[i].bytes, again[i].bytes, bytes.Equal) {
				return fmt.Errorf("%s:%d: played again, %q gives other outputs: first\n%s\nthen\n%s",
					s.Name, line.Number, line.Text, raw(first[i].outputs), raw(again[i].outputs))
			}
			i++
		}
	}
	return nil
}

// compare holds outputs against expectations.
func (s *Scenario) compare(all []played, o Options) (string, error) {
	format := o.Format
	if format == nil {
		format = (*Scenario).Format
	}
	var file, problems []string
	at, line := 0, 0
	for _, section := range s.Sections {
		var got []string
		for range section.Lines {
			for _, out := range all[line].outputs {
				if text := format(s, out); text != "" {
					got = append(got, text)
				}
			}
			line++
		}
		if !slices.Equal(got, section.Expect) {
			problems = append(problems, fmt.Sprintf("%s:%d: not what came out:\n%s", s.Name, section.expectFrom, diff(section.Expect, got)))
		}
		file = append(append(file, s.source[at:section.expectFrom]...), got...)
		at = section.expectTo
	}
	file = append(file, s.source[at:]...)
	text := strings.Join(file, "\n")
	if len(problems) > 0 {
		return text, fmt.Errorf("%s\n(-update writes what came out)", strings.Join(problems, "\n"))
	}
	return text, nil
}

// diff marks lines expected only with - and lines got only with +.
func diff(want, got []string) string {
	var b strings.Builder
	for len(want) > 0 || len(got) > 0 {
		switch {
		case len(want) > 0 && len(got) > 0 && want[0] == got[0]:
			fmt.Fprintf(&b, "    %s\n", want[0])
			want, got = want[1:], got[1:]
		case len(want) > 0 && !slices.Contains(got, want[0]):
			fmt.Fprintf(&b, "  - %s\n", want[0])
			want = want[1:]
		default:
			fmt.Fprintf(&b, "  + %s\n", got[0])
			got = got[1:]
		}
	}
	return b.String()
}
