package tally

import (
	"cmp"
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// change counts the fields that somebody changed: what may come to differ.
// People count as one, machines by name. The sync's own writes are no changes.
func (t *Tally) change(ctx stream.Ctx, c *event.Change) {
	if c.RecordKey == "" || c.Actor.Kind == event.ActorIntegration {
		return
	}
	p := t.at(ctx, cell{tenant: c.Tenant, integration: c.Integration, object: c.Object, actor: c.Actor.Crowd()})
	m := minute(c.ChangedAt)
	addChange(p, m, "")
	for i := range c.Fields {
		field := c.Fields[i].Name
		if s := t.names[name{c.Integration, c.Object, field}]; c.Side == event.Target && s != "" {
			field = s
		}
		addChange(p, m, field)
	}
}

func addChange(p *event.Partial, m event.Time, field string) {
	i := slices.IndexFunc(p.Changes, func(x event.ChangeCount) bool { return x.Field == field && x.Minute == m })
	if i < 0 {
		i, p.Changes = len(p.Changes), append(p.Changes, event.ChangeCount{Minute: m, Field: field})
	}
	p.Changes[i].N++
}

// attempt counts a try, or the records of a run report.
func (t *Tally) attempt(ctx stream.Ctx, a *event.Attempt) {
	p := t.at(ctx, cell{a.Tenant, a.Integration, a.Object, a.System, a.Token, a.Actor})
	c := event.AttemptCount{
		Minute: minute(a.OccurredAt), Operation: a.Operation, Outcome: a.Outcome, First: a.Try <= 1 && a.RetryOf == "",
		Collateral: a.Failed() && a.Verdict != nil && a.Verdict.Collateral,
	}
	if a.Granularity != event.GranularityRun {
		addAttempts(p, c, 1)
		return
	}
	c.Granularity, c.Collateral = event.GranularityRun, false
	c.Outcome = event.OutcomeOK
	addAttempts(p, c, a.RecordsOK)
	c.Outcome = event.OutcomeError
	addAttempts(p, c, a.RecordsFailed)
}

func addAttempts(p *event.Partial, c event.AttemptCount, n int64) {
	if n == 0 {
		return
	}
	i := slices.IndexFunc(p.Attempts, func(x event.AttemptCount) bool { x.N = 0; return x == c })
	if i < 0 {
		i, p.Attempts = len(p.Attempts), append(p.Attempts, c)
	}
	p.Attempts[i].N += n
}

// failure counts under the first one's words; all of a fingerprint read alike.
func (t *Tally) failure(ctx stream.Ctx, f *event.Failure) {
	p := t.at(ctx, cell{f.Tenant, f.Integration, f.Object, f.Provider, f.Token, f.Actor})
	v := &f.Verdict
	m := minute(f.OccurredAt)
	i := slices.IndexFunc(p.Failures, func(x event.FailureCount) bool {
		return x.Fingerprint == v.Fingerprint && x.Minute == m && x.Class == v.Class && x.Origin == f.Origin &&
			x.Operation == f.Operation && x.Recoverability == v.Recoverability && x.Attribution == v.Attribution &&
			x.Collateral == v.Collateral
	})
	if i < 0 {
		i, p.Failures = len(p.Failures), append(p.Failures, event.FailureCount{
			Minute: m, Fingerprint: v.Fingerprint, Class: v.Class, Recoverability: v.Recoverability,
			Attribution: v.Attribution, Confidence: v.Confidence, Origin: f.Origin, Rule: v.Rule, Operation: f.Operation,
			Status: f.Status, Code: f.Code, Message: clip(f.Message), Evidence: clip(v.Evidence), FirstStep: v.FirstStep,
			Collateral: v.Collateral, First: f.OccurredAt, Last: f.OccurredAt,
		})
	}
	c := &p.Failures[i]
	c.N++
	c.First, c.Last = min(c.First, f.OccurredAt), max(c.Last, f.OccurredAt)
	if f.RecordKey == "" {
		c.Unlinked++
		return
	}
	c.Records = with(c.Records, f.RecordKey)
	if f.DeliveryID == "" {
		c.Loose = with(c.Loose, f.RecordKey)
	}
}

// delivery counts a transition, and the measurement that comes or goes with it.
func (t *Tally) delivery(ctx stream.Ctx, d *event.Delivery) {
	t.tries(ctx, d)
	if d.Was == d.State {
		return
	}
	p := t.at(ctx, cell{tenant: d.Tenant, integration: d.Integration, object: d.Object})
	due := minute(d.DueAt)
	i := slices.IndexFunc(p.Deliveries, func(x event.DeliveryCount) bool {
		return x.Due == due && x.Was == d.Was && x.State == d.State && x.Series == d.Series && x.Late == d.Late
	})
	if i < 0 {
		i, p.Deliveries = len(p.Deliveries), append(p.Deliveries, event.DeliveryCount{
			Due: due, Was: d.Was, State: d.State, Series: d.Series, Late: d.Late, Oldest: d.ChangedAt,
		})
	}
	c := &p.Deliveries[i]
	c.N++
	c.Oldest, c.Settled = min(c.Oldest, d.ChangedAt), max(c.Settled, settled(d))
	overdue := d.DueAt != 0 && d.AcknowledgedAt > d.DueAt // it was stalled before
	if event.Trouble(d.Was) || event.Trouble(d.State) || d.Late || d.Attempts > 1 || overdue {
		c.Records = with(c.Records, d.RecordKey)
	}
	t.measure(p, d)
}

// settled is when a delivery came to its state: by the target's own time where
// the value was seen, else when that was known.
func settled(d *event.Delivery) event.Time {
	if delivered(d.State) && d.AppliedAt != 0 {
		return d.AppliedAt
	}
	return d.UpdatedAt
}

// tries counts what this version adds to the attempts of the one before.
func (t *Tally) tries(ctx stream.Ctx, d *event.Delivery) {
	c := event.TryCount{Due: minute(d.DueAt), Series: d.Series, Tries: int64(d.Attempts - d.WasAttempts)}
	if d.Was == "" && d.StartBasis == event.TimeReceived {
		c.Received = 1
	}
	c.Tried = step(d.Attempts > 0, d.WasAttempts > 0)
	c.First = step(d.Attempts == 1 && d.AcknowledgedAt > 0, d.WasAttempts == 1 && d.WasAcked)
	if c.Received == 0 && c.Tried == 0 && c.Tries == 0 && c.First == 0 {
		return
	}
	p := t.at(ctx, cell{tenant: d.Tenant, integration: d.Integration, object: d.Object})
	i := slices.IndexFunc(p.Tries, func(x event.TryCount) bool { return x.Due == c.Due && x.Series == c.Series })
	if i < 0 {
		p.Tries = append(p.Tries, c)
		return
	}
	sum := &p.Tries[i]
	sum.Received += c.Received
	sum.Tried += c.Tried
	sum.Tries += c.Tries
	sum.First += c.First
}

func step(is, was bool) int64 {
	switch {
	case is && !was:
		return 1
	case was && !is:
		return -1
	}
	return 0
}

// measure adds the latencies a delivery has in its state, beyond those it had
// in the state before, or takes them back.
func (t *Tally) measure(p *event.Partial, d *event.Delivery) {
	start := d.ChangedAt
	if d.StartBasis == event.TimeReceived {
		start = d.ReceivedAt
	}
	if delivered(d.State) && !delivered(d.Was) {
		t.latency(p, d, d.LatencyBasis, d.LatencyMS, 1)
	}
	if d.AcknowledgedAt == 0 {
		return
	}
	switch was, is := measured(d.Was), measured(d.State); {
	case is && !was:
		t.latency(p, d, event.BasisAcknowledged, int64(d.AcknowledgedAt-start), 1)
	case was && !is:
		t.latency(p, d, event.BasisAcknowledged, int64(d.AcknowledgedAt-start), -1)
	}
}

func delivered(state string) bool { return state == event.StateApplied || state == event.StateVerified }

// measured reports whether an acknowledgement counts as an arrival.
func measured(state string) bool {
	return delivered(state) || state == event.StateAcknowledged || state == event.StateUnobserved
}

func (t *Tally) latency(p *event.Partial, d *event.Delivery, basis string, ms int64, n int64) {
	if basis == "" {
		return
	}
	c := event.LatencyCount{
		Due: minute(d.DueAt), Basis: basis, Series: d.Series, Bucket: event.LatencyBucket(ms), OnTime: ms < t.targets[d.Integration],
	}
	if basis != event.BasisAcknowledged {
		c.Within = (d.ResolutionMS + 999) / 1000 * 1000
	}
	i := slices.IndexFunc(p.Latencies, func(x event.LatencyCount) bool { x.N = 0; return x == c })
	if i < 0 {
		i, p.Latencies = len(p.Latencies), append(p.Latencies, c)
	}
	p.Latencies[i].N += n
}

func (t *Tally) divergence(ctx stream.Ctx, d *event.Divergence) {
	if d.Was == d.State {
		return
	}
	p := t.at(ctx, cell{tenant: d.Tenant, integration: d.Integration, object: d.Object})
	m, began, by := minute(d.UpdatedAt), minute(d.Began()), d.By().Crowd()
	i := slices.IndexFunc(p.Divergences, func(x event.DivergenceCount) bool {
		return x.Minute == m && x.Field == d.Field && x.Kind == d.Kind && x.Difference == d.Difference && x.Class == d.Class &&
			x.Was == d.Was && x.State == d.State && x.PreExisting == d.PreExisting && x.Began == began && x.By == by &&
			x.Refused == d.RefusedField && x.RefusedAs == d.RefusedClass && x.Made == d.MadeAt
	})
	if i < 0 {
		i, p.Divergences = len(p.Divergences), append(p.Divergences, event.DivergenceCount{
			Minute: m, Field: d.Field, Kind: d.Kind, Difference: d.Difference, Class: d.Class, Was: d.Was, State: d.State,
			PreExisting: d.PreExisting, First: d.FirstSeenAt, Began: began, By: by, Refused: d.RefusedField, RefusedAs: d.RefusedClass, Made: d.MadeAt,
		})
	}
	c := &p.Divergences[i]
	c.N++
	c.First, c.Settled = min(c.First, d.FirstSeenAt), max(c.Settled, cmp.Or(d.ResolvedAt, d.UpdatedAt))
	c.Records = with(c.Records, d.RecordKey)
	if v := d.SourceValue; v.Kind == event.KindText && v.Text != "" && len(v.Text) <= maxShown {
		vote(c, v.Text)
	}
}

// maxShown bounds a value that is told: longer ones are no picklist's.
const maxShown = 60

// vote keeps the value that outnumbers the others together (Boyer and Moore's
// majority vote): ValueN is by how many.
func vote(c *event.DivergenceCount, value string) {
	switch {
	case c.ValueN == 0:
		c.Value, c.ValueN = value, 1
	case c.Value == value:
		c.ValueN++
	default:
		c.ValueN--
	}
}

func with(list []string, key string) []string {
	if slices.Contains(list, key) {
		return list
	}
	return append(list, key)
}

func minute(t event.Time) event.Time { return t - t%event.Minute }

// clip keeps words short: they are evidence, the failure has them whole.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
