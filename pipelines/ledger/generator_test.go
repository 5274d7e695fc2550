package ledger

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// generator draws facts of two records that are likely to have to do with
// each other: few fields, few values, times close together.
type generator struct {
	t      *rapid.T
	now    event.Time
	tick   event.Time
	n      int
	last   *event.Change
	differ []*event.Divergence // told so far, where the test says so: what people decide about
}

func (g *generator) record() stream.Record {
	g.n++
	g.now += event.Time(rapid.SampledFrom([]int{0, 500, 500, 1500, 1500, 3000, 20_000, 60_000, 290_000}).Draw(g.t, "pass"))
	kind := rapid.SampledFrom([]string{"change", "change", "attempt", "attempt", "attempt", "echo", "observe", "observe", "tick", "other"}).Draw(g.t, "kind")
	if kind == "tick" {
		if rapid.IntRange(0, 30).Draw(g.t, "long") == 0 {
			g.now += 23 * event.Hour
		}
		g.tick = max(g.tick, g.now)
		return stream.Record{Event: &event.Tick{At: g.tick}, Time: g.tick}
	}
	source := rapid.SampledFrom([]string{"101", "101", "101", "101", "101", "102"}).Draw(g.t, "record")
	integration := rapid.SampledFrom([]string{"hs-sf", "hs-sf", "hs-sf", "hs-sf", "polled", "two-way", "two-way", "one-way", "hs-wh"}).Draw(g.t, "integration")
	at := g.now - event.Time(rapid.SampledFrom([]int{0, 0, 0, 0, 500, 1000, 4000, 6000, 40_000, 400_000}).Draw(g.t, "ago"))
	if kind == "other" {
		return g.other(integration, source, at)
	}
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
		Operation: rapid.SampledFrom([]string{"update", "update", "update", "update", "update", "update", "create", "delete", "restore", "merge", "associate"}).Draw(g.t, "op"),
		ChangedAt: at, ReceivedAt: g.now, Fields: g.fields(false),
		TimeBasis: rapid.SampledFrom([]string{"", "event", "received"}).Draw(g.t, "basis"),
		Actor:     rapid.SampledFrom([]event.Actor{{Kind: "user", ID: "7"}, {Kind: "user", ID: "7"}, {Kind: "import", ID: "f"}, {Kind: "integration", ID: "hs-sync"}}).Draw(g.t, "actor"),
	}
	if c.Operation == "merge" && rapid.Bool().Draw(g.t, "away") {
		c.MergedInto = "999"
	}
	if c.Operation == "associate" {
		c.Fields, c.Relation, c.RelatedID, c.Removed = nil, "company", "900", rapid.Bool().Draw(g.t, "removed")
	}
	g.last = c
	return c
}

func (g *generator) attempt(integration, source string, at event.Time) *event.Attempt {
	a := &event.Attempt{
		ID: fmt.Sprint("a", g.n), Tenant: "default", Integration: integration, RecordKey: source, OccurredAt: at,
		ReceivedAt: g.now, System: rapid.SampledFrom([]string{"salesforce", "salesforce", "hubspot"}).Draw(g.t, "system"),
		Object: "contact", SourceID: source,
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
	if rapid.IntRange(0, 3).Draw(g.t, "side") == 0 {
		o.Side, o.System, o.RecordID = event.Source, "hubspot", source
	}
	o.OutOfScope = rapid.IntRange(0, 40).Draw(g.t, "out") == 0
	if o.FoundBy == event.FoundByReconcile && rapid.IntRange(0, 5).Draw(g.t, "twins") == 0 {
		o.Duplicates = g.twins(o)
	}
	if rapid.IntRange(0, 15).Draw(g.t, "twin itself") == 0 && o.Side == event.Target {
		o.RecordID += "x"
	}
	if !o.Missing {
		o.Fields = g.fields(o.Side == event.Target)
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
	names := []string{"email", "phone", "stage", "company"}
	if target {
		names = []string{"Email", "Phone", "Stage__c", "AccountId"}
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

func (g *generator) twins(o *event.Observation) (out []string) {
	for _, id := range []string{o.RecordID + "x", o.RecordID + "y"} {
		if rapid.Bool().Draw(g.t, "twin") {
			out = append(out, id)
		}
	}
	return out
}

// other is what comes seldom: a person's decision, a link, a record of the target
// that nobody links.
func (g *generator) other(integration, source string, at event.Time) stream.Record {
	r := stream.Record{Key: event.RecordKey(integration, "contact", source), Time: g.now}
	switch rapid.SampledFrom([]string{"click", "click", "click", "link", "orphan"}).Draw(g.t, "other") {
	case "click":
		r.Key, r.Event = g.click(r.Key)
	case "link":
		l := &event.Link{
			Tenant: "default", Integration: integration, Object: "contact", SourceID: source, TargetID: "003" + source,
			LearnedFrom: "key", LearnedAt: g.now,
		}
		switch rapid.SampledFrom([]string{"is", "claims", "claims", "merged"}).Draw(g.t, "said") {
		case "claims":
			l.Rival = "003" + source + "x"
		case "merged":
			l.TargetID, l.MovedTo = "", "999"
		}
		r.Event = l
	case "orphan":
		id := "003o" + source
		o := g.observation(integration, "", at)
		o.Side, o.System, o.RecordID, o.RecordKey, o.OutOfScope, o.Duplicates = event.Target, "salesforce", id, "", false, nil
		r.Key, r.Event = event.RecordKey(integration, "contact", event.OrphanID(id)), o
	}
	return r
}

func (g *generator) click(key string) (string, event.Event) {
	c := &event.Click{
		ID: fmt.Sprint("k", g.n), Tenant: "default", By: "ann", Reason: "as agreed", At: g.now, ReceivedAt: g.now,
		Kind: rapid.SampledFrom([]string{event.ClickAccept, event.ClickAccept, event.ClickReopen, event.ClickRecheck}).Draw(g.t, "click"),
	}
	if until := rapid.SampledFrom([]int{-1, 0, 30_000, 600_000}).Draw(g.t, "until"); until != 0 {
		c.Until = g.now + event.Time(until)
	}
	if len(g.differ) == 0 {
		c.Subject = "nothing that anybody knows"
		return key, c
	}
	d := rapid.SampledFrom(g.differ[max(0, len(g.differ)-3):]).Draw(g.t, "about")
	record := d.RecordKey
	if d.Kind == event.Duplicate {
		record = d.SourceID
	}
	c.Integration, c.Object, c.RecordKey, c.Subject = d.Integration, d.Object, record, d.ID
	return event.RecordKey(d.Integration, d.Object, record), c
}
