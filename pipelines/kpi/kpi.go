package kpi

import (
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
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
	open         *stream.Table[Open, *Open]
	hours        *stream.Table[Hour, *Hour]
	standing     *stream.Table[Standing, *Standing]
	integrations map[string]*config.Integration
}

// New makes the operator of one partition of partials.
func New(integrations []config.Integration) *KPI {
	k := &KPI{
		open: stream.NewTable[Open](), hours: stream.NewTable[Hour](), standing: stream.NewTable[Standing](),
		integrations: map[string]*config.Integration{},
	}
	for i := range integrations {
		k.integrations[integrations[i].ID] = &integrations[i]
	}
	k.Parts = stream.NewParts(stream.Part{Name: "m", State: k.open}, stream.Part{Name: "h", State: k.hours},
		stream.Part{Name: "s", State: k.standing})
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
	for i := range p.Divergences {
		c := &p.Divergences[i]
		k.add(p, c.Minute, "divergences/"+c.Kind+"/"+c.State, c.N)
		if c.PreExisting && c.State == event.DivergenceConfirmed {
			k.add(p, c.Minute, "pre_existing", c.N)
		}
	}
}

func (k *KPI) attempts(ctx stream.Ctx, p *event.Partial, c *event.AttemptCount) {
	family := "attempts/"
	if c.Granularity == event.GranularityRun {
		family = "runs/"
	}
	k.add(p, c.Minute, family+c.Operation+"/"+c.Outcome, c.N)
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
	if c.Collateral {
		k.add(p, c.Minute, "collateral", c.N)
		return
	}
	k.add(p, c.Minute, "failures/"+c.Class+"/"+c.Attribution, c.N)
	m := k.minute(ctx, p, c.Minute)
	if m == nil || c.Origin != event.OriginError || !event.IsWrite(c.Operation) {
		return
	}
	for _, r := range c.Records {
		m.Failed = within(m.Failed, p.Object+"/"+r)
	}
	for n := range min(c.Unlinked, maxFailed) { // each is a record nobody can name
		m.Failed = within(m.Failed, p.Object+"/unlinked/"+c.Fingerprint+"/"+strconv.FormatInt(n, 10))
	}
}

func (k *KPI) deliveries(ctx stream.Ctx, p *event.Partial, c *event.DeliveryCount) {
	family := "deliveries/"
	if c.Series != "" {
		family = c.Series + "s/"
	}
	late := ""
	if c.Late && arrived(c.State) {
		late = "/late"
	}
	if c.Was != "" { // applied and verified are late alike
		k.add(p, c.Due, family+c.Was+lateOf(c.Was, c.Late), -c.N)
	}
	k.add(p, c.Due, family+c.State+late, c.N)
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

func lateOf(state string, late bool) string {
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
	if c.Series != "" {
		return
	}
	k.add(p, c.Due, "latency/"+c.Basis+"/"+strconv.Itoa(c.Bucket), c.N)
	if c.OnTime {
		k.add(p, c.Due, "on_time/"+c.Basis, c.N)
	}
	if m := k.minute(ctx, p, c.Due); m != nil {
		m.measure(c)
	}
}

func (k *KPI) incident(_ stream.Ctx, i *event.Incident) {
	p := &event.Partial{Tenant: i.Tenant, Integration: i.Integration, Object: i.Object}
	switch {
	case i.Was == "":
		k.add(p, floor(i.DetectedAt, event.Minute), "incidents/opened", 1)
	case i.State == event.IncidentResolved && i.Was != event.IncidentResolved:
		k.add(p, floor(i.ResolvedAt, event.Minute), "incidents/resolved", 1)
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

// add counts into the addition of a minute.
func (k *KPI) add(p *event.Partial, at event.Time, name string, n int64) {
	o := k.open.Change(p.Integration + "/" + stamp(at) + "/" + p.Object)
	o.Tenant = p.Tenant
	i, ok := slices.BinarySearchFunc(o.Counts, name, func(c event.Count, s string) int { return strings.Compare(c.Name, s) })
	if !ok {
		o.Counts = slices.Insert(o.Counts, i, event.Count{Name: name})
	}
	if o.Counts[i].N += n; o.Counts[i].N == 0 {
		o.Counts = slices.Delete(o.Counts, i, i+1)
	}
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

// tell emits what was added to minutes that are over.
func (k *KPI) tell(ctx stream.Ctx, end event.Time, out *stream.Out) {
	for _, key := range slices.Clone(k.open.Keys()) {
		part := strings.SplitN(key, "/", 3)
		ms, _ := strconv.ParseInt(part[1], 10, 64)
		if event.Time(ms) >= end && event.Time(ms) < end+event.Day {
			continue // under way, or due later
		}
		o := k.open.Get(key)
		if len(o.Counts) > 0 {
			out.Emit(topic.KPIs, part[0], &event.KPIMinute{
				ID:     event.Hash("kpi_minute", key, strconv.FormatInt(int64(ctx.Now), 10)),
				Tenant: o.Tenant, Integration: part[0], Object: part[2], Minute: event.Time(ms), Counts: o.Counts,
				UpdatedAt: ctx.Now, Version: ctx.Version,
			})
		}
		k.open.Delete(key)
	}
}

func hourKey(integration string, hour event.Time) string { return integration + "/" + stamp(hour) }

// stamp writes a time so that its text sorts as it does.
func stamp(t event.Time) string {
	s := strconv.FormatInt(int64(t), 10)
	return "0000000000000000"[:max(0, 16-len(s))] + s
}

func floor(t, unit event.Time) event.Time { return t - t%unit }
