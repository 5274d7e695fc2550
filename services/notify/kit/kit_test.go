package kit_test

import (
	"context"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	ekafka "plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
	"plumbline.dev/services/notify/kit"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

func topics() []ekafka.TopicSpec {
	var out []ekafka.TopicSpec
	for _, name := range []string{topic.Alerts, topic.AlertStates} {
		spec, _ := topic.Find(name)
		out = append(out, ekafka.TopicSpec{Name: name, Partitions: 4, Config: spec.Configs()})
	}
	return out
}

func alert(rule, tenant string, seq int64, status string) *event.Alert {
	return &event.Alert{
		ID: event.AlertID(rule, tenant), Seq: seq, Status: status, Rule: rule, Tenant: tenant, Subject: tenant,
		ObservedAt: event.JSONTime(1_767_225_600_000 + seq), Summary: rule,
	}
}

// A consumer that starts at offset 0 knows exactly what stands, whatever was
// repeated, came late, or was let go.
func TestWorldIsRebuiltFromOffsetZero(t *testing.T) {
	broker := kafkatest.Fake(t, topics()...)
	p, err := bus.NewProducer(bus.Options{Brokers: []string{broker.Addr()}}, "")
	require.NoError(t, err)
	defer p.Close()
	put := func(e event.Event, id string) {
		require.NoError(t, p.Produce(t.Context(), bus.Message{Topic: topic.AlertStates, Key: id, Event: e}))
	}
	said := func(a *event.Alert) { put(a, a.ID) }
	said(alert("kpi.success", "a", 1, event.AlertFiring))
	said(alert("kpi.latency", "a", 2, event.AlertFiring))
	said(alert("kpi.success", "b", 1, event.AlertFiring))
	said(alert("kpi.success", "a", 3, event.AlertResolved))
	said(alert("kpi.success", "a", 1, event.AlertFiring)) // a repeat after a crash: older than what stands
	said(alert("kpi.success", "a", 3, event.AlertResolved))
	put(&event.Gone{}, event.AlertID("kpi.latency", "a"))

	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	source := kit.Source{Brokers: []string{broker.Addr()}}
	w := kit.NewWorld()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, source.Drain(ctx, topic.AlertStates, func(m kafka.Message) error {
		_, _, err := w.Apply(m)
		return err
	}))
	require.Equal(t, map[string]event.Alert{
		event.AlertID("kpi.success", "a"): *alert("kpi.success", "a", 3, event.AlertResolved),
		event.AlertID("kpi.success", "b"): *alert("kpi.success", "b", 1, event.AlertFiring),
	}, w.Alerts)
}

// The content type and the envelope are those of CloudEvents.
func TestRecordsAreCloudEvents(t *testing.T) {
	broker := kafkatest.Fake(t, topics()...)
	p, err := bus.NewProducer(bus.Options{Brokers: []string{broker.Addr()}}, "")
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Produce(t.Context(), bus.Message{Topic: topic.Alerts, Key: "a", Event: alert("incident", "a", 7, event.AlertFiring)}))
	var got []kafka.Message
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	require.NoError(t, kit.Source{Brokers: []string{broker.Addr()}}.Drain(ctx, topic.Alerts, func(m kafka.Message) error {
		got = append(got, m)
		return nil
	}))
	require.Len(t, got, 1)
	headers := map[string]string{}
	for _, h := range got[0].Headers {
		headers[h.Key] = string(h.Value)
	}
	require.Equal(t, "application/cloudevents+json; charset=UTF-8", headers["content-type"])
	require.Equal(t, "alert", headers["type"])
	require.Contains(t, string(got[0].Value), `{"specversion":"1.0","id":"`+event.AlertID("incident", "a")+`/7","source":"plumbline/a"`)
}

func TestGaps(t *testing.T) {
	var g kit.Gaps
	next := func(tenant string, seq int64) int64 { return g.Next(&event.Alert{Tenant: tenant, Seq: seq}) }
	require.Zero(t, next("a", 40), "retention let go of what was before")
	require.Zero(t, next("a", 41))
	require.Zero(t, next("b", 3))
	require.Zero(t, next("a", 41), "a repeat")
	require.Equal(t, int64(2), next("a", 44), "42 and 43 are missing")
	require.Zero(t, next("b", 4))
}

func TestApplyRefusesWhatIsNoAlert(t *testing.T) {
	w := kit.NewWorld()
	for _, value := range []string{"no JSON", `{}`, `{"specversion":"1.0","type":"dev.plumbline.alert.v2","data":{}}`} {
		_, _, err := w.Apply(kafka.Message{Value: []byte(value)})
		require.ErrorContains(t, err, "is no alert")
	}
	require.Empty(t, w.Alerts)
}
