package match

import (
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// Seen says how a row came to be known.
type Seen struct {
	By         string // event.FoundByPoll, FoundByReadback, FoundByReconcile
	Resolution int64  // milliseconds
	Run        string
	Now        event.Time
}

// Observe is a row as an observation on intake. Peer is the source record
// that a target row is the copy of, where that is known: links learn it.
func (m *Mapping) Observe(row *Row, s Seen, peer string, duplicates []string) bus.Message {
	end := m.Endpoint(row.Side)
	o := &event.Observation{
		Tenant: m.Integration.Tenant, Integration: m.Integration.ID, Side: row.Side, System: end.System, Account: end.Account,
		Object: row.Native, RecordID: row.ID, ObservedAt: row.ReadAt, ReceivedAt: s.Now, ModifiedAt: row.ModifiedAt,
		ResolutionMS: s.Resolution, FoundBy: s.By, Whole: !row.Deleted, Missing: row.Deleted, OutOfScope: row.OutOfScope,
		Writer: row.Writer, Run: s.Run, Duplicates: duplicates,
	}
	if !row.Deleted {
		o.Fields = row.Fields
	}
	if row.Side == event.Target {
		o.ExternalID = peer
	}
	return observation(o)
}

// Absent says that a side does not hold a record. Of a copy that was never
// seen there is no id: Peer is then the source record it should be of.
func (m *Mapping) Absent(side, native, id, peer string, at event.Time, s Seen) bus.Message {
	end := m.Endpoint(side)
	if id == "" {
		id = event.MissingID(peer)
	}
	return observation(&event.Observation{
		Tenant: m.Integration.Tenant, Integration: m.Integration.ID, Side: side, System: end.System, Account: end.Account,
		Object: native, RecordID: id, ObservedAt: at, ReceivedAt: s.Now, ResolutionMS: s.Resolution, FoundBy: s.By,
		Whole: true, Missing: true, Run: s.Run, ExternalID: peerOf(side, peer),
	})
}

func peerOf(side, peer string) string {
	if side == event.Target {
		return peer
	}
	return ""
}

// Orphan is a copy of which the source holds no record: what the target
// shows, and that the source has nothing.
func (m *Mapping) Orphan(row *Row, s Seen) []bus.Message {
	id := event.OrphanID(row.ID)
	return []bus.Message{m.Absent(event.Source, m.Object.Source, id, "", row.ReadAt, s), m.Observe(row, s, id, nil)}
}

func observation(o *event.Observation) bus.Message {
	o.ID = event.Hash("observation", o.Integration, o.Side, o.Object, o.RecordID, o.FoundBy, o.Run,
		strconv.FormatInt(int64(o.ModifiedAt), 10), strconv.FormatInt(int64(o.ObservedAt), 10))
	return bus.Message{
		Topic: topic.Intake, Key: event.NativeKey(o.System, o.Account, o.Object, o.RecordID), Time: o.ReceivedAt, Event: o,
	}
}

// Change is a source row that differs from what was known of it. The same
// modification always makes the same id, so that a poll may overlap.
func (m *Mapping) Change(row *Row, op string, fields []event.Field, s Seen) bus.Message {
	end := m.Endpoint(row.Side)
	c := &event.Change{
		ID:     event.Hash("poll", end.System, end.Account, row.Native, row.ID, strconv.FormatInt(int64(row.ModifiedAt), 10)),
		Tenant: m.Integration.Tenant, Integration: m.Integration.ID, Hook: event.FoundByPoll, System: end.System, Account: end.Account,
		Object: row.Native, RecordID: row.ID, Operation: op, ChangedAt: row.ModifiedAt, ReceivedAt: s.Now, TimeBasis: event.TimeEvent,
		Fields: fields, Actor: row.Writer,
	}
	return bus.Message{
		Topic: topic.Intake, Key: event.NativeKey(c.System, c.Account, c.Object, c.RecordID), Time: s.Now, Event: c,
	}
}

// Link tells where the copy of a source record is. One side's id in the other is
// more than a key that both happen to have.
func (m *Mapping) Link(source, copied *Row, at event.Time) bus.Message {
	end, from := m.Endpoint(event.Target), "key"
	if i, _ := source.Key(); i >= 0 && m.Object.Key[i].ByID() {
		from = "external_id"
	}
	return bus.Message{
		Topic: topic.Intake, Key: event.NativeKey(end.System, end.Account, copied.Native, copied.ID), Time: at,
		Event: &event.Link{
			Tenant: m.Integration.Tenant, Integration: m.Integration.ID, Object: m.Object.Name, SourceID: source.ID, TargetID: copied.ID,
			TargetType: copied.Native, LearnedFrom: from, LearnedAt: at,
		},
	}
}
