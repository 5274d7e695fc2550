package ledger

import (
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

var silentChanges = flag.Int("silent.changes", 60_000, "changes of the silent failure test")

// TestEverySilentFailureIsFound plays a sync that says ok to everything, drops
// one write in a thousand and stores another value for one in a thousand.
// Every one that nothing newer replaced is confirmed; nothing else ever is.
func TestEverySilentFailureIsFound(t *testing.T) {
	w := newSilentWorld(t)
	for w.made < *silentChanges {
		w.second(40)
	}
	for range 30 * 60 { // let everything fall due
		w.second(0)
	}
	wrong := 0
	for id, r := range w.records {
		for field := range r.source {
			name := event.DivergenceID("hs-sf", "contact", id, sourceNames[field], event.ValueMismatch)
			stale := event.DivergenceID("hs-sf", "contact", id, sourceNames[field], event.Stale)
			found := w.open[name] || w.open[stale]
			require.Equal(t, r.source[field] != r.target[field], found, "record %s field %d: %v, %v", id, field, r.source, r.target)
			if found {
				wrong++
			}
		}
	}
	t.Logf("%d changes, %d dropped, %d coerced, %d confirmed in all, %d still wrong, %d checks, at most %s to confirm",
		w.made, w.dropped, w.coerced, w.confirmed, wrong, w.asked, w.slowest.Std().Format("04:05"))
	require.Positive(t, wrong)
	require.Less(t, w.slowest, event.Time(6*event.Minute))
}

var sourceNames, targetNames = [2]string{"email", "phone"}, [2]string{"Email", "Phone"}

// silentRecord is the truth of one record.
type silentRecord struct {
	source, target [2]int
	moved          event.Time // when the target's record last changed
	underway       [2]int
	since          [2]event.Time // when the sync last wrote the field, as it thinks
}

type silentWorld struct {
	t       *testing.T
	rng     *rand.Rand
	task    *stream.Task
	out     stream.Out
	now     event.Time
	offset  int64
	later   queue
	records map[string]*silentRecord
	open    map[string]bool

	made, dropped, coerced, confirmed, planned, asked int
	slowest                                           event.Time
}

// later is something that will happen.
type later struct {
	at event.Time
	n  int
	do func(at event.Time)
}

// queue holds what will happen, the next first; of one moment, what was planned first.
type queue []later

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(later)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func newSilentWorld(t *testing.T) *silentWorld {
	return &silentWorld{
		t: t, rng: rand.New(rand.NewPCG(1, 2)), task: stream.NewTask(New(integrations(), byStatus), 0), now: 1_790_000_000_000,
		records: map[string]*silentRecord{}, open: map[string]bool{},
	}
}

func (w *silentWorld) second(changes int) {
	for range changes {
		w.change(w.now + event.Time(w.rng.IntN(1000)))
	}
	w.now += event.Second
	for len(w.later) > 0 && w.later[0].at < w.now {
		next := heap.Pop(&w.later).(later)
		next.do(next.at)
	}
	w.fold("", &event.Tick{At: w.now}, w.now)
}

func (w *silentWorld) change(at event.Time) {
	w.made++
	id, field, value := fmt.Sprint(w.rng.IntN(*silentChanges)), w.rng.IntN(2), w.made
	r := w.records[id]
	if r == nil {
		r = &silentRecord{}
		w.records[id] = r
	}
	change := &event.Change{
		ID: fmt.Sprint("c", w.made), Tenant: "default", Integration: "hs-sf", Side: event.Source, RecordKey: id, System: "hubspot",
		Object: "contact", RecordID: id, Operation: event.OpUpdate, ChangedAt: at, ReceivedAt: at + 200, Actor: event.Actor{Kind: "user", ID: "7"},
		Fields: []event.Field{{Name: sourceNames[field], Value: event.Value{Text: fmt.Sprint(value)}}},
	}
	w.after(at, func(event.Time) {
		r.source[field] = value
		r.underway[field]++
	})
	w.after(at+200, func(now event.Time) { w.fact(id, change, now) })
	w.after(at+event.Time(500+w.rng.IntN(3000)), func(now event.Time) { w.write(id, r, field, value, change.ID, now) })
}

// write is the sync's own write, and what follows from it.
func (w *silentWorld) write(id string, r *silentRecord, field, value int, changeID string, at event.Time) {
	r.underway[field]--
	stored := value
	switch w.rng.IntN(1000) {
	case 0:
		w.dropped, stored = w.dropped+1, r.target[field]
	case 1:
		w.coerced, stored = w.coerced+1, value+5_000_000
	}
	if r.source[field] != value { // an older write that comes late would be refused
		stored = r.target[field]
	}
	ack := &event.Attempt{
		ID: "a" + changeID, Tenant: "default", Integration: "hs-sf", RecordKey: id, OccurredAt: at, ReceivedAt: at + 100,
		System: "salesforce", Object: "contact", Operation: event.OpUpdate, SourceID: id, TargetID: "003" + id, Outcome: event.OutcomeOK,
		ChangeID: changeID, Fields: []event.Field{{Name: targetNames[field], Value: event.Value{Text: fmt.Sprint(value)}}},
	}
	w.after(at+100, func(now event.Time) { w.fact(id, ack, now) })
	if stored != r.target[field] {
		r.target[field], r.moved = stored, at
		echo := &event.Change{
			ID: "e" + changeID, Tenant: "default", Integration: "hs-sf", Side: event.Target, RecordKey: id, System: "salesforce",
			Object: "contact", RecordID: "003" + id, Operation: event.OpUpdate, ChangedAt: at, ReceivedAt: at + 900,
			Actor:  event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"},
			Fields: []event.Field{{Name: targetNames[field], Value: event.Value{Text: fmt.Sprint(stored)}}},
		}
		w.after(at+event.Time(300+w.rng.IntN(2000)), func(now event.Time) { w.fact(id, echo, now) })
	}
	if r.source[field] == value { // the newest change's write decides when it became wrong
		r.since[field] = at
	}
}

func (w *silentWorld) after(at event.Time, do func(event.Time)) {
	w.planned++
	heap.Push(&w.later, later{at, w.planned, do})
}

func (w *silentWorld) fact(id string, ev event.Event, at event.Time) {
	w.fold(event.RecordKey("hs-sf", "contact", id), ev, at)
}

func (w *silentWorld) fold(key string, ev event.Event, at event.Time) {
	w.task.Process(&stream.Record{Offset: w.offset, Key: key, Time: at, Event: ev}, &w.out)
	w.offset++
	for _, o := range w.out.List {
		switch e := o.Event.(type) {
		case *event.Check:
			w.after(at+event.Time(1000+w.rng.IntN(5000)), func(now event.Time) { w.answer(e, now) })
		case *event.Divergence:
			w.divergence(e, at)
		}
	}
}

// divergence holds what the ledger says against the truth.
func (w *silentWorld) divergence(d *event.Divergence, at event.Time) {
	w.open[d.ID] = d.State == event.DivergenceConfirmed
	if d.State != event.DivergenceConfirmed || d.Was == event.DivergenceConfirmed {
		return
	}
	w.confirmed++
	r, field := w.records[d.RecordKey], slices.Index(sourceNames[:], d.Field)
	require.NotEqual(w.t, r.source[field], r.target[field], "wrongly confirmed: %+v", d)
	w.slowest = max(w.slowest, at-r.since[field])
}

// answer is the reader's: what the target holds, and the source where both are asked.
func (w *silentWorld) answer(c *event.Check, at event.Time) {
	r := w.records[c.RecordKey]
	w.asked++
	if c.Side == "" {
		w.fact(c.RecordKey, &event.Observation{
			ID: fmt.Sprint("o", w.offset), Tenant: "default", Integration: "hs-sf", Side: event.Source, RecordKey: c.RecordKey,
			System: "hubspot", Object: "contact", RecordID: c.RecordKey, ObservedAt: at, ReceivedAt: at,
			FoundBy: event.FoundByReadback, Whole: true,
			Fields: []event.Field{
				{Name: "email", Value: event.Value{Text: fmt.Sprint(r.source[0])}},
				{Name: "phone", Value: event.Value{Text: fmt.Sprint(r.source[1])}},
			},
		}, at)
	}
	w.fact(c.RecordKey, &event.Observation{
		ID: fmt.Sprint("o", w.offset), Tenant: "default", Integration: "hs-sf", Side: event.Target, RecordKey: c.RecordKey,
		System: "salesforce", Object: "contact", RecordID: "003" + c.RecordKey, ObservedAt: at, ReceivedAt: at, ModifiedAt: r.moved,
		FoundBy: event.FoundByReadback, Writer: event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"}, Whole: true,
		Fields: []event.Field{
			{Name: "Email", Value: event.Value{Text: fmt.Sprint(r.target[0])}},
			{Name: "Phone", Value: event.Value{Text: fmt.Sprint(r.target[1])}},
		},
	}, at)
}
