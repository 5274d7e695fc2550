package ledger

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
)

// reference is the ledger as one would explain it: it keeps everything that
// ever happened to a record and, at every step, tells the whole story again
// from the start. It drops nothing, so what the ledger forgets too early, or
// remembers wrongly through a restart, shows as a difference.
type reference struct {
	l       *Ledger
	history map[string][]moment
}

// moment is one input of a record, or a tick.
type moment struct {
	Now     event.Time
	Version uint64
	Type    event.Type
	Bytes   []byte
}

func newReference() *reference {
	return &reference{
		l:       &Ledger{objects: newMappings(integrations()), enrich: byStatus},
		history: map[string][]moment{},
	}
}

func (r *reference) Step(ctx stream.Ctx, key string, ev event.Event, out *stream.Out) {
	a, isAttempt := ev.(*event.Attempt)
	failed := isAttempt && a.Failed()
	if failed {
		byStatus(a)
	}
	b, err := event.Encode(nil, ev)
	if err != nil {
		panic(err)
	}
	before := r.tell(r.history[key])
	if failed {
		f := folding{ctx: ctx, out: out}
		f.failure(a, before.holdsUp(a))
	}
	r.history[key] = append(r.history[key], moment{ctx.Now, ctx.Version, ev.EventType(), b})
	before.news(r.tell(r.history[key]), key, out)
}

func (r *reference) Tick(ctx stream.Ctx, out *stream.Out) {
	type record struct {
		key    string
		due    event.Time
		before *story
	}
	var all []record
	for key, h := range r.history {
		s := r.tell(h)
		all = append(all, record{key, s.due(), s})
		r.history[key] = append(h, moment{ctx.Now, ctx.Version, event.TypeTick, nil})
	}
	slices.SortFunc(all, func(a, b record) int {
		if a.due != b.due {
			return int(a.due - b.due)
		}
		return slices.Compare([]byte(a.key), []byte(b.key))
	})
	for _, rec := range all {
		rec.before.news(r.tell(r.history[rec.key]), rec.key, out)
	}
}

func (r *reference) Save(emit stream.Emit) error {
	b, err := json.Marshal(r.history)
	if err != nil {
		return err
	}
	return emit("all", b)
}

func (r *reference) Rewrite(int, stream.Emit) (bool, error) { return true, nil }

func (r *reference) Load(_ string, value []byte) error {
	r.history = map[string][]moment{}
	return json.Unmarshal(value, &r.history)
}

// story is a record's whole past, told up to now.
type story struct {
	m          *mapping
	deliveries []*chapter
	recent     []seenOrTried
	targetID   string
	now        event.Time // stream time
	clock      event.Time // or the arrival, where that is ahead
	version    uint64
}

// chapter is one delivery. A field's fate is "": still waited for.
type chapter struct {
	d        event.Delivery
	fields   []Want
	fate     map[string]string
	judgeAt  event.Time
	forgetAt event.Time
	gone     bool
	refused  int
	coerced  bool
	seenAt   event.Time
	basis    string
	within   int64
}

type seenOrTried struct {
	until event.Time
	e     *Evidence
	t     *Try
}

func (r *reference) tell(history []moment) *story {
	s := &story{}
	for _, m := range history {
		s.now, s.clock, s.version = m.Now, m.Now, m.Version
		before := s.copies()
		if m.Type == event.TypeTick {
			s.tick()
		} else {
			ev, err := event.Decode(m.Type, m.Bytes)
			if err != nil {
				panic(err)
			}
			s.happened(r.l, ev)
		}
		for i, c := range s.deliveries {
			if i >= len(before) || before[i] != c.d {
				c.d.UpdatedAt, c.d.Version = s.clock, s.version
			}
		}
	}
	return s
}

func (s *story) copies() []event.Delivery {
	var all []event.Delivery
	for _, c := range s.deliveries {
		all = append(all, c.d)
	}
	return all
}

func (s *story) news(now *story, key string, out *stream.Out) {
	old := s.copies()
	for i, d := range now.copies() {
		switch {
		case i >= len(old):
		case old[i] == d:
			continue
		default:
			d.Was = old[i].State
		}
		out.Emit("plumbline.deliveries", key, &d)
	}
}

func (s *story) due() (due event.Time) {
	for _, c := range s.deliveries {
		at := c.forgetAt
		if waiting(c.d.State) {
			at = c.judgeAt
		}
		if !c.gone && (due == 0 || at < due) {
			due = at
		}
	}
	for _, k := range s.recent {
		if k.until > s.now && (due == 0 || k.until < due) {
			due = k.until
		}
	}
	return due
}

func waiting(state string) bool {
	return state == "observed" || state == "attempted" || state == "acknowledged"
}

func over(state string) bool {
	return state == "applied" || state == "verified" || state == "superseded" || state == "overwritten"
}

func (s *story) tick() {
	for _, c := range s.deliveries {
		switch {
		case waiting(c.d.State) && c.judgeAt <= s.now:
			c.d.State = map[string]string{"observed": "stalled", "attempted": "failed", "acknowledged": "unobserved"}[c.d.State]
			if c.d.State == "unobserved" && c.coerced {
				c.d.State, c.d.Coerced = "not_applied", true
			}
			c.gone = c.forgetAt <= s.now
		case !waiting(c.d.State) && c.forgetAt <= s.now:
			c.gone = true
		}
	}
	s.recent = slices.DeleteFunc(s.recent, func(k seenOrTried) bool { return k.until <= s.now })
	s.forgetTarget()
}

func (s *story) forgetTarget() {
	if len(s.recent) == 0 && !slices.ContainsFunc(s.deliveries, func(c *chapter) bool { return !c.gone }) {
		s.targetID = ""
	}
}

func (s *story) happened(l *Ledger, ev event.Event) {
	switch e := ev.(type) {
	case *event.Change:
		s.clock, s.m = max(s.now, e.ReceivedAt), l.objects[[2]string{e.Integration, e.Object}]
		switch {
		case s.m == nil || e.RecordKey == "":
		case e.Side == event.Target:
			s.seen(echoed(s.m, e))
		case s.m.ours(e.Side, e.Actor) || e.Operation == "associate":
		case e.MergedInto != "" && e.MergedInto != e.RecordID:
			s.mergedAway(e)
		default:
			s.changed(e)
		}
	case *event.Attempt:
		s.clock, s.m = max(s.now, e.ReceivedAt), l.objects[[2]string{e.Integration, e.Object}]
		if s.m != nil && e.RecordKey != "" && e.Granularity != "run" && slices.Contains([]string{"create", "update", "upsert", "delete"}, e.Operation) {
			s.attempted(tryOf(e))
		}
	case *event.Observation:
		s.clock, s.m = max(s.now, e.ReceivedAt), l.objects[[2]string{e.Integration, e.Object}]
		if s.m != nil && e.RecordKey != "" && e.Side == event.Target {
			s.seen(observed(s.m, e))
		}
	}
	s.forgetTarget()
}

func (s *story) changed(e *event.Change) {
	wants := s.m.wants(e)
	if len(wants) == 0 && len(e.Fields) > 0 && e.Operation == "update" {
		return
	}
	c := &chapter{fields: wants, fate: map[string]string{}, d: event.Delivery{
		ID: event.DeliveryID(e.Integration, e.Object, e.RecordKey, e.ID), Tenant: e.Tenant, Integration: e.Integration,
		Object: e.Object, RecordKey: e.RecordKey, SourceID: e.RecordID, TargetID: s.targetID, ChangeID: e.ID,
		Operation: e.Operation, State: "observed", ChangedAt: e.ChangedAt, ReceivedAt: e.ReceivedAt,
		DueAt: s.m.due(e), StartBasis: orEvent(e.TimeBasis), Actor: e.Actor, Series: series(e.Actor),
	}}
	for _, other := range s.deliveries {
		if !other.gone && other.d.ID == c.d.ID {
			return
		}
	}
	c.judgeAt = s.later(c.d.DueAt)
	c.forgetAt = c.judgeAt + healFor
	var newest *chapter
	for _, other := range s.deliveries {
		switch {
		case other.gone:
		case other.d.ChangedAt <= c.d.ChangedAt:
			s.takeOver(other, c)
		case overlap(other, c):
			c.hand(other)
			if newest == nil || other.d.ChangedAt >= newest.d.ChangedAt {
				newest = other
			}
		}
	}
	if newest != nil {
		s.takeOver(c, newest)
	}
	for _, k := range s.recent {
		if k.t != nil {
			s.try(c, k.t)
		} else {
			s.judge(c, k.e)
		}
	}
	s.deliveries = append(s.deliveries, c)
}

func (s *story) later(at event.Time) event.Time {
	if s.clock >= at {
		return s.clock + 3*event.Second
	}
	return at
}

func overlap(newer, older *chapter) bool {
	if newer.d.Operation == "delete" || older.d.Operation == "delete" {
		return true
	}
	return slices.ContainsFunc(older.fields, func(f Want) bool { return newer.has(f.Target) })
}

func (c *chapter) has(target string) bool {
	return slices.ContainsFunc(c.fields, func(f Want) bool { return f.Target == target })
}

// hand gives the fields that a newer delivery wants to it: past, in addition
// to what became of them before.
func (c *chapter) hand(newer *chapter) {
	for _, f := range c.fields {
		if newer.d.Operation == "delete" || newer.has(f.Target) {
			c.fate[f.Target+" past"] = "yes"
		}
	}
}

func (c *chapter) past(target string) bool    { return c.fate[target+" past"] != "" }
func (c *chapter) pending(target string) bool { return c.fate[target] == "" && !c.past(target) }

// together is what the fields say: "" while one is waited for.
func (c *chapter) together() string {
	shown, other := 0, 0
	for _, f := range c.fields {
		switch {
		case c.pending(f.Target):
			return ""
		case c.fate[f.Target] == "shown":
			shown++
		case c.fate[f.Target] == "over":
			other++
		}
	}
	switch {
	case shown > 0:
		return "applied"
	case other > 0:
		return "overwritten"
	}
	return "superseded"
}

func (s *story) takeOver(older, newer *chapter) {
	if !overlap(newer, older) {
		return
	}
	older.hand(newer)
	s.retire(older, newer.d.ID, newer.d.Operation == "delete" || older.d.Operation == "delete")
}

func (s *story) retire(c *chapter, by string, all bool) {
	if over(c.d.State) || c.d.State == "not_applied" {
		return
	}
	switch t := c.together(); {
	case t == "applied":
		s.applied(c)
	case t == "overwritten":
		s.end(c, "overwritten")
	case all || t == "superseded" && len(c.fields) > 0:
		c.d.SupersededBy = by
		s.end(c, "superseded")
	}
}

func (s *story) mergedAway(e *event.Change) {
	for _, c := range s.deliveries {
		if c.gone || c.d.ChangedAt > e.ChangedAt || over(c.d.State) || c.d.State == "not_applied" {
			continue
		}
		for _, f := range c.fields {
			c.fate[f.Target+" past"] = "yes"
		}
		s.retire(c, event.DeliveryID(e.Integration, e.Object, e.MergedInto, e.ID), true)
	}
}

func (s *story) end(c *chapter, state string) {
	c.d.State, c.forgetAt = state, s.clock+s.m.recent
}

func (s *story) applied(c *chapter) {
	if s.targetID != "" {
		c.d.TargetID = s.targetID
	}
	c.d.AppliedAt, c.d.LatencyBasis, c.d.ResolutionMS, c.d.Coerced = c.seenAt, c.basis, c.within, false
	c.d.LatencyMS, c.d.Late = int64(c.seenAt-c.start()), c.seenAt > c.d.DueAt
	s.end(c, "applied")
}

func (c *chapter) start() event.Time {
	if c.d.StartBasis == "received" {
		return c.d.ReceivedAt
	}
	return c.d.ChangedAt
}

func (s *story) remember(k seenOrTried) {
	k.until = s.clock + s.m.recent
	s.recent = append(s.recent, k)
	s.recent = s.recent[max(0, len(s.recent)-maxKept):]
}

func (s *story) seen(e *Evidence) {
	if e.TargetID != "" && !e.Missing {
		s.targetID = e.TargetID
	}
	for _, c := range s.deliveries {
		if !c.gone {
			s.judge(c, e)
		}
	}
	s.remember(seenOrTried{e: e})
}

func (s *story) judge(c *chapter, e *Evidence) {
	if over(c.d.State) {
		s.compare(c, e)
		return
	}
	if e.At+skewBound < c.d.ChangedAt || e.At+skewBound < c.d.FirstAttemptAt {
		return
	}
	acked := c.d.AcknowledgedAt != 0
	proof := acked && !e.Event && e.At >= c.d.DueAt // an answer from after the deadline
	if c.d.Operation == "delete" {
		if e.Missing {
			c.see(e)
			s.applied(c)
		} else if proof {
			c.d.State = "not_applied"
		}
		return
	}
	if e.Missing {
		if proof {
			c.d.State = "not_applied"
		} else if e.Event && acked && e.At > c.d.AcknowledgedAt && s.m.others("target", e.Writer) && c.d.State != "not_applied" {
			s.end(c, "overwritten")
		}
		return
	}
	if len(c.fields) == 0 {
		written := e.Modified != 0 && e.Modified+skewBound >= c.d.ChangedAt
		if op := c.d.Operation; op == "create" || op == "restore" || op == "merge" && e.Merged || op != "merge" && written {
			c.see(e)
			s.applied(c)
		}
		return
	}
	changed := false
	for _, f := range c.fields {
		shown, ok := event.Find(e.Fields, f.Target)
		if !ok || !c.pending(f.Target) {
			continue
		}
		changed = true
		switch {
		case s.m.same(&f, shown):
			c.fate[f.Target] = "shown"
			c.see(e)
		case !acked || e.Modified == 0 || c.d.State == "not_applied":
		case e.Modified+skewBound < c.d.AcknowledgedAt:
			if proof {
				c.d.State = "not_applied"
			}
		case s.m.ours("target", e.Writer):
			if !s.anOlderOneWanted(c, f, shown) {
				c.coerced = true
				if c.d.State == "unobserved" {
					c.d.State, c.d.Coerced = "not_applied", true
				}
			}
		case s.m.others("target", e.Writer) && e.Modified > c.d.AcknowledgedAt && !c.coerced:
			c.fate[f.Target] = "over"
		}
	}
	if changed {
		switch c.together() {
		case "applied":
			s.applied(c)
		case "overwritten":
			s.end(c, "overwritten")
		}
	}
}

func (s *story) anOlderOneWanted(c *chapter, f Want, shown event.Value) bool {
	for _, older := range s.deliveries {
		if older.gone || older == c || older.d.ChangedAt > c.d.ChangedAt {
			continue
		}
		for _, g := range older.fields {
			if g.Target == f.Target && s.m.same(&g, shown) {
				return true
			}
		}
	}
	return false
}

func (c *chapter) see(e *Evidence) {
	at := e.At
	if !e.Event && !e.Missing && e.Modified != 0 && e.Modified <= e.At {
		if at = e.Modified; e.Modified+skewBound < c.d.ChangedAt {
			at = c.start()
		}
	}
	if c.basis == "" || at >= c.seenAt {
		c.seenAt, c.basis, c.within = at, e.Basis, e.Resolution
	}
}

func (s *story) compare(c *chapter, e *Evidence) {
	if c.d.State != "applied" || e.At <= c.d.AppliedAt || e.Event {
		return
	}
	equal := c.d.Operation == "delete" && e.Missing
	if e.Whole && !e.Missing {
		n := 0
		equal = true
		for _, f := range c.fields {
			if c.past(f.Target) || c.fate[f.Target] == "over" {
				continue
			}
			shown, ok := event.Find(e.Fields, f.Target)
			equal = equal && ok && s.m.same(&f, shown)
			n++
		}
		equal = equal && n > 0
	}
	if equal {
		c.d.VerifiedAt = e.At
		s.end(c, "verified")
	}
}

func (s *story) attempted(t *Try) {
	if t.TargetID != "" && !t.Failed {
		s.targetID = t.TargetID
	}
	found := false
	for _, c := range s.deliveries {
		if !c.gone && s.try(c, t) {
			found = true
		}
	}
	if t.ChangeID == "" || !found {
		s.remember(seenOrTried{t: t})
	}
}

func (c *chapter) belongs(t *Try) bool {
	if t.ChangeID != "" {
		return t.ChangeID == c.d.ChangeID
	}
	if c.d.State == "superseded" || c.d.State == "overwritten" {
		return false
	}
	if over(c.d.State) && t.At > c.d.AppliedAt+skewBound {
		return false
	}
	if t.Delete != (c.d.Operation == "delete") || c.d.ChangedAt > t.At+skewBound {
		return false
	}
	if len(c.fields) == 0 {
		return true
	}
	return slices.ContainsFunc(c.fields, func(f Want) bool {
		return !c.past(f.Target) && (len(t.Fields) == 0 || slices.Contains(t.Fields, f.Target))
	})
}

func (s *story) try(c *chapter, t *Try) bool {
	if !c.belongs(t) {
		return false
	}
	c.d.Attempts++
	if c.d.FirstAttemptAt == 0 || t.At < c.d.FirstAttemptAt {
		c.d.FirstAttemptAt = t.At
	}
	if t.TargetID != "" && !over(c.d.State) {
		c.d.TargetID = t.TargetID
	}
	if t.Failed {
		c.refused++
		switch {
		case c.d.State == "stalled":
			c.d.State = "failed"
		case c.d.State != "observed" && c.d.State != "attempted":
		case t.Permanent || t.Other && c.refused >= 3:
			c.d.State = "failed"
		default:
			c.d.State = "attempted"
		}
		return true
	}
	c.refused = 0
	if c.d.AcknowledgedAt == 0 || t.At < c.d.AcknowledgedAt {
		c.d.AcknowledgedAt = t.At
	}
	if !waiting(c.d.State) && c.d.State != "failed" && c.d.State != "stalled" {
		return true
	}
	if c.d.State != "acknowledged" {
		c.judgeAt = s.later(c.judgeAt)
	}
	c.d.State, c.d.LatencyBasis = "acknowledged", "acknowledged"
	c.d.LatencyMS, c.d.Late = int64(c.d.AcknowledgedAt-c.start()), c.d.AcknowledgedAt > c.d.DueAt
	return true
}

// holdsUp is the delivery that a failed attempt is linked to.
func (s *story) holdsUp(a *event.Attempt) string {
	if a.RecordKey == "" || !event.IsWrite(a.Operation) || a.Granularity == event.GranularityRun {
		return ""
	}
	for _, c := range s.deliveries {
		if !c.gone && c.belongs(tryOf(a)) {
			return c.d.ID
		}
	}
	return ""
}

func TestReferencePlaysEveryScenario(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Operator: func(*streamtest.Scenario) (stream.Operator, error) { return newReference(), nil },
		Format:   (*streamtest.Scenario).Changes,
	})
}

// TestLedgerIsTheReference plays random facts on both. At every step both
// must write the same deliveries and failures, to the last bit of each. It goes
// on until every state was reached: a tame generator proves nothing.
func TestLedgerIsTheReference(t *testing.T) {
	reached := map[string]int{}
	for round := 0; round == 0 || len(reached) < len(event.DeliveryStates); round++ {
		require.Less(t, round, 50, "random histories reach only %v", reached)
		rapid.Check(t, func(t *rapid.T) { playBoth(t, reached) })
	}
	t.Log(reached)
}

func playBoth(t *rapid.T, reached map[string]int) {
	g := generator{t: t, now: 1_790_000_000_000}
	led, ref := stream.NewTask(New(integrations(), byStatus), 0), stream.NewTask(newReference(), 0)
	var a, b stream.Out
	received, was := map[string]event.Time{}, map[string]string{}
	for offset := range int64(rapid.IntRange(1, 40).Draw(t, "steps")) {
		rec := g.record()
		rec.Offset = offset
		led.Process(clone(t, rec), &a)
		ref.Process(clone(t, rec), &b)
		require.Equal(t, show(b.List), show(a.List), "at offset %d, after %s", offset, describe(rec))
		for _, o := range a.List {
			d, ok := o.Event.(*event.Delivery)
			if !ok {
				continue
			}
			require.NoError(t, d.Validate())
			require.Equal(t, uint64(offset), d.Version, "the offset of the input")
			if d.Was != "" { // else it opened, maybe again after it was forgotten
				require.Equal(t, was[d.ID], d.Was, "what consumers count is the state last written")
			}
			was[d.ID] = d.State
			if first, ok := received[d.ID]; ok {
				require.Equal(t, first, d.ReceivedAt, "received_at never changes between versions")
			}
			received[d.ID] = d.ReceivedAt
			reached[d.State]++
		}
	}
}

func clone(t *rapid.T, r stream.Record) *stream.Record {
	if _, tick := r.Event.(*event.Tick); tick {
		return &r
	}
	b, err := event.Encode(nil, r.Event)
	require.NoError(t, err)
	r.Event, err = event.Decode(r.Event.EventType(), b)
	require.NoError(t, err)
	return &r
}

func show(list []stream.Output) []string {
	out := []string{}
	for _, o := range list {
		out = append(out, fmt.Sprintf("%s %s %s %+v", o.Topic, o.Key, o.Cause, o.Event))
	}
	return out
}

func describe(r stream.Record) string { return fmt.Sprintf("%s %+v", r.Key, r.Event) }

// generator draws facts of two records that are likely to have to do with
// each other: few fields, few values, times close together.
type generator struct {
	t    *rapid.T
	now  event.Time
	tick event.Time
	n    int
	last *event.Change
}

func (g *generator) record() stream.Record {
	g.n++
	g.now += event.Time(rapid.SampledFrom([]int{0, 500, 500, 1500, 1500, 3000, 20_000, 60_000, 290_000}).Draw(g.t, "pass"))
	kind := rapid.SampledFrom([]string{"change", "change", "attempt", "attempt", "attempt", "echo", "observe", "observe", "tick"}).Draw(g.t, "kind")
	if kind == "tick" {
		if rapid.IntRange(0, 30).Draw(g.t, "long") == 0 {
			g.now += 23 * event.Hour
		}
		g.tick = max(g.tick, g.now)
		return stream.Record{Event: &event.Tick{At: g.tick}, Time: g.tick}
	}
	source := rapid.SampledFrom([]string{"101", "101", "101", "101", "101", "102"}).Draw(g.t, "record")
	integration := rapid.SampledFrom([]string{"hs-sf", "hs-sf", "hs-sf", "hs-sf", "polled"}).Draw(g.t, "integration")
	at := g.now - event.Time(rapid.SampledFrom([]int{0, 0, 0, 0, 500, 1000, 4000, 6000, 40_000, 400_000}).Draw(g.t, "ago"))
	var ev event.Event
	switch kind {
	case "change":
		ev = g.change(integration, source, at)
	case "attempt":
		ev = g.attempt(integration, source, at)
	case "echo":
		ev = &event.Change{
			ID: fmt.Sprint("e", g.n), Tenant: "default", Integration: integration, Side: event.Target, RecordKey: source,
			System: "salesforce", Object: "contact", RecordID: "003" + source, ChangedAt: at, ReceivedAt: g.now,
			Operation: rapid.SampledFrom([]string{"update", "update", "update", "update", "delete", "merge"}).Draw(g.t, "op"),
			Fields:    g.fields(true), Actor: g.writer(),
		}
	case "observe":
		ev = g.observation(integration, source, at)
	}
	return stream.Record{Key: event.RecordKey(integration, "contact", source), Event: ev, Time: g.now}
}

func (g *generator) change(integration, source string, at event.Time) *event.Change {
	if g.last != nil && g.last.Integration == integration && g.last.RecordKey == source && rapid.IntRange(0, 9).Draw(g.t, "again") == 0 {
		return g.last
	}
	c := &event.Change{
		ID: fmt.Sprint("c", g.n), Tenant: "default", Integration: integration,
		Side: event.Source, RecordKey: source, System: "hubspot", Object: "contact", RecordID: source,
		Operation: rapid.SampledFrom([]string{"update", "update", "update", "update", "update", "update", "create", "delete", "restore", "merge"}).Draw(g.t, "op"),
		ChangedAt: at, ReceivedAt: g.now, Fields: g.fields(false),
		TimeBasis: rapid.SampledFrom([]string{"", "event", "received"}).Draw(g.t, "basis"),
		Actor:     rapid.SampledFrom([]event.Actor{{Kind: "user", ID: "7"}, {Kind: "user", ID: "7"}, {Kind: "import", ID: "f"}, {Kind: "integration", ID: "hs-sync"}}).Draw(g.t, "actor"),
	}
	if c.Operation == "merge" && rapid.Bool().Draw(g.t, "away") {
		c.MergedInto = "999"
	}
	g.last = c
	return c
}

func (g *generator) attempt(integration, source string, at event.Time) *event.Attempt {
	a := &event.Attempt{
		ID: fmt.Sprint("a", g.n), Tenant: "default", Integration: integration, RecordKey: source, OccurredAt: at,
		ReceivedAt: g.now, System: "salesforce", Object: "contact", SourceID: source,
		TargetID:  rapid.SampledFrom([]string{"", "003" + source, "00Q" + source}).Draw(g.t, "target"),
		Operation: rapid.SampledFrom([]string{"update", "update", "update", "create", "delete", "read"}).Draw(g.t, "op"),
		Outcome:   rapid.SampledFrom([]string{"ok", "ok", "error"}).Draw(g.t, "outcome"),
		Status:    rapid.SampledFrom([]int{0, 400, 503}).Draw(g.t, "status"),
		Fields:    g.fields(true),
	}
	if rapid.IntRange(0, 2).Draw(g.t, "named") == 0 {
		a.ChangeID = fmt.Sprint("c", rapid.IntRange(1, g.n+1).Draw(g.t, "change"))
	}
	if rapid.IntRange(0, 15).Draw(g.t, "run") == 0 {
		a.Granularity = event.GranularityRun
	}
	return a
}

func (g *generator) observation(integration, source string, at event.Time) *event.Observation {
	o := &event.Observation{
		ID: fmt.Sprint("o", g.n), Tenant: "default", Integration: integration, Side: event.Target, RecordKey: source,
		System: "salesforce", Object: "contact", RecordID: "003" + source, ObservedAt: at, ReceivedAt: g.now,
		FoundBy: rapid.SampledFrom([]string{"poll", "readback", "reconcile", "echo"}).Draw(g.t, "found"),
		Whole:   rapid.Bool().Draw(g.t, "whole"), Missing: rapid.IntRange(0, 5).Draw(g.t, "missing") == 0,
		ResolutionMS: int64(rapid.SampledFrom([]int{0, 60_000}).Draw(g.t, "resolution")), Writer: g.writer(),
	}
	if rapid.IntRange(0, 3).Draw(g.t, "stated") > 0 {
		o.ModifiedAt = at - event.Time(rapid.SampledFrom([]int{-1000, 0, 2000, 30_000, 600_000}).Draw(g.t, "modified"))
	}
	if !o.Missing {
		o.Fields = g.fields(true)
	}
	return o
}

func (g *generator) writer() event.Actor {
	return rapid.SampledFrom([]event.Actor{
		{Kind: "integration", ID: "005SYNC"}, {Kind: "integration", ID: "005SYNC"}, {Kind: "user", ID: "005HUMAN"}, {}, {Kind: "unknown"},
	}).Draw(g.t, "writer")
}

// fields draws up to three fields, sorted by name, of either side.
func (g *generator) fields(target bool) []event.Field {
	names := []string{"email", "phone", "stage", "favourite"}
	if target {
		names = []string{"Email", "Phone", "Stage__c", "Favourite__c"}
	}
	set := rapid.IntRange(0, 15).Draw(g.t, "fields")
	if rapid.Bool().Draw(g.t, "one") {
		set = 1
	}
	var out []event.Field
	for i, name := range names {
		if set&(1<<i) == 0 {
			continue
		}
		v := rapid.SampledFrom([]string{"1", "1", "1", "2", ""}).Draw(g.t, "value")
		out = append(out, event.Field{Name: name, Value: event.Value{Text: v}})
	}
	slices.SortFunc(out, func(a, b event.Field) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}
