package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// facts writes changes and the echoes that trail them to the topic that both
// programs read, with a tick for every half second of stream time.
type facts struct {
	cl    *kgo.Client
	start event.Time
	step  int // changes and echoes so far: the stream's time
	seq   int64
	err   error
}

// perSecond is how many changes a second of stream time holds.
const perSecond = 4000

func newFacts(brokers string) (*facts, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerLinger(5*time.Millisecond), kgo.RecordPartitioner(byKey{}))
	return &facts{cl: cl, start: event.At(time.Now())}, err
}

// changes writes changes from..to, and after each the echo of the one that is
// trail older, if it is one of echoes from..to.
func (f *facts) changes(from, to, trail, echoes int) error {
	for i := from; i < to; i++ {
		f.change(i)
		if i-trail >= echoes {
			f.echo(i - trail)
		}
		if f.step++; f.step%(perSecond/2) == 0 {
			f.tick()
		}
	}
	f.tick()
	if err := f.cl.Flush(context.Background()); err != nil {
		return err
	}
	return f.err
}

func (f *facts) now() event.Time {
	return f.start + event.Time(f.step*1000/perSecond)
}

func values(i int, email, stage, phone string) []event.Field {
	n := strconv.Itoa(i)
	return []event.Field{
		{Name: email, Value: event.Value{Text: "person-" + n + "@example.com"}},
		{Name: stage, Value: event.Value{Text: "customer"}},
		{Name: phone, Value: event.Value{Text: "+1202555" + n}},
	}
}

func (f *facts) change(i int) {
	key := record(i)
	f.write(key, &event.Change{
		ID: "c" + key, Tenant: "default", Integration: integration(i), Side: event.Source, RecordKey: key, Hook: "hubspot-main",
		System: "hubspot", Account: "62515", Object: "contact", RecordID: key, Operation: event.OpUpdate,
		ChangedAt: f.now(), ReceivedAt: f.now() + 200, TimeBasis: event.TimeEvent, Fields: values(i, "email", "lifecyclestage", "phone"),
		Actor: event.Actor{Kind: event.ActorUser, ID: "7"},
	})
}

func (f *facts) echo(i int) {
	key := record(i)
	f.write(key, &event.Change{
		ID: "e" + key, Tenant: "default", Integration: integration(i), Side: event.Target, RecordKey: key, Hook: "salesforce-main",
		System: "salesforce", Account: "00D000000000001EAA", Object: "contact", RecordID: "003" + key, Operation: event.OpUpdate,
		ChangedAt: f.now(), ReceivedAt: f.now() + 300, TimeBasis: event.TimeEvent, Fields: values(i, "Email", "Lifecycle__c", "Phone"),
		Actor: event.Actor{Kind: event.ActorIntegration, ID: "sync"},
	})
}

func integration(i int) string { return "hubspot-salesforce-" + strconv.Itoa(i%*many) }

func record(i int) string { return strconv.Itoa(100_000_000 + i) }

func (f *facts) write(key string, c *event.Change) {
	raw, err := event.Encode(nil, c)
	if err != nil {
		f.err = err
		return
	}
	f.produce(&kgo.Record{Key: []byte(event.RecordKey(c.Integration, c.Object, key)), Value: raw, Headers: headers(event.TypeChange, f.seq)})
}

func (f *facts) tick() {
	raw, err := event.Encode(nil, &event.Tick{At: f.now()})
	if err != nil {
		f.err = err
		return
	}
	for p := range int32(*partitions) {
		f.produce(&kgo.Record{Partition: p, Value: raw, Headers: headers(event.TypeTick, f.seq)})
	}
}

func headers(t event.Type, n int64) []kgo.RecordHeader {
	cause := topic.Cause{Topic: topic.Intake, Offset: n}
	return []kgo.RecordHeader{
		{Key: topic.HeaderType, Value: []byte(t)},
		{Key: topic.HeaderSchema, Value: []byte("1")},
		{Key: topic.HeaderConfig, Value: []byte("6d1f0c7b9a3e5d42")},
		{Key: topic.HeaderCause, Value: cause.Append(nil)},
	}
}

func (f *facts) produce(r *kgo.Record) {
	r.Topic = topic.Facts
	f.seq++
	f.cl.Produce(context.Background(), r, func(_ *kgo.Record, err error) {
		if err != nil {
			panic(fmt.Sprintf("write facts: %v", err)) // the measurement is void
		}
	})
}

// byKey sends a record to its key's partition, and a tick to the one it names.
type byKey struct{}

func (byKey) ForTopic(t string) kgo.TopicPartitioner {
	return keyOrNamed{kgo.StickyKeyPartitioner(nil).ForTopic(t)}
}

type keyOrNamed struct{ kgo.TopicPartitioner }

func (k keyOrNamed) Partition(r *kgo.Record, n int) int {
	if r.Key == nil {
		return int(r.Partition)
	}
	return k.TopicPartitioner.Partition(r, n)
}
