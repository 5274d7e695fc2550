package incident

import (
	"slices"
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
	p1Records    = 10               // from here on an incident of a P1 integration is P1
	calmAfter    = 5 * event.Minute // without a failure it no longer grows
	looseCalm    = 30 * event.Minute
	flapHold     = 10 * event.Minute
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
	integrations map[string]*config.Integration
	documented   Documented
}

// New makes the operator of one partition of partials.
func New(o Options) *Incidents {
	n := &Incidents{
		cases: stream.NewTable[Case](), past: stream.NewTable[Past](), integrations: map[string]*config.Integration{},
		documented: o.Documented,
	}
	if n.documented == nil {
		n.documented = func(string, string, string, event.Time) bool { return false }
	}
	for i := range o.Integrations {
		n.integrations[o.Integrations[i].ID] = &o.Integrations[i]
	}
	n.Parts = stream.NewParts(stream.Part{Name: "c", State: n.cases}, stream.Part{Name: "p", State: n.past})
	return n
}

// Step implements stream.Operator.
func (n *Incidents) Step(ctx stream.Ctx, _ string, ev event.Event, _ *stream.Out) {
	switch e := ev.(type) {
	case *event.Partial:
		n.partial(ctx, e)
	case *event.CauseVerdict:
		n.verdict(e)
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
	for i := range p.Divergences {
		n.divergences(ctx, p, &p.Divergences[i])
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
	kind := event.IncidentOfFailures
	if c.Origin == event.OriginInferred {
		kind = event.IncidentOfSilence
	}
	fp := c.Fingerprint
	if fp == "" {
		fp = event.Hash("fingerprint", c.Class, c.Operation, c.Code)
	}
	x := n.of(ctx, p, kind, fp, c.First)
	if x == nil {
		return
	}
	if x.I.Title == "" {
		x.I.Title = failureTitle(p, c)
		x.I.Class, x.I.Attribution, x.I.Confidence = c.Class, c.Attribution, c.Confidence
		x.I.Recoverability, x.I.Evidence, x.I.FirstStep = c.Recoverability, c.Evidence, c.FirstStep
		x.I.Provider, x.I.Token = p.Provider, p.Token
		x.Predicate = "fingerprint = '" + fp + "'"
	}
	x.I.Failures += c.N
	x.I.OnsetAt = min(x.I.OnsetAt, c.First)
	if kind == event.IncidentOfSilence { // it failed long before anybody could know
		x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, ctx.Now), max(x.I.LastAt, ctx.Now)
	} else {
		x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, c.First), max(x.I.LastAt, c.Last)
	}
	for _, r := range c.Records {
		if !slices.Contains(c.Loose, r) {
			x.wrong(p.Object + "/" + r)
		}
	}
	if loose := int64(len(c.Loose)) + c.Unlinked; loose > 0 {
		x.Loose = max(x.Loose, loose) // the same ones may fail again and again
		x.I.Affected = max(x.I.Affected, int64(len(x.Wrong))+x.Over+x.Loose)
	}
	x.again()
}

func (n *Incidents) deliveries(ctx stream.Ctx, p *event.Partial, c *event.DeliveryCount) {
	if c.Series != "" {
		return
	}
	switch c.State {
	case event.StateStalled: // what is not_applied comes as a failure with its inferred class
		n.lost(ctx, p, c)
	case event.StateApplied, event.StateVerified, event.StateSuperseded, event.StateOverwritten, event.StateUnobserved:
		for _, r := range c.Records {
			n.heal(p.Integration, p.Object+"/"+r, c.State == event.StateUnobserved)
		}
	}
}

// lost opens or grows the incident of deliveries that miss their deadline
// without a failure that says why.
func (n *Incidents) lost(ctx stream.Ctx, p *event.Partial, c *event.DeliveryCount) {
	const kind = event.IncidentOfStalls
	var fresh []string
	for _, r := range c.Records {
		if !n.covered(p.Integration, p.Object+"/"+r) {
			fresh = append(fresh, p.Object+"/"+r)
		}
	}
	if len(fresh) == 0 {
		return
	}
	x := n.of(ctx, p, kind, event.Hash("fingerprint", kind, p.Object), c.Due)
	if x == nil {
		return
	}
	if x.I.Title == "" {
		x.I.Title = p.Object + ": changes not even tried in time"
		x.I.Attribution = event.ByUnknown
		x.Predicate = "object = '" + p.Object + "' AND state = '" + c.State + "'"
	}
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

func (n *Incidents) divergences(ctx stream.Ctx, p *event.Partial, c *event.DivergenceCount) {
	where := p.Object + "/"
	suffix := "#" + c.Field + "/" + c.Kind
	if c.State != event.DivergenceConfirmed {
		if c.Was == event.DivergenceConfirmed {
			for _, r := range c.Records {
				n.heal(p.Integration, where+r+suffix, false)
			}
		}
		return
	}
	if c.PreExisting { // counted as drift; nothing broke
		return
	}
	x := (*Case)(nil)
	for _, r := range c.Records {
		if n.covered(p.Integration, where+r) {
			continue // its delivery's incident stands already
		}
		if x == nil {
			x = n.of(ctx, p, event.IncidentOfDivergence, event.Hash("fingerprint", p.Object, c.Field, c.Kind, c.Difference), c.First)
			if x == nil {
				return
			}
		}
		x.wrong(where + r + suffix)
	}
	if x == nil {
		return
	}
	if x.I.Title == "" {
		x.I.Title, x.I.Class = divergenceTitle(p, c), c.Class
		x.I.Attribution = event.ByUnknown
		x.Predicate = "object = '" + p.Object + "' AND field = '" + c.Field + "' AND kind = '" + c.Kind + "' AND state = 'confirmed'"
	}
	x.I.DetectedAt, x.I.LastAt = min(x.I.DetectedAt, ctx.Now), max(x.I.LastAt, ctx.Now)
	x.I.Failures += c.N
	x.again()
}

// of is the case of a fingerprint, made if there is room for it.
func (n *Incidents) of(ctx stream.Ctx, p *event.Partial, kind, fingerprint string, onset event.Time) *Case {
	key := p.Integration + "/" + fingerprint
	if n.cases.Get(key) == nil && n.count(p.Integration) >= maxOpenCases {
		return nil
	}
	c := n.cases.Change(key)
	if c.I.Fingerprint == "" {
		c.I = event.Incident{
			Tenant: p.Tenant, Integration: p.Integration, Object: p.Object, Fingerprint: fingerprint, Kind: kind,
			State: event.IncidentOpen, Priority: event.P2, OnsetAt: max(onset, 1), DetectedAt: max(ctx.Now, onset, 1),
		}
	}
	if c.I.Object != p.Object {
		c.I.Object = ""
	}
	return c
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

func (n *Incidents) count(integration string) (count int) {
	for _, key := range n.cases.Keys() {
		if strings.HasPrefix(key, integration+"/") {
			count++
		}
	}
	return count
}

// covered reports whether a record is part of a case already.
func (n *Incidents) covered(integration, record string) (found bool) {
	for _, key := range n.cases.Keys() {
		if strings.HasPrefix(key, integration+"/") {
			if _, ok := slices.BinarySearch(n.cases.Get(key).Wrong, record); ok {
				return true
			}
		}
	}
	return false
}

// heal takes a record out of every case it is in.
func (n *Incidents) heal(integration, record string, unverified bool) {
	for _, key := range n.cases.Keys() {
		if !strings.HasPrefix(key, integration+"/") {
			continue
		}
		c := n.cases.Get(key)
		_, wrong := slices.BinarySearch(c.Wrong, record)
		_, soft := slices.BinarySearch(c.Soft, record)
		if wrong || soft && !unverified {
			n.cases.Change(key).right(record, unverified)
		}
	}
}
