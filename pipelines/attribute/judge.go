package attribute

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// enough is the likelihood from which a verdict is decided.
const enough = 0.85

// judgement is what the evidence says at one moment.
type judgement struct {
	attribution string
	likely      float64
	decided     bool
	scope       string
	evidence    string
}

// judge weighs the clues: scores are log odds, likelihoods their softmax.
func judge(s *Spell, v *breadth, clues []clue) judgement {
	sum := prior(s.Class)
	for i := range clues {
		sum.vendor += clues[i].vendor
		sum.customer += clues[i].customer
		sum.pipeline += clues[i].pipeline
	}
	e := [...]float64{math.Exp(sum.vendor), math.Exp(sum.customer), math.Exp(sum.pipeline)}
	names := [...]string{event.ByVendor, event.ByCustomer, event.ByPipeline}
	best := 0
	for i := range e {
		if e[i] > e[best] {
			best = i
		}
	}
	j := judgement{attribution: names[best], likely: e[best] / (e[0] + e[1] + e[2]), scope: event.ScopeToken}
	j.decided = j.likely >= enough && len(clues) > 0
	if s.Class == event.ClassAuth && j.attribution == event.ByCustomer && !warranted(clues) {
		j.decided = false
	}
	j.evidence = inWords(clues, best)
	fail := v.alike + v.otherwise
	switch {
	case j.attribution != event.ByCustomer && fail > 0 && 4*fail >= v.n:
		j.scope = event.ScopeProvider
	case j.attribution != event.ByCustomer:
		j.scope = event.ScopeIntegration
	case strings.Contains(j.evidence, "with the same token"):
		j.scope = event.ScopeEndpoint
	}
	return j
}

// warranted: to lose a connection costs more than to wait. One witness, be it
// the refresh itself, has been seen to say what an outage made it say.
func warranted(clues []clue) bool {
	witness := false
	for i := range clues {
		if clues[i].clears {
			return false
		}
		witness = witness || clues[i].warrants
	}
	return witness
}

// inWords puts the clues that speak for the best first, strongest first; those
// that speak against it follow.
func inWords(clues []clue, best int) string {
	lean := func(c *clue) float64 {
		s := [...]float64{c.vendor, c.customer, c.pipeline}
		rest := (s[0] + s[1] + s[2] - s[best]) / 2
		return s[best] - rest
	}
	sorted := slices.Clone(clues)
	slices.SortStableFunc(sorted, func(a, b clue) int { return cmp.Compare(lean(&b), lean(&a)) })
	var speaks, against []string
	for i := range sorted {
		if lean(&sorted[i]) >= 0 {
			speaks = append(speaks, sorted[i].words)
		} else {
			against = append(against, sorted[i].words)
		}
	}
	text := strings.Join(speaks, "; ")
	if len(against) > 0 {
		if text != "" {
			text += "; "
		}
		text += "against it: " + strings.Join(against, "; ")
	}
	if text == "" {
		return "only the answers themselves"
	}
	return text
}

// told turns a judgement into what is said. A recoverable failure must never
// be told as permanent: only a decided fault of the customer's, with the grant,
// the scope or the account as its evidence, is.
func (j *judgement) told(s *Spell, l *Line) Said {
	said := Said{
		Attribution: event.ByUnknown, Recoverability: event.Temporary, Scope: j.scope, Confidence: rounded(j.likely),
		Evidence: j.evidence,
	}
	if !j.decided {
		return said
	}
	said.Attribution, said.Decided = j.attribution, true
	if s.Class == event.ClassAuth && j.attribution == event.ByCustomer && s.Dead+l.RefusedN > 0 {
		said.Recoverability = event.Permanent
	}
	return said
}

// rounded keeps confidences from differing by noise.
func rounded(x float64) float64 { return math.Round(x*100) / 100 }

// firstStep is what to do about it.
func firstStep(class string, s *Said) string {
	switch {
	case class == event.ClassAuth && !s.Decided:
		return "cause undecided: do not disconnect; test our own read-only credential and the refresh"
	case s.Attribution == event.ByVendor:
		return "hold, do not disconnect; resync the affected set afterwards"
	case s.Attribution == event.ByPipeline && class == event.ClassAuth && s.Scope == event.ScopeToken:
		return "let the worker refresh before the token lapses, and retry once after it did"
	case s.Attribution == event.ByPipeline && class == event.ClassNetwork:
		return "check egress, DNS and TLS from the worker; retry only idempotent writes"
	case s.Attribution == event.ByPipeline:
		return "do not disconnect: look at the last deploy, roll it back or fix it, then resend the records listed"
	case s.Attribution == event.ByCustomer && s.Scope == event.ScopeEndpoint:
		return "ask the customer to give the integration's user the permission or scope for these calls"
	case s.Attribution == event.ByCustomer:
		return "ask the customer to reconnect as a user who will stay; then resync what failed since"
	}
	return "hold; look at the sample"
}
