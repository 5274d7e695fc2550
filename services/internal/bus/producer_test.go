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
	for i := range list {
		m := &list[i]
		want, err := encode(&stream.Output{Topic: m.Topic, Key: m.Key, Time: m.Time, Event: m.Event}, []byte("hash"))
		require.NoError(t, err)
		require.Equal(t, *want, got[i])
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
