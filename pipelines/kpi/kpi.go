package kpi

import (
	"strconv"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const (
	// settle is how long after its end a minute is told and judged: what track
	// counted in its last second has arrived by then.
	settle = 5 * event.Second
	// keepHours of minutes serve windows of a day; what is corrected later
	// than that changes the views, and no alert.
	keepHours = 26
	// baselineSpan is how far back hours are compared with.
	baselineSpan = 28 * event.Day
)

// KPI implements stream.Operator.
type KPI struct {
	*stream.Parts
	minutes      *stream.Table[Open, *Open] // additions to minutes
	wholes       *stream.Table[Open, *Open] // the same, to hours
	hours        *stream.Table[Hour, *Hour]
	standing     *stream.Table[Standing, *Standing]
	compared     *stream.Table[Compared, *Compared] // by integration/object
	drifted      *stream.Table[Shard, *Shard]       // by integration/object/shard
	held         *stream.Table[Held, *Held]         // by integration/day
	integrations map[string]*config.Integration
}

// New makes the operator of one partition of partials.
func New(integrations []config.Integration) *KPI {
	k := &KPI{
		minutes: stream.NewTable[Open](), wholes: stream.NewTable[Open](), hours: stream.NewTable[Hour](),
		standing: stream.NewTable[Standing](), compared: stream.NewTable[Compared](), drifted: stream.NewTable[Shard](),
		held: stream.NewTable[Held](), integrations: map[string]*config.Integration{},
	}
	for i := range integrations {
		k.integrations[integrations[i].ID] = &integrations[i]
	}
	k.Parts = stream.NewParts(stream.Part{Name: "m", State: k.minutes}, stream.Part{Name: "w", State: k.wholes},
		stream.Part{Name: "h", State: k.hours}, stream.Part{Name: "s", State: k.standing}, stream.Part{Name: "c", State: k.compared},
		stream.Part{Name: "d", State: k.drifted}, stream.Part{Name: "e", State: k.held})
	return k
}

// Step implements stream.Operator.
func (k *KPI) Step(ctx stream.Ctx, _ string, ev event.Event, _ *stream.Out) {
	switch e := ev.(type) {
	case *event.Partial:
		k.partial(ctx, e)
	case *event.Incident:
		k.incident(ctx, e)
	case *event.Pulse:
		k.pulse(ctx, e)
	case *event.Reconciliation:
		k.comparison(ctx, e)
	case *event.Signal:
		k.schema(ctx, e)
	}
}

// pulse makes a tenant's integrations known before anything happens in them.
func (k *KPI) pulse(ctx stream.Ctx, p *event.Pulse) {
	for id, in := range k.integrations {
		if in.TenantOrDefault() == p.Tenant && k.standing.Get(id) == nil {
			s := k.standing.Change(id)
			s.Tenant, s.Since = p.Tenant, max(ctx.Now, 1)
		}
	}
}

func (k *KPI) partial(ctx stream.Ctx, p *event.Partial) {
	if k.standing.Get(p.Integration) == nil {
		s := k.standing.Change(p.Integration)
		s.Tenant, s.Since = p.Tenant, max(ctx.Now, 1)
	}
	for i := range p.Attempts {
		k.attempts(ctx, p, &p.Attempts[i])
	}
	for i := range p.Failures {
		k.failures(ctx, p, &p.Failures[i])
	}
	for i := range p.Deliveries {
		k.deliveries(ctx, p, &p.Deliveries[i])
	}
	for i := range p.Latencies {
		k.latencies(ctx, p, &p.Latencies[i])
	}
	for i := range p.Tries {
		k.tries(p, &p.Tries[i])
	}
	for i := range p.Divergences {
		c := &p.Divergences[i]
		b := k.to(p, "", c.Minute)
		b.add("divergences/"+c.Kind+"/"+c.State, c.N)
		if c.PreExisting && c.State == event.DivergenceConfirmed {
			b.add("pre_existing", c.N)
		}
		k.differ(p, c)
	}
}

func (k *KPI) attempts(ctx stream.Ctx, p *event.Partial, c *event.AttemptCount) {
	series := ""
	if c.Granularity == event.GranularityRun {
		series = event.GranularityRun
	}
	k.to(p, series, c.Minute).add("attempts/"+c.Operation+"/"+c.Outcome, c.N)
	m := k.minute(ctx, p, c.Minute)
	if m == nil || c.Granularity == event.GranularityRun || !event.IsWrite(c.Operation) {
		return
	}
	m.Ended += c.N
	if c.Outcome == event.OutcomeOK {
		m.OK += c.N
	}
}

func (k *KPI) failures(ctx stream.Ctx, p *event.Partial, c *event.FailureCount) {
	b := k.to(p, "", c.Minute)
	if c.Collateral {
		b.add("collateral", c.N)
		return
	}
	b.add("failures/"+c.Class+"/"+c.Attribution, c.N)
	m := k.minute(ctx, p, c.Minute)
	if m != nil {
		m.Failures += c.N
		if c.Class == event.ClassOther {
			m.Other += c.N
		}
	}
	if c.Origin != event.OriginError || !event.IsWrite(c.Operation) {
		return
	}
	b.add("write_failures/"+c.Class+"/"+p.Provider+"/"+p.Token, c.N)
	name := func(record string) {
		b.failed(hashed(p.Object, record))
		if m != nil {
			m.Failed = within(m.Failed, p.Object+"/"+record)
		}
	}
	for _, r := range c.Records {
		name(r)
	}
	for n := range min(c.Unlinked, maxFailed) { // each is a record nobody can name
		name("unlinked/" + c.Fingerprint + "/" + strconv.FormatInt(n, 10))
	}
}

func (k *KPI) deliveries(ctx stream.Ctx, p *event.Partial, c *event.DeliveryCount) {
	b := k.to(p, c.Series, c.Due)
	if c.Was != "" { // applied and verified are late alike
		b.add("deliveries/"+c.Was+late(c.Was, c.Late), -c.N)
	}
	b.add("deliveries/"+c.State+late(c.State, c.Late), c.N)
	if n := change(missedNow(c.State, c.Late), missedNow(c.Was, c.Late)); n != 0 {
		for _, r := range c.Records {
			b.missed(hashed(p.Object, r), n)
		}
	}
	k.hold(p, c)
	if c.Series != "" {
		return
	}
	if n := change(waits(c.State), waits(c.Was)) * c.N; n != 0 {
		k.standing.Change(p.Integration).Waiting += n
	}
	if m := k.minute(ctx, p, c.Due); m != nil {
		m.transition(c)
	}
}

// missedNow reports whether a delivery is a miss whose record is named.
func missedNow(state string, late bool) bool { return event.Trouble(state) || late && arrived(state) }

func late(state string, late bool) string {
	if late && arrived(state) {
		return "/late"
	}
	return ""
}

func change(is, was bool) int64 {
	switch {
	case is && !was:
		return 1
	case was && !is:
		return -1
	}
	return 0
}

func (k *KPI) latencies(ctx stream.Ctx, p *event.Partial, c *event.LatencyCount) {
	b := k.to(p, c.Series, c.Due)
	b.add("latency/"+c.Basis+"/"+strconv.Itoa(c.Bucket), c.N)
	if c.OnTime {
		b.add("on_time/"+c.Basis, c.N)
	}
	if c.Within > 0 {
		b.add("within/"+c.Basis+"/"+strconv.FormatInt(c.Within, 10), c.N)
	}
	if c.Series != "" {
		return
	}
	if m := k.minute(ctx, p, c.Due); m != nil {
		m.measure(c)
	}
}

func (k *KPI) tries(p *event.Partial, c *event.TryCount) {
	b := k.to(p, c.Series, c.Due)
	b.add("start/received", c.Received)
	b.add("tries/changes", c.Tried)
	b.add("tries/attempts", c.Tries)
	b.add("tries/first_ok", c.First)
}

func (k *KPI) incident(_ stream.Ctx, i *event.Incident) {
	p := &event.Partial{Tenant: i.Tenant, Integration: i.Integration, Object: i.Object}
	switch {
	case i.Was == "":
		k.to(p, "", floor(i.DetectedAt, event.Minute)).add("incidents/opened", 1)
	case i.State == event.IncidentResolved && i.Was != event.IncidentResolved:
		k.to(p, "", floor(i.ResolvedAt, event.Minute)).add("incidents/resolved", 1)
	}
}

// minute is the rules' entry, nil where it is too old for any of them.
func (k *KPI) minute(ctx stream.Ctx, p *event.Partial, at event.Time) *Minute {
	hour := floor(at, event.Hour)
	if ctx.Now > 0 && (hour+keepHours*event.Hour <= ctx.Now || at > ctx.Now+2*event.Day) {
		return nil
	}
	return k.hours.Change(hourKey(p.Integration, hour)).at(at)
}

// Tick implements stream.Operator.
func (k *KPI) Tick(ctx stream.Ctx, out *stream.Out) {
	end := floor(ctx.Now-settle, event.Minute)
	if k.due(end) {
		k.tell(ctx, end, out)
		k.judge(ctx, end, out)
	}
}

// due reports whether a minute ended that nobody judged yet.
func (k *KPI) due(end event.Time) bool {
	for _, id := range k.standing.Keys() {
		if k.standing.Get(id).Judged < end {
			return true
		}
	}
	return false
}

func hourKey(integration string, hour event.Time) string { return integration + "/" + stamp(hour) }

// stamp writes a time so that its text sorts as it does.
func stamp(t event.Time) string {
	s := strconv.FormatInt(int64(t), 10)
	return "0000000000000000"[:max(0, 16-len(s))] + s
}

func floor(t, unit event.Time) event.Time { return t - t%unit }
