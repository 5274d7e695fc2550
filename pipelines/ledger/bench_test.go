package ledger

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// passage is what happens to one change: told, acknowledged, seen.
func passage(n int) []*stream.Record {
	id, at := fmt.Sprint(101_000_000+n), event.Time(1_790_000_000_000+n)
	key := event.RecordKey("hs-sf", "contact", id)
	value := event.Value{Text: fmt.Sprintf("person-%d@example.com", n)}
	return []*stream.Record{
		{Key: key, Time: at + 200, Event: &event.Change{
			ID: fmt.Sprint("4000", n), Tenant: "default", Integration: "hs-sf", Side: event.Source, RecordKey: id, Hook: "hubspot-main",
			System: "hubspot", Account: "62515", Object: "contact", RecordID: id, Operation: event.OpUpdate, ChangedAt: at,
			ReceivedAt: at + 200, TimeBasis: event.TimeEvent, Actor: event.Actor{Kind: event.ActorUser, ID: "7105002"},
			Fields: []event.Field{{Name: "email", Value: value}},
		}},
		{Key: key, Time: at + 900, Event: &event.Attempt{
			ID: fmt.Sprint("a", n), Tenant: "default", Integration: "hs-sf", RecordKey: id, OccurredAt: at + 800, ReceivedAt: at + 900,
			System: "salesforce", Object: "contact", Operation: event.OpUpsert, SourceID: id, TargetID: "0035g00000" + id[:8],
			Outcome: event.OutcomeOK, Fields: []event.Field{{Name: "Email", Value: value}},
		}},
		{Key: key, Time: at + 1500, Event: &event.Change{
			ID: fmt.Sprint("e", n), Tenant: "default", Integration: "hs-sf", Side: event.Target, RecordKey: id, System: "salesforce",
			Object: "contact", RecordID: "0035g00000" + id[:8], Operation: event.OpUpdate, ChangedAt: at + 800, ReceivedAt: at + 1500,
			TimeBasis: event.TimeEvent, Actor: event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"},
			Fields: []event.Field{{Name: "Email", Value: value}},
		}},
	}
}

// open folds n changes of n records and saves, as after a commit.
func open(tb testing.TB, n int, emit stream.Emit) *stream.Task {
	task := stream.NewTask(New(integrations(), byStatus), 0)
	var out stream.Out
	for i := range n {
		r := passage(i)[0]
		r.Offset = int64(i)
		task.Process(r, &out)
		if i%5000 == 4999 || i == n-1 {
			_, err := task.Save(emit)
			require.NoError(tb, err)
		}
	}
	return task
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestOpenDeliveryIsSmall bounds what one waiting delivery of a record of its
// own holds: half the budget, because a collector needs the other half.
func TestOpenDeliveryIsSmall(t *testing.T) {
	const n = 50_000
	before := heapBytes()
	task := open(t, n, func(string, []byte) error { return nil })
	each := (heapBytes() - before) / n
	t.Logf("%d bytes of heap for each open delivery", each)
	require.Less(t, each, uint64(512))
	runtime.KeepAlive(task)
}

// BenchmarkPassage is a join: change, attempt, echo, with a save every 15,000 inputs.
func BenchmarkPassage(b *testing.B) {
	task := stream.NewTask(New(integrations(), byStatus), 0)
	var out stream.Out
	var pool [][]*stream.Record
	b.ReportAllocs()
	offset := int64(0)
	for i := 0; b.Loop(); i++ {
		if i%5000 == 0 {
			b.StopTimer()
			_, err := task.Save(func(string, []byte) error { return nil })
			require.NoError(b, err)
			pool = pool[:0]
			for j := range 5000 {
				pool = append(pool, passage(i+j))
			}
			task.Process(&stream.Record{Offset: offset, Event: &event.Tick{At: pool[0][0].Time}}, &out)
			b.StartTimer()
		}
		for _, r := range pool[i%5000] {
			r.Offset = offset
			offset++
			task.Process(r, &out)
		}
	}
}

// BenchmarkRestore loads the state of 100,000 open deliveries.
func BenchmarkRestore(b *testing.B) {
	type entry struct {
		key   string
		value []byte
	}
	var log []entry
	open(b, 100_000, func(key string, value []byte) error {
		log = append(log, entry{key, slices.Clone(value)})
		return nil
	})
	b.ReportAllocs()
	for b.Loop() {
		restore := stream.NewRestore(stream.NewTask(New(integrations(), byStatus), 0))
		for _, e := range log {
			require.NoError(b, restore.Add(e.key, e.value))
		}
		require.NoError(b, restore.Finish(100_000, 95_000))
	}
}
