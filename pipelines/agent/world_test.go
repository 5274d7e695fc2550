package agent

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// world drives both operators as track and watch would, and counts.
type world struct {
	t        *testing.T
	tally    *stream.Task
	watch    *stream.Task
	now      event.Time
	offsets  [2]int64
	states   []*event.AgentState // what was told, newest last
	trips    []*event.AgentState
	writes   int // of agents
	untilHit int // writes when the first trip was told
	out      stream.Out
	serial   int
}

var enricher = event.Actor{Kind: event.ActorAgent, ID: "enricher", Run: "r1"}

func newWorld(t *testing.T, agents ...config.Agent) *world {
	return &world{
		t: t, now: 1_767_225_600_000, // 2026-01-01, a Thursday
		tally: stream.NewTask(NewTally(), 0), watch: stream.NewTask(NewWatch(agents), 0),
	}
}

func (w *world) fact(ev event.Event, key string) {
	w.tally.Process(&stream.Record{Topic: "plumbline.facts", Offset: w.next(0), Time: w.now, Key: key, Event: ev}, &w.out)
}

func (w *world) next(i int) int64 {
	w.offsets[i]++
	return w.offsets[i]
}

// partial is what watch reads beside the activities.
func (w *world) partial(ev event.Event) {
	w.watch.Process(&stream.Record{Topic: "plumbline.partials", Offset: w.next(1), Time: w.now, Key: "t1", Event: ev}, &w.out)
	for i := range w.out.List {
		s := w.out.List[i].Event.(*event.AgentState)
		require.NoError(w.t, s.Validate())
		w.states = append(w.states, s)
		if s.State == event.AgentTripped && s.UpdatedAt == s.Since {
			w.trips = append(w.trips, s)
			if len(w.trips) == 1 {
				w.untilHit = w.writes
			}
		}
	}
}

// pass lets time go by, a tick each second of the first two, then one at the end.
func (w *world) pass(ms event.Time) {
	end := w.now + ms
	for _, at := range []event.Time{w.now + event.Second, end} {
		if at > end || at <= w.now && at != end {
			continue
		}
		w.now = at
		w.fact(&event.Tick{At: at}, "")
		told := append([]stream.Output(nil), w.out.List...)
		w.partial(&event.Tick{At: at})
		for i := range told {
			w.partial(told[i].Event)
		}
	}
}

// write is one change of a record by an actor.
func (w *world) write(by event.Actor, record int, op string, fields ...string) {
	w.serial++
	c := &event.Change{
		ID: fmt.Sprint(w.serial), Tenant: "t1", Integration: "hs-sf", Side: event.Source, System: "hubspot", Object: "contact",
		RecordKey: fmt.Sprint(record), RecordID: fmt.Sprint(record), Operation: op, ChangedAt: w.now, ReceivedAt: w.now, Actor: by,
	}
	for i := 0; i+1 < len(fields); i += 2 {
		c.Fields = append(c.Fields, event.Field{Name: fields[i], Value: event.Value{Text: fields[i+1]}})
	}
	if by.Kind == event.ActorAgent {
		w.writes++
	}
	w.fact(c, event.RecordKey(c.Integration, c.Object, c.RecordKey))
}

func (w *world) rules() []string {
	var out []string
	for _, s := range w.trips {
		out = append(out, s.Rule)
	}
	return out
}
