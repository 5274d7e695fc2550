package classify

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Decisive is the confidence from which the search ends.
const Decisive = 0.9

const (
	fromText   = 0.02 // a code named in a message is a little less sure than one in its place
	fromShared = 0.7  // a code known from another system
	agreement  = 0.04 // the status says the same class as the words
)

// unknown is the rule of what no rule knows.
var unknown = &compiled{Rule: &Rule{
	ID: "unknown", Class: event.ClassOther, Recoverability: event.Permanent, Attribution: event.ByUnknown,
	Confidence: 0.2, Cause: guides[event.ClassOther].cause, Step: guides[event.ClassOther].step,
}}

// Classify says what a failed call means. It does not judge whether the call
// failed: an answer without any sign of failure is `unknown`.
func (c *Classifier) Classify(in *Input) event.Verdict {
	v, _ := c.read(in)
	return v
}

// answer is what a body says beside its meaning; parts of it, not copies.
type answer struct{ code, message string }

func (c *Classifier) read(in *Input) (event.Verdict, answer) {
	p := c.provider(in.System)
	if e := c.byCode(p, in.Code, in.Status, in.Operation); e != nil && e.rule.Confidence >= Decisive && !e.rule.Collateral {
		return c.verdict(in, in.Message, e.rule, e.rule.Confidence, e.evidence), answer{in.Code, in.Message}
	}
	w, _ := c.pool.Get().(*weigher)
	if w == nil {
		w = new(weigher)
	}
	w.c, w.p, w.in, w.status = c, p, in, in.Status
	w.weigh()
	v, said := w.verdict(), answer{w.found, w.first}
	w.reset()
	c.pool.Put(w)
	return v, said
}

// provider is the set of a system, or an empty one.
func (c *Classifier) provider(system string) *set {
	if s, ok := c.providers[system]; ok {
		return s
	}
	if s, ok := c.providers[strings.ToLower(system)]; ok {
		return s
	}
	return noRules
}

var noRules = &set{}

// byCode looks a code up for its system, then among the general codes.
func (c *Classifier) byCode(p *set, code string, status int, op string) *entry {
	if code == "" {
		return nil
	}
	if e := p.codes.find(code, status, op); e != nil {
		return e
	}
	if bareStatus(code) != 0 {
		return nil
	}
	return c.general.codes.find(code, status, op)
}

// verdict writes out a decision. The common path comes here directly and must
// not allocate: every text is made when rules are compiled.
func (c *Classifier) verdict(in *Input, message string, r *compiled, confidence float64, evidence string) event.Verdict {
	h := fnv(fnvBasis, in.System)
	h = fnv(h, r.Class)
	h = fnv(h, r.ID)
	h = template(h, message)
	return event.Verdict{
		Class: r.Class, Recoverability: r.Recoverability, Attribution: r.Attribution, Confidence: confidence,
		Rule: r.ID, Evidence: evidence, Fingerprint: c.prints.text(h), LikelyCause: r.Cause, FirstStep: r.Step,
		Version: c.version, Collateral: r.Collateral,
	}
}

// natural is the class that a status suggests when nothing else speaks.
func natural(status int) string {
	switch {
	case status == 0:
		return event.ClassNetwork
	case status == 401 || status == 403:
		return event.ClassAuth
	case status == 400 || status == 422:
		return event.ClassSchema
	case status == 429:
		return event.ClassRateLimit
	case status == 409:
		return event.ClassDuplicate
	case status >= 500:
		return event.ClassVendorOutage
	}
	return event.ClassOther
}
