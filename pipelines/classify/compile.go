package classify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"plumbline.dev/schemas/event"
)

// compiled is a rule ready to be asked.
type compiled struct {
	*Rule
	own      bool // of a file that was put in front of the shipped ones
	status   []span
	ops      []string
	evidence string
}

// fits checks the conditions that every kind of rule may carry.
func (r *compiled) fits(status int, op string) bool {
	if len(r.status) > 0 && !inSpans(r.status, status) {
		return false
	}
	return len(r.ops) == 0 || slices.Contains(r.ops, op)
}

// set is the rules of one system, or the general ones.
type set struct {
	codes   codes
	paths   map[string][]entry // path=value, or *.key=value
	says    []sayRule
	headers []headerRule
	plain   []*compiled // only status, operation or shape
}

type sayRule struct {
	rule  *compiled
	exprs []expr
}

type headerRule struct {
	rule  *compiled
	tests []headerTest
}

// Classifier is a compiled set of rules.
type Classifier struct {
	version   string
	lex       *lexicon
	general   *set
	providers map[string]*set
	shared    codes // what the codes of known systems mean to unknown ones
	claims    claims
	book      phrasebook
	prints    printCache
	quotes    quoteCache
	pool      sync.Pool // of *weigher: kilobytes that the collector need not see
}

// Version names the rules: the same bytes, the same version.
func (c *Classifier) Version() string { return c.version }

// New compiles rules. The error names the file and the rule to change.
func New(rules Rules) (*Classifier, error) {
	c := &Classifier{
		version: rules.Version, lex: newLexicon(), general: newSet(),
		providers: map[string]*set{}, shared: codes{}, claims: claims{},
	}
	for i := range rules.Files {
		if err := c.teach(rules.Files[i].Concepts); err != nil {
			return nil, fmt.Errorf("%s: %w", rules.Files[i].Name, err)
		}
	}
	for i := range rules.Files {
		if err := c.lex.about(rules.Files[i].Subjects); err != nil {
			return nil, fmt.Errorf("%s: %w", rules.Files[i].Name, err)
		}
	}
	c.book.counts = map[string][]int{}
	for i := range rules.Files {
		for j := range rules.Files[i].Phrases {
			c.book.learn(&rules.Files[i].Phrases[j])
		}
	}
	ids := map[string]string{}
	for i := range rules.Files {
		f := &rules.Files[i]
		for j := range f.Rules {
			if other, ok := ids[f.Rules[j].ID]; ok {
				return nil, fmt.Errorf("%w: rule %s is in %s and in %s: give one another id", ErrRules, f.Rules[j].ID, other, f.Name)
			}
			ids[f.Rules[j].ID] = f.Name
			if err := c.compile(f, &f.Rules[j]); err != nil {
				return nil, fmt.Errorf("%s: rule %s: %w", f.Name, f.Rules[j].ID, err)
			}
		}
	}
	c.book.weigh(c.lex)
	return c, nil
}

func newSet() *set { return &set{codes: codes{}, paths: map[string][]entry{}} }

// teach numbers concepts in the order of their names: a map has none, and the
// same rules have to make the same classifier.
func (c *Classifier) teach(concepts map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(concepts)) {
		id, err := c.lex.concept(name)
		if err != nil {
			return err
		}
		for _, p := range concepts[name] {
			if err := c.lex.add(id, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Classifier) compile(f *File, r *Rule) error {
	cr, err := prepare(r)
	if err != nil {
		return err
	}
	cr.own = f.own
	if len(f.Providers) == 0 {
		return c.place(c.general, cr)
	}
	for _, p := range f.Providers {
		p = strings.ToLower(p)
		if c.providers[p] == nil {
			c.providers[p] = newSet()
		}
		if err := c.place(c.providers[p], cr); err != nil {
			return err
		}
	}
	c.share(f.Providers[0], cr)
	return nil
}

func prepare(r *Rule) (*compiled, error) {
	cr := &compiled{Rule: r, ops: r.When.Operation, evidence: r.Because}
	for _, s := range r.When.Status {
		sp, err := parseSpan(s)
		if err != nil {
			return nil, err
		}
		cr.status = append(cr.status, sp)
	}
	if r.Cause == "" {
		r.Cause = guides[r.Class].cause
	}
	switch {
	case r.Step != "":
	case r.Class == event.ClassAuth && r.Attribution == event.ByUnknown:
		r.Step = undecided
	default:
		r.Step = guides[r.Class].step
	}
	return cr, nil
}

// place files a rule under the first thing it looks at.
func (c *Classifier) place(s *set, r *compiled) error {
	w := &r.When
	if err := c.claim(s, r); err != nil {
		return err
	}
	for _, code := range w.Code {
		s.codes.add(code, entry{rule: r, evidence: because("code "+code, r.Because)})
	}
	for _, b := range w.Body {
		path, value, ok := strings.Cut(b, "=")
		if !ok {
			return fmt.Errorf("%w: body %q, want path=value", ErrRules, b)
		}
		var buf [maxCode]byte
		key := strings.ToLower(path) + "=" + string(normCode(buf[:0], value))
		s.paths[key] = append(s.paths[key], entry{rule: r, evidence: because("the body has "+path+" "+value, r.Because)})
	}
	if len(w.Says) > 0 {
		sr := sayRule{rule: r}
		for _, src := range w.Says {
			e, err := c.lex.expr(src)
			if err != nil {
				return err
			}
			sr.exprs = append(sr.exprs, e)
		}
		s.says = append(s.says, sr)
	}
	if len(w.Header) > 0 {
		s.headers = append(s.headers, newHeaderRule(r))
	}
	if len(w.Code)+len(w.Body)+len(w.Says)+len(w.Header) == 0 {
		s.plain = append(s.plain, r)
	}
	return nil
}

// claim says what the rule asks for, in the form that decides.
func (c *Classifier) claim(s *set, r *compiled) error {
	w := &r.When
	list := make([]claim, 0, len(w.Code)+len(w.Body)+len(w.Says)+len(w.Header)+1)
	var buf [maxCode]byte
	for _, code := range w.Code {
		list = append(list, claim{s, "code", string(normCode(buf[:0], code))})
	}
	for _, b := range w.Body {
		path, value, _ := strings.Cut(b, "=")
		list = append(list, claim{s, "body", strings.ToLower(path) + "=" + string(normCode(buf[:0], value))})
	}
	for _, e := range w.Says {
		list = append(list, claim{s, "says", normalSays(e) + w.Shape})
	}
	for _, h := range w.Header {
		list = append(list, claim{s, "header", strings.ToLower(h)})
	}
	if len(list) == 0 {
		list = append(list, claim{s, "plain", w.Shape})
	}
	for _, x := range list {
		if err := c.claims.add(x, r); err != nil {
			return err
		}
	}
	return nil
}

// share lets a code speak for systems that have no rules, or not this one:
// names such as DUPLICATE_VALUE travel between vendors, numbers do not.
func (c *Classifier) share(provider string, r *compiled) {
	for _, code := range r.When.Code {
		if !travels(code) {
			continue
		}
		c.shared.add(code, entry{rule: r, evidence: because("code "+code+" as "+provider+" uses it", r.Because)})
	}
}

// travels asks for two words or more: "forbidden" alone means what it means to
// everybody, and general rules know that.
func travels(code string) bool {
	letters, joints := 0, 0
	for i := range len(code) {
		switch c := code[i]; {
		case c == '_' || c == '-' || c == ' ' || upper[c] && i > 0 && alnum[code[i-1]] && !upper[code[i-1]]:
			joints++
		}
		if alnum[code[i]] && code[i] > '9' {
			letters++
		}
	}
	return joints > 0 && letters >= 8 && letters*2 > len(code)
}

func because(fact, why string) string {
	if why == "" {
		return fact
	}
	return fact + ": " + why
}
