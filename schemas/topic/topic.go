// Package topic is the one table of Plumbline's Kafka topics: name, key,
// partitions, retention, compaction, and the ClickHouse tables each one fills.
package topic

import (
	"strconv"

	"plumbline.dev/schemas/event"
)

// Prefix starts every topic name.
const Prefix = "plumbline."

// Topics. Names are contracts.
const (
	Intake          = Prefix + "intake"
	Facts           = Prefix + "facts"
	Partials        = Prefix + "partials"
	Deliveries      = Prefix + "deliveries"
	Failures        = Prefix + "failures"
	Divergences     = Prefix + "divergences"
	Signals         = Prefix + "signals"
	Reconciliations = Prefix + "reconciliations"
	Verdicts        = Prefix + "verdicts"
	Incidents       = Prefix + "incidents"
	KPIs            = Prefix + "kpis"
	Alerts          = Prefix + "alerts"
	AlertStates     = Prefix + "alert-states"
	Checks          = Prefix + "checks"
	AgentStates     = Prefix + "agent-states"
	DeadLetters     = Prefix + "dead-letters"
	Positions       = Prefix + "positions"

	// Changelogs: the state of one stage, partition by partition.
	ResolveState = Prefix + "resolve-state"
	TrackState   = Prefix + "track-state"
	WatchState   = Prefix + "watch-state"
)

// Partitions of a keyed topic: fixed for life, because a key's state lives in
// its partition. Few on the embedded broker, where every partition of a
// transaction costs fsyncs of its own.
const (
	PartitionsEmbedded = 4
	PartitionsReal     = 64
)

// How a topic forgets.
const (
	Delete  = "delete"
	Compact = "compact"
)

// Forever is the retention of a topic whose writer alone lets records go.
const Forever = -1

// Spec is one row of the table.
type Spec struct {
	Name      string
	Key       string // what the record key is, in words
	Cleanup   string // Delete or Compact
	Retention int64  // milliseconds, or Forever; with Compact, the time a superseded value is kept at least
	Public    bool   // others may read it: its name and bytes are contracts
	Tables    []Fill // ClickHouse tables it fills
	Ticked    bool   // the clock appends a tick a second to each partition
}

// Fill says that events of a type become rows of a table.
type Fill struct {
	Type  event.Type
	Table string
}

// All is the table.
var All = []Spec{
	{
		Name: Intake, Key: "native record: system/account/object/id", Cleanup: Delete, Retention: 7 * event.Day,
		Public: true, Ticked: true,
	},
	{
		Name: Facts, Key: "canonical record: integration/object/source id", Cleanup: Delete, Retention: 7 * event.Day,
		Public: true, Ticked: true, Tables: []Fill{
			{event.TypeChange, "changes"}, {event.TypeAttempt, "attempts"}, {event.TypeObservation, "observations"},
		},
	},
	{
		Name: Partials, Key: "tenant", Cleanup: Delete, Retention: 7 * event.Day, Ticked: true,
		Tables: []Fill{{event.TypeAccess, "accesses"}},
	},
	{
		Name: Deliveries, Key: "canonical record", Cleanup: Delete, Retention: 7 * event.Day, Public: true,
		Tables: []Fill{{event.TypeDelivery, "deliveries"}},
	},
	{
		Name: Failures, Key: "canonical record", Cleanup: Delete, Retention: 7 * event.Day, Public: true,
		Tables: []Fill{{event.TypeFailure, "failures"}},
	},
	{
		Name: Divergences, Key: "canonical record", Cleanup: Delete, Retention: 7 * event.Day, Public: true,
		Tables: []Fill{{event.TypeDivergence, "divergences"}},
	},
	{
		Name: Signals, Key: "integration", Cleanup: Delete, Retention: 30 * event.Day, Public: true,
		Tables: []Fill{{event.TypeSignal, "signals"}},
	},
	{
		Name: Reconciliations, Key: "integration", Cleanup: Delete, Retention: 30 * event.Day, Public: true,
		Tables: []Fill{{event.TypeReconciliation, "reconciliations"}},
	},
	{
		Name: Verdicts, Key: "integration, or the provider for one about all of it", Cleanup: Delete, Retention: 30 * event.Day, Public: true,
		Tables: []Fill{{event.TypeVerdict, "verdicts"}, {event.TypeExplanation, "explanations"}},
	},
	{
		Name: Incidents, Key: "integration", Cleanup: Delete, Retention: 30 * event.Day, Public: true,
		Tables: []Fill{{event.TypeIncident, "incidents"}},
	},
	{
		Name: KPIs, Key: "integration", Cleanup: Delete, Retention: 7 * event.Day, Public: true,
		Tables: []Fill{{event.TypeKPIMinute, "kpi_minutes"}, {event.TypeKPIHour, "kpi_hours"}},
	},
	{
		Name: Alerts, Key: "tenant: its alerts are in order, seq has no gap", Cleanup: Delete, Retention: 30 * event.Day, Public: true,
		Tables: []Fill{{event.TypeAlert, "alerts"}},
	},
	// Compacted: whoever reads from offset 0 knows what is wrong now.
	{Name: AlertStates, Key: "alert id", Cleanup: Compact, Retention: event.Hour, Public: true},
	{Name: Checks, Key: "canonical record", Cleanup: Delete, Retention: event.Day},
	// Compacted: whoever reads from offset 0 knows whom to stop.
	{
		Name: AgentStates, Key: "agent: tenant/kind/id", Cleanup: Compact, Retention: event.Hour, Public: true,
		Tables: []Fill{{event.TypeAgentState, "agent_states"}},
	},
	{
		Name: DeadLetters, Key: "origin", Cleanup: Delete, Retention: 7 * event.Day, Public: true,
		Tables: []Fill{{event.TypeDeadLetter, "dead_letters"}},
	},
	// Compacted: where to go on with streams that vendors keep for a while.
	{Name: Positions, Key: "stream: connection/channel", Cleanup: Compact, Retention: event.Hour},
	// State is rewritten by its task and trimmed behind it (docs/adr/0004): a
	// compacting broker would merge transactions, and refuses to trim.
	{Name: ResolveState, Key: "state key", Cleanup: Delete, Retention: Forever},
	{Name: TrackState, Key: "state key", Cleanup: Delete, Retention: Forever},
	{Name: WatchState, Key: "state key", Cleanup: Delete, Retention: Forever},
}

// Find returns the row of a topic.
func Find(name string) (Spec, bool) {
	for _, s := range All {
		if s.Name == name {
			return s, true
		}
	}
	return Spec{}, false
}

// Configs are the broker's settings for the topic. Every one is set: the
// embedded broker deletes and compacts only where it is told to.
func (s Spec) Configs() map[string]string {
	c := map[string]string{
		"cleanup.policy": s.Cleanup, "segment.bytes": strconv.Itoa(64 << 20),
		"segment.ms": strconv.Itoa(event.Hour), "max.message.bytes": strconv.Itoa(8 << 20),
		"message.timestamp.type": "CreateTime",
	}
	ms := strconv.FormatInt(s.Retention, 10)
	if s.Cleanup == Compact {
		c["min.compaction.lag.ms"], c["min.cleanable.dirty.ratio"] = ms, "0.3"
		c["delete.retention.ms"], c["segment.bytes"] = ms, strconv.Itoa(32<<20)
		return c
	}
	c["retention.ms"] = ms
	return c
}
