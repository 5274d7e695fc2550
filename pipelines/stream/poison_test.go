package stream_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// brittle counts, and cannot take a merge: by then it has counted already.
type brittle struct{ tally }

func (b brittle) Step(ctx stream.Ctx, key string, s *tallyState, ev event.Event, out *stream.Out) {
	b.tally.Step(ctx, key, s, ev, out)
	if ev.(*event.Change).Operation == event.OpMerge {
		panic("no survivor")
	}
}

func newBrittle() stream.Operator { return stream.NewKeyed[tallyState, *tallyState](brittle{}) }

// TestPoisonIsPutAside folds an event that makes its operator panic. It is
// dead-lettered under its cause, its neighbours go on, and a process that died
// and folds again puts aside the same bytes and holds the same state.
func TestPoisonIsPutAside(t *testing.T) {
	records := func() []*stream.Record {
		bad := step(2, "a")
		bad.Event.(*event.Change).Operation = event.OpMerge
		return []*stream.Record{step(0, "a"), step(1, "b"), bad, step(3, "a"), step(4, "b")}
	}
	fold := func(task *stream.Task, list []*stream.Record) (all []string) {
		var out stream.Out
		for _, r := range list {
			task.Process(r, &out)
			for _, o := range out.List {
				all = append(all, fmt.Sprintf("%s %s %+v", o.Topic, o.Cause, o.Event))
			}
		}
		return all
	}
	op := newBrittle()
	whole := fold(stream.NewTask(op, 0), records())
	require.Len(t, slices.DeleteFunc(slices.Clone(whole), func(s string) bool { return s[:len(topic.DeadLetters)] != topic.DeadLetters }), 1)
	require.Contains(t, whole[2], "no survivor")

	for cut := 1; cut < 5; cut++ {
		var log [][2]string
		first := stream.NewTask(newBrittle(), 0)
		got := fold(first, records()[:cut])
		_, err := first.Save(func(key string, value []byte) error {
			log = append(log, [2]string{key, string(value)})
			return nil
		})
		require.NoError(t, err)
		second := newBrittle()
		task := stream.NewTask(second, 0)
		restore := stream.NewRestore(task)
		for _, e := range log {
			require.NoError(t, restore.Add(e[0], []byte(e[1])))
		}
		require.NoError(t, restore.Finish(int64(cut+1), int64(cut))) // a later step shows its offset
		got = append(got, fold(task, records()[cut:])...)
		require.Equal(t, whole, got, "cut before %d", cut)
	}
}
