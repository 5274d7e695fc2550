package incident

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const (
	// patience is how long temporary failures may last before they are an
	// incident, unless they hit several records.
	patience     = 2 * event.Minute
	manyRecords  = 3
	verdictWait  = event.Minute
	p1Records    = 10               // from here on an incident of a P1 integration is P1
	calmAfter    = 5 * event.Minute // without a failure it no longer grows
	looseCalm    = 30 * event.Minute
	flapHold     = 10 * event.Minute
	settleAfter  = 2 * event.Second  // until failures and divergences of one second are all there
	tellEvery    = 30 * event.Second // growth alone
	recurSpan    = 30 * event.Day
	maxChecks    = 200
	maxSteps     = 64
	maxOpenCases = 256 // of one integration: more are one cause with bad fingerprints
)

// Documented reports whether a runbook has a step for a fingerprint, or a
// reviewed one for its class.
type Documented func(integration, fingerprint, class string, now event.Time) bool

// Options of the operator.
type Options struct {
	Integrations []config.Integration
	Documented   Documented // nil: nothing is
}

// Incidents implements stream.Operator.
type Incidents struct {
	*stream.Parts
	cases        *stream.Table[Case, *Case]
	past         *stream.Table[Past, *Past]
	waiting      *stream.Table[event.Partial, *event.Partial]
	integrations map[string]*config.Integration
	documented   Documented
}

// New makes the operator of one partition of partials.
func New(o Options) *Incidents {
	n := &Incidents{
		cases: stream.NewTable[Case](), past: stream.NewTable[Past](), waiting: stream.NewTable[event.Partial](), integrations: map[string]*config.Integration{},
		documented: o.Documented,
	}
	if n.documented == nil {
		n.documented = func(string, string, string, event.Time) bool { return false }
	}
	for i := range o.Integrations {
		n.integrations[o.Integrations[i].ID] = &o.Integrations[i]
	}
	n.Parts = stream.NewParts(stream.Part{Name: "c", State: n.cases}, stream.Part{Name: "p", State: n.past},
		stream.Part{Name: "w", State: n.waiting})
	return n
}

// Step implements stream.Operator.
func (n *Incidents) Step(ctx stream.Ctx, _ string, ev event.Event, _ *stream.Out) {
	switch e := ev.(type) {
	case *event.Partial:
		n.partial(ctx, e)
	case *event.CauseVerdict:
		n.verdict(e)
	case *event.Explanation:
		n.explained(e)
	case *event.Click:
		n.click(e)
	}
}

func (n *Incidents) partial(ctx stream.Ctx, p *event.Partial) {
	for i := range p.Failures {
		n.failures(ctx, p, &p.Failures[i])
	}
	for i := range p.Deliveries {
		n.deliveries(ctx, p, &p.Deliveries[i])
	}
	if len(p.Divergences) > 0 {
		w := n.waiting.Change(fmt.Sprintf("%016d/%020d", int64(ctx.Now), ctx.Version))
		*w = event.Partial{Tenant: p.Tenant, Integration: p.Integration, Object: p.Object, Second: ctx.Now, Divergences: p.Divergences}
	}
	for i := range p.Attempts {
		if c := &p.Attempts[i]; c.Outcome == event.OutcomeOK && event.IsWrite(c.Operation) {
			n.succeeds(ctx, p)
			break
		}
	}
}

func (n *Incidents) failures(ctx stream.Ctx, p *event.Partial, c *event.FailureCount) {
	if c.Collateral {
		return
	}
	if c = n.unheld(p, c); c == nil {
		return
	}
	x, silent := n.failing(ctx, p, c)
	if x == nil {
		return
	}
	x.affect(p, c)
	x.note(p, c)
	x.I.Failures += c.N
	x.I.OnsetAt = min(x.I.OnsetAt, c.First)
	if silent { // it failed long before anybody could know
		x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, ctx.Now), max(x.I.LastAt, ctx.Now)
	} else {
		x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, c.First), max(x.I.LastAt, c.Last)
	}
	x.again()
}

// unheld is a failure without the records of which an incident says already
// that their changes do not arrive: where nobody reports attempts, what was
// never tried and what left no trace are one trouble. Nil: none is left.
func (n *Incidents) unheld(p *event.Partial, c *event.FailureCount) *event.FailureCount {
	if c.Origin != event.OriginInferred || len(c.Records) == 0 || silenced(c).nature == bent {
		return c
	}
	left := slices.DeleteFunc(slices.Clone(c.Records), func(r string) bool {
		return slices.ContainsFunc(n.cases.Keys(), func(key string) bool {
			x := n.cases.Get(key)
			_, ok := slices.BinarySearch(x.Wrong, p.Object+"/"+r)
			return ok && x.I.Integration == p.Integration && x.I.Kind == event.IncidentOfStalls
		})
	})
	if len(left) == len(c.Records) {
		return c
	}
	if len(left) == 0 && c.Unlinked == 0 {
		return nil
	}
	rest := *c
	rest.N, rest.Records = c.N-int64(len(c.Records)-len(left)), left
	rest.Loose = slices.DeleteFunc(slices.Clone(c.Loose), func(r string) bool { return !slices.Contains(left, r) })
	return &rest
}

// affect adds the records that a failure hit.
func (c *Case) affect(p *event.Partial, f *event.FailureCount) {
	for _, r := range f.Records {
		if !slices.Contains(f.Loose, r) {
			c.wrong(p.Object + "/" + r)
		}
	}
	if loose := int64(len(f.Loose)) + f.Unlinked; loose > 0 {
		c.Loose = max(c.Loose, loose) // the same ones may fail again and again
		_, wrong := distinct(c.Wrong, 0)
		c.I.Affected = max(c.I.Affected, wrong+c.Over+c.Loose)
	}
}

// failing is the case that a failure belongs to.
func (n *Incidents) failing(ctx stream.Ctx, p *event.Partial, c *event.FailureCount) (x *Case, silent bool) {
	if c.Origin != event.OriginInferred {
		return n.of(ctx, p, refused(p, c)), false
	}
	return n.of(ctx, p, silenced(c)), true // it was acknowledged: whoever refuses others did not refuse it
}

// note takes over what a failure says of its cause.
func (c *Case) note(p *event.Partial, f *event.FailureCount) {
	if f.Origin == event.OriginInferred {
		c.Members = count(c.Members, silentName(p, f), f.N)
	} else {
		c.Members = count(c.Members, p.Object, f.N)
	}
	if f.Fingerprint != "" && len(c.Prints) < maxMembers && !slices.Contains(c.Prints, f.Fingerprint) {
		c.Prints = append(c.Prints, f.Fingerprint)
	}
	if c.I.Object != p.Object {
		c.I.Object = ""
	}
	c.Classes = count(c.Classes, f.Class, f.N)
	first := c.I.Class == ""
	if !first && (c.I.VerdictID != "" || c.I.Class == most(c.Classes)[0] || f.Class != most(c.Classes)[0]) {
		return
	}
	c.I.Class, c.I.Attribution, c.I.Confidence = f.Class, f.Attribution, f.Confidence
	c.I.Recoverability, c.I.Evidence, c.I.FirstStep = f.Recoverability, f.Evidence, f.FirstStep
	c.I.Provider, c.I.Token = p.Provider, p.Token
	c.Answer = f.Code
	if c.Answer == "" && f.Status != 0 {
		c.Answer = strconv.Itoa(f.Status)
	}
	c.Predicate = c.selects(p, f)
}

// selects is the SQL that finds the failures of the case.
func (c *Case) selects(p *event.Partial, f *event.FailureCount) string {
	switch {
	case f.Origin == event.OriginInferred:
		return "origin = 'inferred'"
	case f.Class == event.ClassRateLimit:
		return "provider = " + quoted(p.Provider) + " AND class = 'rate_limit'"
	case reaches(f.Class):
		return "provider = " + quoted(p.Provider) + " AND class IN ('" + strings.Join(outageClasses, "', '") + "')"
	case f.Code == "" || f.Class == event.ClassOther:
		return "fingerprint = " + quoted(f.Fingerprint)
	}
	return "object = " + quoted(p.Object) + " AND class = " + quoted(f.Class) + " AND code = " + quoted(f.Code)
}

func (n *Incidents) deliveries(ctx stream.Ctx, p *event.Partial, c *event.DeliveryCount) {
	if c.Series != "" {
		return
	}
	switch c.State {
	case event.StateStalled: // what is not_applied comes as a failure with its inferred class
		n.lost(ctx, p, c)
	case event.StateApplied, event.StateVerified, event.StateSuperseded, event.StateOverwritten, event.StateUnobserved,
		event.StateAcknowledged:
		word := c.State == event.StateUnobserved || c.State == event.StateAcknowledged // the target's, until somebody looks
		for _, r := range c.Records {
			n.heal(p.Integration, p.Object+"/"+r, word, min(c.Settled, ctx.Now))
		}
	}
}

// lost opens or grows the incident of deliveries that miss their deadline
// without a failure that says why.
func (n *Incidents) lost(ctx stream.Ctx, p *event.Partial, c *event.DeliveryCount) {
	var fresh []string
	for _, r := range c.Records {
		if !n.covered(p.Integration, p.Object+"/"+r) {
			fresh = append(fresh, p.Object+"/"+r)
		}
	}
	if len(fresh) == 0 {
		return
	}
	if x := n.over(p.Integration, c.Oldest); x != nil { // held up by what is known to be down
		for _, r := range fresh {
			x.wrong(r)
		}
		x.Changed = true
		return
	}
	const kind = event.IncidentOfStalls
	x := n.of(ctx, p, group{kind: kind, name: kind, fingerprint: event.Hash("incident", kind), onset: c.Due})
	if x == nil {
		return
	}
	if x.I.Object != p.Object {
		x.I.Object = ""
	}
	x.Members = count(x.Members, p.Object, int64(len(fresh)))
	x.I.Attribution, x.Predicate = event.ByUnknown, "state = 'stalled'"
	if c.Oldest > 0 {
		x.I.OnsetAt = min(x.I.OnsetAt, c.Oldest)
	}
	x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, ctx.Now), max(x.I.LastAt, ctx.Now)
	x.I.Failures += c.N
	for _, r := range fresh {
		x.wrong(r)
	}
	x.again()
}

// settle takes in the divergences of a moment ago. They wait for the failures
// that were told with them: one trouble is one incident.
func (n *Incidents) settle(ctx stream.Ctx) {
	for _, key := range slices.Clone(n.waiting.Keys()) {
		p := n.waiting.Get(key)
		if ctx.Now-p.Second < settleAfter {
			return
		}
		then := ctx
		then.Now = p.Second
		for i := range p.Divergences {
			n.divergences(then, p, &p.Divergences[i])
		}
		n.waiting.Delete(key)
	}
}

func (n *Incidents) divergences(ctx stream.Ctx, p *event.Partial, c *event.DivergenceCount) {
	where := p.Object + "/"
	suffix := "#" + c.Field + "/" + c.Kind
	if c.State != event.DivergenceConfirmed {
		if c.Was == event.DivergenceConfirmed {
			for _, r := range c.Records {
				n.heal(p.Integration, where+r+suffix, false, min(c.Settled, ctx.Now))
			}
		}
		return
	}
	if c.PreExisting { // counted as drift; nothing broke
		return
	}
	var fresh []string
	for _, r := range c.Records {
		if !n.covered(p.Integration, where+r) { // else its delivery's incident stands already
			fresh = append(fresh, where+r+suffix)
		}
	}
	if len(fresh) == 0 {
		return
	}
	x := n.differ(ctx, p, c)
	if x == nil {
		return
	}
	for _, r := range fresh {
		x.wrong(r)
	}
	x.Changed = true
	if x.I.Kind != event.IncidentOfDivergence {
		return
	}
	if x.I.Object != p.Object {
		x.I.Object = ""
	}
	x.Members = count(x.Members, divergenceName(p, c), int64(len(fresh)))
	if x.Classes = count(x.Classes, c.Class, c.N); x.I.Class == "" {
		x.I.Class = c.Class
	}
	x.I.Attribution, x.Predicate = event.ByUnknown, "state = 'confirmed'"
	x.I.OnsetAt = min(x.I.OnsetAt, max(c.First, 1))
	x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, ctx.Now), max(x.I.LastAt, ctx.Now)
	x.I.Failures += c.N
	x.again()
}

// differ is the case that a divergence belongs to: that of the writes that get
// lost, of the provider that lets nobody in, or one of its own.
func (n *Incidents) differ(ctx stream.Ctx, p *event.Partial, c *event.DivergenceCount) *Case {
	g := differing(c)
	if g.name == "differs" && c.First != 0 {
		if x := n.silence(ctx, p.Integration, c.First); x != nil {
			x.I.LastAt = max(x.I.LastAt, ctx.Now)
			x.again()
			return x
		}
		if x := n.over(p.Integration, c.First); x != nil && holdsBack(c.Kind) {
			return x
		}
	}
	return n.of(ctx, p, g)
}

// succeeds notes that writes go through again.
func (n *Incidents) succeeds(ctx stream.Ctx, p *event.Partial) {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.OKAt <= c.I.LastAt && c.I.Integration == p.Integration && c.I.Provider == p.Provider {
			n.cases.Change(key).OKAt = ctx.Now
		}
	}
}

// covered reports whether a record is part of a case already.
func (n *Incidents) covered(integration, record string) (found bool) {
	for _, key := range n.cases.Keys() {
		if c := n.cases.Get(key); c.I.Integration == integration {
			if _, ok := slices.BinarySearch(c.Wrong, record); ok {
				return true
			}
		}
	}
	return false
}

// heal takes a record out of every case it is in: it is right since at.
func (n *Incidents) heal(integration, record string, unverified bool, at event.Time) {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.I.Integration != integration {
			continue
		}
		_, wrong := slices.BinarySearch(c.Wrong, record)
		_, soft := slices.BinarySearch(c.Soft, record)
		if wrong || soft && !unverified {
			n.cases.Change(key).right(record, unverified, at)
		}
	}
}
