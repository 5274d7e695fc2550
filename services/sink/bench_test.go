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

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
