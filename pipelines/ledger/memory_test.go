package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// What a system says of the record is not taken for its word about a field.
func TestWhoWroteAField(t *testing.T) {
	sync, human := event.Actor{Kind: "integration", ID: "005SYNC"}, event.Actor{Kind: "user", ID: "005HUMAN"}
	field := func(v string) []event.Field { return []event.Field{{Name: "Email", Value: event.Value{Text: v}}} }
	told := func(at event.Time, by event.Actor, fields []event.Field) *Evidence {
		return &Evidence{At: at, Modified: at, Event: true, Writer: by, Fields: fields}
	}
	poll := func(at, modified event.Time, by event.Actor, v string) *Evidence {
		return &Evidence{At: at, Modified: modified, Writer: by, Fields: field(v)}
	}
	all := func(string) bool { return true }
	for _, c := range []struct {
		name string
		seen []*Evidence // the last one is asked about
		want lastWrite
	}{
		{"nothing but a poll", []*Evidence{poll(50_000, 40_000, sync, "a")}, lastWrite{at: 40_000, by: sync, guess: true}},
		{"its own event", []*Evidence{told(40_000, human, field("a")), poll(50_000, 45_000, sync, "a")}, lastWrite{at: 40_000, by: human}},
		{"an event of another field", []*Evidence{told(45_000, sync, nil), poll(50_000, 45_000, sync, "a")}, lastWrite{still: true}},
		{"the event comes after the poll", []*Evidence{poll(50_000, 45_000, sync, "a"), told(45_000, sync, nil), poll(60_000, 45_000, sync, "a")}, lastWrite{still: true}},
		{"a write nobody told of", []*Evidence{told(30_000, sync, nil), poll(50_000, 45_000, human, "a")}, lastWrite{at: 45_000, by: human, guess: true}},
		{"the value changed between two polls", []*Evidence{poll(30_000, 20_000, sync, "a"), poll(50_000, 45_000, human, "b")}, lastWrite{at: 45_000, by: human}},
		{"the value stayed, the record was written", []*Evidence{poll(30_000, 20_000, sync, "a"), poll(50_000, 45_000, human, "a")}, lastWrite{at: 20_000, by: sync, guess: true}},
		{"an older look", []*Evidence{told(40_000, human, field("b")), poll(30_000, 20_000, sync, "a")}, lastWrite{at: 20_000, by: sync, guess: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m Memory
			for _, e := range c.seen {
				m.learn(e, all)
			}
			e := c.seen[len(c.seen)-1]
			require.Equal(t, c.want, m.wrote(e, "Email", e.Fields[0].Value))
		})
	}
}
