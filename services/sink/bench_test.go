package sink_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
	"plumbline.dev/services/sink"
)

// BenchmarkInsert measures rows into the engine, a block of 50,000 each time:
// mapping, encoding, HTTP and the durable INSERT. cpu-ns/row is this process
// only; the engine is another one.
func BenchmarkInsert(b *testing.B) {
	const rows = 50_000
	for table, make := range map[string]func(id string) event.Event{
		"deliveries": func(id string) event.Event { return delivery(id) },
		"changes": func(id string) event.Event {
			return &event.Change{
				ID: id, Integration: "i", System: "hubspot", Object: "contact", RecordID: id, RecordKey: "i/contact/" + id,
				Operation: event.OpUpdate, ChangedAt: noon, ReceivedAt: noon, Fields: []event.Field{
					{Name: "lifecyclestage", Value: event.Value{Text: "customer"}}, {Name: "phone", Value: event.Value{Text: "+1 555 0100"}},
				},
			}
		},
	} {
		b.Run(table, func(b *testing.B) {
			db := warehousetest.New(b)
			block := warehouse.Block{Table: warehouse.FindTable(table), Rows: nil}
			n := 0
			cpu := cpuTime()
			for b.Loop() {
				b.StopTimer()
				block.Rows = block.Rows[:0]
				block.QueryID = fmt.Sprint("bench", n)
				block.Token = block.QueryID
				for range rows {
					n++
					block.Rows = append(block.Rows, warehouse.Row{Topic: topic.Facts, Epoch: "e", Offset: int64(n), Event: make(fmt.Sprint(n))})
				}
				b.StartTimer()
				if err := db.Insert(b.Context(), block); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(cpuTime()-cpu)/float64(n), "cpu-ns/row")
		})
	}
}

// BenchmarkDrain measures a topic that waits, from a broker in this process to
// rows in the engine, which is another one.
func BenchmarkDrain(b *testing.B) {
	const records = 200_000
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		for i := 0; i < records; i += 1000 {
			batch := make([]event.Event, 1000)
			for j := range batch {
				batch[j] = attempt(i + j)
			}
			w.produce(topic.Facts, batch...)
		}
		b.StartTimer()
		s := w.start(func(o *sink.Options) { o.FlushInterval = 0 })
		w.settled(topic.Facts)
		b.StopTimer()
		if err := s.stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func attempt(i int) *event.Attempt {
	id := fmt.Sprint(i)
	return &event.Attempt{
		ID: id, Tenant: "t", Integration: "i", RecordKey: "i/contact/" + id, Sender: "sync-worker", OccurredAt: noon, ReceivedAt: noon,
		System: "salesforce", Object: "contact", Operation: event.OpUpdate, SourceID: id, TargetID: "003" + id, ChangeID: "c" + id,
		Try: 1, Status: 200, DurationMS: 120, Outcome: event.OutcomeOK, Actor: event.Actor{Kind: "integration", ID: "connector"},
		Fields: []event.Field{
			{Name: "lifecyclestage", Value: event.Value{Text: "customer"}}, {Name: "phone", Value: event.Value{Text: "+1 555 0100"}},
		},
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
