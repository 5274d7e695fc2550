package classify

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// ErrRules is wrapped by every error about rules: the file has to be changed.
var ErrRules = errors.New("invalid rules")

// File is one file of rules. A file without providers is general: it speaks
// about every system, also those nobody has heard of.
type File struct {
	Name      string              `yaml:"-"`
	Providers []string            `yaml:"providers"`
	Source    string              `yaml:"source"`
	Concepts  map[string][]string `yaml:"concepts"`
	Subjects  []string            `yaml:"subjects"` // concepts that x~y chooses among
	Rules     []Rule              `yaml:"rules"`
	Phrases   []Phrase            `yaml:"phrases"`
	own       bool                // put in front with With
}

// Rule says what a matching answer means.
type Rule struct {
	ID             string    `yaml:"id"`
	Source         string    `yaml:"source"` // where the fact is from; the file's when empty
	When           When      `yaml:"when"`
	Class          string    `yaml:"class"`
	Recoverability string    `yaml:"recoverability"`
	Attribution    string    `yaml:"attribution"`
	Confidence     float64   `yaml:"confidence"`
	Because        string    `yaml:"because"` // the evidence, in words
	Cause          string    `yaml:"likely_cause"`
	Step           string    `yaml:"first_step"`
	Collateral     bool      `yaml:"collateral"` // rolled back with a neighbour: no failure of its own
	Examples       []Example `yaml:"examples"`
}

// When is what has to be there: every given part, one of each list.
type When struct {
	Code      []string `yaml:"code"`      // compared without case, '_', '-' and spaces
	Body      []string `yaml:"body"`      // path=value; *.key=value is that key anywhere; no array indexes
	Says      []string `yaml:"says"`      // concepts or "literal phrases" near each other; !x is absent; x~y: y is said of x
	Header    []string `yaml:"header"`    // name, name=value or name~part
	Status    []string `yaml:"status"`    // 401, 5xx, 400-499 or none
	Operation []string `yaml:"operation"` //
	Shape     string   `yaml:"shape"`     // html: a web page came; reason: no words but the status' own name
}

// Example is an answer that the rule has to classify.
type Example struct {
	System    string            `yaml:"system"` // the file's first provider when empty
	Operation string            `yaml:"operation"`
	Status    int               `yaml:"status"`
	Code      string            `yaml:"code"`
	Message   string            `yaml:"message"`
	Body      string            `yaml:"body"`
	Headers   map[string]string `yaml:"headers"`
}

func (r *Rule) validate() error {
	switch {
	case r.ID == "":
		return fmt.Errorf("%w: a rule has no id", ErrRules)
	case r.Source == "":
		return fmt.Errorf("%w: rule %s names no source", ErrRules, r.ID)
	case !slices.Contains(event.Classes, r.Class):
		return fmt.Errorf("%w: rule %s: class %q, want one of %s", ErrRules, r.ID, r.Class, strings.Join(event.Classes, ", "))
	case r.Recoverability != event.Temporary && r.Recoverability != event.Permanent:
		return fmt.Errorf("%w: rule %s: recoverability %q, want temporary or permanent", ErrRules, r.ID, r.Recoverability)
	case !slices.Contains(attributions, r.Attribution):
		return fmt.Errorf("%w: rule %s: attribution %q, want one of %s", ErrRules, r.ID, r.Attribution, strings.Join(attributions, ", "))
	case r.Confidence <= 0 || r.Confidence > 1:
		return fmt.Errorf("%w: rule %s: confidence %v, want above 0 and at most 1", ErrRules, r.ID, r.Confidence)
	case r.When.empty():
		return fmt.Errorf("%w: rule %s matches nothing: give it a `when`", ErrRules, r.ID)
	}
	return nil
}

var attributions = []string{event.ByVendor, event.ByCustomer, event.ByPipeline, event.ByUnknown}

func (w *When) empty() bool {
	return len(w.Code)+len(w.Body)+len(w.Says)+len(w.Header)+len(w.Status) == 0 && w.Shape == ""
}

// span is a range of HTTP statuses; {0, 0} is no answer at all.
type span struct{ from, to int }

func parseSpan(s string) (span, error) {
	if s == "none" {
		return span{}, nil
	}
	if d, ok := strings.CutSuffix(s, "xx"); ok {
		n, err := strconv.Atoi(d)
		if err != nil || n < 1 || n > 9 {
			return span{}, fmt.Errorf("%w: status %q, want 401, 5xx, 400-499 or none", ErrRules, s)
		}
		return span{n * 100, n*100 + 99}, nil
	}
	lo, hi, ranged := strings.Cut(s, "-")
	if !ranged {
		hi = lo
	}
	a, err := strconv.Atoi(lo)
	b, err2 := strconv.Atoi(hi)
	if err != nil || err2 != nil || a > b {
		return span{}, fmt.Errorf("%w: status %q, want 401, 5xx, 400-499 or none", ErrRules, s)
	}
	return span{a, b}, nil
}

func inSpans(list []span, status int) bool {
	for _, s := range list {
		if status >= s.from && status <= s.to {
			return true
		}
	}
	return false
}
