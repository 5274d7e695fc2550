package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// jsonTopic holds the same events in the format that the Kafka engine reads.
const jsonTopic = "bench-attempts-json"

// fill writes the events to both topics, the same keys to the same partitions.
func (w *world) fill(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.kafka), kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return err
	}
	defer cl.Close()
	if w.filled == 0 {
		if err := create(ctx, cl); err != nil {
			return err
		}
	}
	start := event.At(time.Now().Add(-time.Hour))
	for i := range *events {
		a := attempt(w.filled**events+i, start+event.Time(i/1000))
		raw, err := event.Encode(nil, a)
		if err != nil {
			return err
		}
		line, err := json.Marshal(row(a))
		if err != nil {
			return err
		}
		cause := topic.Cause{Topic: topic.Intake, Offset: int64(i)}
		produce(ctx, cl, &kgo.Record{Topic: topic.Facts, Key: []byte(a.RecordKey), Value: raw, Headers: []kgo.RecordHeader{
			{Key: topic.HeaderType, Value: []byte(event.TypeAttempt)},
			{Key: topic.HeaderSchema, Value: []byte("1")},
			{Key: topic.HeaderConfig, Value: []byte("6d1f0c7b9a3e5d42")},
			{Key: topic.HeaderCause, Value: cause.Append(nil)},
		}})
		produce(ctx, cl, &kgo.Record{Topic: jsonTopic, Key: []byte(a.RecordKey), Value: line})
	}
	w.filled++
	return cl.Flush(ctx)
}

func produce(ctx context.Context, cl *kgo.Client, r *kgo.Record) {
	cl.Produce(ctx, r, func(_ *kgo.Record, err error) {
		if err != nil {
			panic(err)
		}
	})
}

func create(ctx context.Context, cl *kgo.Client) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = jsonTopic, topic.PartitionsEmbedded, 1
	req.Topics = append(req.Topics, t)
	_, err := req.RequestWith(ctx, cl)
	return err
}

// attempt is what a sync worker reports: one in fifty fails.
func attempt(i int, at event.Time) *event.Attempt {
	id := fmt.Sprintf("%08x-worker-1", i)
	a := &event.Attempt{
		ID: id, Tenant: "default", Integration: "hubspot-salesforce", RecordKey: fmt.Sprintf("hubspot-salesforce/contact/%d", 1000+i/3),
		Sender: "sync-worker", OccurredAt: at, ReceivedAt: at + 150, System: "salesforce", Object: "contact",
		Operation: event.OpUpdate, SourceID: fmt.Sprint(1000 + i/3), TargetID: fmt.Sprintf("003%015d", i/3), ChangeID: fmt.Sprintf("c%d", i),
		CallID: fmt.Sprintf("call-%d", i/200), Try: 1, Status: 200, DurationMS: int64(120 + i%97), Outcome: event.OutcomeOK,
		Actor: event.Actor{Kind: "integration", ID: "hubspot-connector"}, Token: "tok_sf_main",
		Fields: []event.Field{
			{Name: "lifecyclestage", Value: event.Value{Text: "customer"}},
			{Name: "phone", Value: event.Value{Kind: event.KindHash, Text: fmt.Sprintf("%064x", i), Mask: "+1 *** **00", Len: 12}},
		},
	}
	if i%50 == 0 {
		a.Outcome, a.Status, a.Code = event.OutcomeError, 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION"
		a.Message = "Close date must be in the future"
	}
	return a
}

// row is the event with the table's column names.
func row(a *event.Attempt) map[string]any {
	fields := map[string]string{}
	for _, f := range a.Fields {
		fields[f.Name] = f.Value.Show()
	}
	return map[string]any{
		"id": a.ID, "tenant": a.Tenant, "integration": a.Integration, "record_key": a.RecordKey, "sender": a.Sender,
		"occurred_at": a.OccurredAt.Std().Format("2006-01-02 15:04:05.000"), "received_at": a.ReceivedAt.Std().Format("2006-01-02 15:04:05.000"),
		"system": a.System, "object": a.Object, "operation": a.Operation, "source_id": a.SourceID, "target_id": a.TargetID,
		"change_id": a.ChangeID, "call_id": a.CallID, "try": a.Try, "status": a.Status, "code": a.Code, "message": a.Message,
		"granularity": "record", "duration_ms": a.DurationMS, "outcome": a.Outcome, "actor_kind": a.Actor.Kind, "actor_id": a.Actor.ID,
		"token": a.Token, "fields": fields,
	}
}
