package process

import (
	"bytes"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// BenchmarkTrack is the track stage without a broker: a change and, 5,000
// changes later, its echo, from bytes to bytes, saved every 10,000 facts.
func BenchmarkTrack(b *testing.B) {
	in := benchIntegrations()
	task := stream.NewTask(track(StageOptions{Integrations: in}), 0)
	const trail, every = 5000, 10_000
	var pool [][]byte
	var out stream.Out
	var written, saved, outputs, entries int
	var buf []byte
	save := func(key string, value []byte) error {
		saved += len(key) + len(value)
		entries++
		return nil
	}
	fold := func(offset int64, typ event.Type, key string, raw []byte) {
		ev, err := event.DecodeShared(typ, bytes.Clone(raw))
		require.NoError(b, err)
		task.Process(&stream.Record{Topic: topic.Facts, Offset: offset, Key: key, Event: ev, Cause: topic.Cause{Topic: topic.Intake, Offset: offset}}, &out)
		for i := range out.List {
			buf, err = event.Encode(buf[:0], out.List[i].Event)
			require.NoError(b, err)
			written += len(buf)
		}
		outputs += len(out.List)
	}
	b.ReportAllocs()
	var spent, from time.Duration
	offset, n := int64(0), 0
	for ; b.Loop(); n++ {
		if n%(every/2) == 0 {
			b.StopTimer()
			if n > 0 {
				spent += cpuTime() - from
			}
			pool = pool[:0]
			for j := range every / 2 {
				pool = append(pool, benchFact(b, n+j, event.Source), benchFact(b, max(n+j-trail, 0), event.Target))
			}
			from = cpuTime()
			b.StartTimer()
			_, err := task.Save(save)
			require.NoError(b, err)
			raw, err := event.Encode(nil, &event.Tick{At: benchTime(n)})
			require.NoError(b, err)
			fold(offset, event.TypeTick, "", raw)
			offset++
		}
		at := n % (every / 2) * 2
		fold(offset, event.TypeChange, event.RecordKey("hubspot-salesforce", "contact", benchKey(n)), pool[at])
		fold(offset+1, event.TypeChange, event.RecordKey("hubspot-salesforce", "contact", benchKey(max(n-trail, 0))), pool[at+1])
		offset += 2
	}
	spent += cpuTime() - from
	b.ReportMetric(float64(spent.Nanoseconds())/float64(n), "cpu-ns/op") // on a machine that others use too
	b.ReportMetric(float64(written)/float64(n), "B-written/op")
	b.ReportMetric(float64(outputs)/float64(n), "outputs/op")
	b.ReportMetric(float64(saved)/float64(n), "B-saved/op")
	b.ReportMetric(float64(entries)/float64(n), "saved/op")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchTime(n int) event.Time { return event.Time(1_790_000_000_000 + n/4) }

func benchKey(n int) string { return strconv.Itoa(100_000_000 + n) }

func benchFact(b *testing.B, n int, side string) []byte {
	key := benchKey(n)
	c := &event.Change{
		ID: "c" + key, Tenant: "default", Integration: "hubspot-salesforce", Side: side, RecordKey: key, Hook: "hubspot-main",
		System: "hubspot", Account: "62515", Object: "contact", RecordID: key, Operation: event.OpUpdate,
		ChangedAt: benchTime(n), ReceivedAt: benchTime(n) + 200, TimeBasis: event.TimeEvent,
		Actor: event.Actor{Kind: event.ActorUser, ID: "7"},
	}
	names := [3]string{"email", "lifecyclestage", "phone"}
	if side == event.Target {
		names = [3]string{"Email", "Lifecycle__c", "Phone"}
		c.ID, c.Hook, c.System, c.Account, c.RecordID = "e"+key, "salesforce-main", "salesforce", "00D000000000001EAA", "003"+key
		c.ChangedAt, c.ReceivedAt = benchTime(n+5000), benchTime(n+5000)+300
		c.Actor = event.Actor{Kind: event.ActorIntegration, ID: "sync"}
	}
	for i, v := range []string{"person-" + key + "@example.com", "customer", "+1202555" + key} {
		c.Fields = append(c.Fields, event.Field{Name: names[i], Value: event.Value{Text: v}})
	}
	raw, err := event.Encode(nil, c)
	require.NoError(b, err)
	return raw
}

func benchIntegrations() []config.Integration {
	return []config.Integration{{
		ID: "hubspot-salesforce", Tenant: "default",
		Source: config.Endpoint{System: "hubspot", Account: "62515"},
		Target: config.Endpoint{System: "salesforce", Account: "00D000000000001EAA"},
		Objects: []config.Object{{
			Name: "contact", Source: "contact", Target: config.List[string]{"Contact"},
			Fields: []config.FieldMap{
				{Source: "email", Target: "Email", Compare: "email"},
				{Source: "lifecyclestage", Target: "Lifecycle__c"},
				{Source: "phone", Target: "Phone", Compare: "phone"},
			},
		}},
	}}
}
