package bus

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

func messages(sizes ...int) []Message {
	var out []Message
	for i, n := range sizes {
		out = append(out, Message{Topic: topic.Intake, Key: strings.Repeat("k", 1+i%7), Time: event.Time(i), Event: &event.Signal{
			ID: strings.Repeat("i", n), Kind: event.SignalDeploy, StartedAt: 1, ReceivedAt: 1,
		}})
	}
	return out
}

// Records share memory, but each is its own, whatever the sizes around it.
func TestRecordsAreWhatEncodeMakes(t *testing.T) {
	p := &Producer{headers: outside{configHash: []byte("hash")}}
	list := messages(1, 300, 5000, 2, 900, 900, 900, 1, 100_000, 3)
	got, err := p.records(list)
	require.NoError(t, err)
	one := newEncoder("hash")
	for i := range list {
		m := &list[i]
		want, err := one.encode(&stream.Output{Topic: m.Topic, Key: m.Key, Time: m.Time, Event: m.Event})
		require.NoError(t, err)
		require.Equal(t, *want, got[i])
		raw, err := event.Encode(nil, m.Event)
		require.NoError(t, err)
		require.Equal(t, raw, got[i].Value)
		require.Equal(t, m.Key, string(got[i].Key))
	}
	grown := append(got[0].Headers, kgo.RecordHeader{Key: "x"})
	require.Len(t, got[1].Headers, 3, "shared headers are not written to")
	require.Len(t, grown, 4)
}

func BenchmarkRecords100(b *testing.B) {
	p := &Producer{headers: outside{configHash: []byte("hash")}}
	sizes := make([]int, 100)
	for i := range sizes {
		sizes[i] = 32
	}
	list := messages(sizes...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.records(list); err != nil {
			b.Fatal(err)
		}
	}
}

// Outputs of a transaction share memory too: each is its own all the same.
func TestOutputsAreTheirOwn(t *testing.T) {
	e := newEncoder("hash")
	var records []*kgo.Record
	list := messages(1, 70_000, 300, 2, 900)
	for range 200 {
		for i, m := range list {
			r, err := e.encode(&stream.Output{
				Topic: m.Topic, Key: m.Key, Time: m.Time, Event: m.Event,
				Cause: topic.Cause{Topic: topic.Facts, Partition: 1, Offset: int64(len(records)), N: int32(i)},
			})
			require.NoError(t, err)
			records = append(records, r)
		}
	}
	for i, r := range records {
		got, err := decodeShared(r)
		require.NoError(t, err)
		m := list[i%len(list)]
		require.Equal(t, m.Event, got.Event)
		require.Equal(t, m.Key, got.Key)
		require.Equal(t, topic.Cause{Topic: topic.Facts, Partition: 1, Offset: int64(i), N: int32(i % len(list))}, got.Cause)
		require.Len(t, r.Headers, 4)
	}
}
