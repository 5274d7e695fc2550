package resolve_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// sender is one source, one partition, and what it is told.
type sender struct {
	t      *testing.T
	task   *stream.Task
	now    event.Time
	offset int64
	told   []string
	make   func() *stream.Task // a fresh one
}

func newSender(t *testing.T) *sender {
	return newSenderOf(t, newTask)
}

func newSenderOf(t *testing.T, task func() *stream.Task) *sender {
	return &sender{t: t, task: task(), make: task, now: 1_790_035_200_000} // a Tuesday, midnight UTC
}

func newTask() *stream.Task {
	return stream.NewTask(resolve.New(resolve.Options{Integrations: integrations()}), 0)
}

func (s *sender) fold(ev event.Event, key string) {
	var out stream.Out
	s.task.Process(&stream.Record{Topic: topic.Intake, Offset: s.offset, Time: s.now, Key: key, Event: ev}, &out)
	s.offset++
	for _, o := range out.List {
		if e, ok := o.Event.(*event.Signal); ok && o.Topic == topic.Signals && e.Integration == "hs-sf" {
			state := "begins"
			if e.EndedAt != 0 {
				state = "ends"
			}
			s.told = append(s.told, fmt.Sprintf("%s %s: %s", e.Kind, state, e.Summary))
		}
	}
}

// send is an event that happened some time ago, told for the n-th time.
func (s *sender) send(age event.Time, redelivery int) {
	id := fmt.Sprint("c", s.offset)
	s.fold(&event.Change{
		ID: id, Hook: "hs", System: "hubspot", Account: "1", Object: "contact", RecordID: "101", Operation: event.OpUpdate,
		ChangedAt: s.now - age, ReceivedAt: s.now, Redelivery: redelivery, BodyHash: uint64(s.offset),
	}, event.NativeKey("hubspot", "1", "contact", "101"))
}

// pass lets time pass, with a tick a minute, and n events an hour by day.
func (s *sender) pass(hours int, n int) {
	for range hours * 60 {
		s.now += event.Minute
		hour := int64(s.now) / event.Hour % 24
		if minute := int64(s.now) / event.Minute % 60; hour >= 8 && hour < 18 && n > 0 && minute%int64(60/n) == 0 {
			s.send(event.Second, 0)
		}
		s.fold(&event.Tick{At: s.now}, "")
	}
}

func TestQuietSource(t *testing.T) {
	s := newSender(t)
	s.pass(3*24, 60)
	s.pass(24, 0)
	require.Empty(t, s.told, "the first week only learns")
	s.pass(7*24, 60)
	require.Empty(t, s.told, "nights and the day that was silent before are as usual")

	s.pass(10, 60) // Saturday until 10 o'clock
	s.restart()
	s.pass(1, 0)
	require.Equal(t, []string{"source_quiet begins: hubspot 1: nothing came for 12m, where about 12 events are usual"}, s.told)
	s.pass(24, 0)
	require.Len(t, s.told, 1, "told once")
	s.send(event.Second, 0)
	require.Len(t, s.told, 2)
	require.Contains(t, s.told[1], "source_quiet ends")
}

// restart saves, and goes on in another process.
func (s *sender) restart() {
	next := s.make()
	restore := stream.NewRestore(next)
	_, err := s.task.Save(func(key string, value []byte) error { return restore.Add(key, append([]byte(nil), value...)) })
	require.NoError(s.t, err)
	_, err = s.task.Save(func(key string, value []byte) error { return restore.Add(key, append([]byte(nil), value...)) })
	require.NoError(s.t, err)
	require.NoError(s.t, restore.Finish(s.offset, s.offset))
	s.task = next
}

func TestStalledSource(t *testing.T) {
	s := newSender(t)
	for range 4 {
		s.send(20*event.Minute, 0)
	}
	require.Empty(t, s.told, "a few old ones are no sign")
	s.send(20*event.Minute, 0)
	require.Equal(t, []string{"source_stalled begins: hubspot 1: what arrives happened 20m ago or earlier"}, s.told)
	s.send(25*event.Minute, 0)
	s.send(event.Second, 0)
	require.Len(t, s.told, 2)
	require.Contains(t, s.told[1], "source_stalled ends")
}

func TestLossySource(t *testing.T) {
	s := newSender(t)
	for range 100 {
		s.send(event.Second, 0)
	}
	for range 9 {
		s.send(event.Second, 2)
	}
	require.Empty(t, s.told)
	for range 20 {
		s.send(event.Second, 2)
	}
	require.Equal(t, []string{"source_lossy begins: hubspot 1: 10 of 119 events of this hour had to be sent again: some tries were lost"}, s.told)
}
