package stream_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// alarm is a fold with one timer: a change's Redelivery sets it to that many
// seconds, 0 takes it away.
type alarm struct{ fired *[]string }

type alarmState struct{ tallyState }

func (a alarm) Step(_ stream.Ctx, _ string, s *alarmState, ev event.Event, _ *stream.Out) {
	s.n, s.when = 1, event.Time(ev.(*event.Change).Redelivery)*event.Second
}

func (a alarm) Timer(ctx stream.Ctx, key string, s *alarmState, _ *stream.Out) {
	*a.fired = append(*a.fired, fmt.Sprintf("%d %s", s.when/event.Second, key))
	s.when = 0
}

func TestTimersFireInOrderOfTimeThenKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fired, want []string
		op := stream.NewKeyed[alarmState, *alarmState](alarm{&fired})
		task := stream.NewTask(op, 0)
		armed := map[string]int{} // the naive model
		now, offset := 0, int64(0)
		var out stream.Out
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			if rapid.IntRange(0, 4).Draw(t, "tick") > 0 {
				key := rapid.StringMatching(`[a-e]`).Draw(t, "key")
				at := rapid.SampledFrom([]int{0, now + 1, now + 2, now + 3, now + 9}).Draw(t, "at")
				task.Process(wake(offset, key, at), &out)
				armed[key] = at
			} else {
				now += rapid.IntRange(1, 5).Draw(t, "later")
				task.Process(tick(offset, event.Time(now)*event.Second), &out)
				want = append(want, due(armed, now)...)
			}
			offset++
			require.Equal(t, want, fired)
		}
	})
}

func due(armed map[string]int, now int) []string {
	type timer struct {
		at  int
		key string
	}
	var ready []timer
	for key, at := range armed {
		if at != 0 && at <= now {
			ready = append(ready, timer{at, key})
			armed[key] = 0
		}
	}
	slices.SortFunc(ready, func(a, b timer) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return slices.Compare([]byte(a.key), []byte(b.key))
	})
	var out []string
	for _, r := range ready {
		out = append(out, fmt.Sprintf("%d %s", r.at, r.key))
	}
	return out
}

func TestTimeNeverGoesBack(t *testing.T) {
	var fired []string
	task := stream.NewTask(stream.NewKeyed[alarmState, *alarmState](alarm{&fired}), 0)
	var out stream.Out
	task.Process(tick(0, 5000), &out)
	task.Process(wake(1, "a", 4), &out) // due already
	task.Process(tick(2, 4500), &out)   // an older tick, from a clock that lags
	require.Empty(t, fired)
	require.EqualValues(t, 5000, task.Now())
	task.Process(tick(3, 5001), &out)
	require.Equal(t, []string{"4 a"}, fired)
}

// stuck never moves its timer: that would hang the partition for ever.
type stuck struct{ alarm }

func (stuck) Timer(stream.Ctx, string, *alarmState, *stream.Out) {}

func TestTimerThatStaysDuePanics(t *testing.T) {
	task := stream.NewTask(stream.NewKeyed[alarmState, *alarmState](stuck{}), 0)
	var out stream.Out
	task.Process(wake(0, "a", 1), &out)
	require.PanicsWithValue(t, `stream: the timer of "a" fired at 1970-01-01T00:00:01.000Z and left its Due as it was`,
		func() { task.Process(tick(1, 2000), &out) })
}

func TestSaveTellsWhatChangedAndWhatIsGone(t *testing.T) {
	op := newTally()
	saved := func() map[string]bool { // key → held
		out := map[string]bool{}
		require.NoError(t, op.Save(func(key string, value []byte) error {
			out[key] = value != nil
			return nil
		}))
		return out
	}
	var out stream.Out
	do := func(r *stream.Record) { op.Step(stream.Ctx{}, r.Key, r.Event, &out) }

	do(step(0, "a"))
	do(step(1, "b"))
	require.Equal(t, map[string]bool{"a": true, "b": true}, saved())
	require.Empty(t, saved(), "nothing changed")
	do(remove(2, "a"))
	require.Equal(t, map[string]bool{"a": false}, saved(), "a tombstone, once")
	require.Empty(t, saved())
	do(remove(3, "b"))
	do(step(4, "b"))
	require.Equal(t, map[string]bool{"b": true}, saved(), "came back before it was saved as gone")
	do(remove(5, "b"))
	do(step(6, "b"))
	do(remove(7, "b"))
	require.Equal(t, map[string]bool{"b": false}, saved(), "came back and went again")
	do(step(8, "c"))
	do(remove(9, "c"))
	require.Empty(t, saved(), "what was never written needs no tombstone")
	require.Zero(t, op.Len())
}

// A walk that runs beside changes writes every entry that is older than it.
func TestRewriteReachesEveryEntry(t *testing.T) {
	op := newTally()
	var out stream.Out
	for i := range 100 {
		op.Step(stream.Ctx{}, fmt.Sprint(i), step(int64(i), "").Event, &out)
	}
	got := map[string]string{}
	emit := func(key string, value []byte) error {
		got[key] = string(value)
		return nil
	}
	require.NoError(t, op.Save(func(string, []byte) error { return nil }))
	calls := 0
	for done := false; !done; calls++ {
		var err error
		done, err = op.Rewrite(7, emit)
		require.NoError(t, err)
		op.Step(stream.Ctx{}, fmt.Sprint(calls), step(0, "").Event, &out) // changes under its feet
		require.NoError(t, op.Save(emit))
	}
	require.Equal(t, 15, calls, "seven entries a call")
	require.Equal(t, dump(op), got)
}

// What was saved since the walk began stands behind its start already.
func TestRewriteLeavesOutWhatWasSavedSince(t *testing.T) {
	op := newTally()
	var out stream.Out
	nothing := func(string, []byte) error { return nil }
	for i := range 100 {
		op.Step(stream.Ctx{}, fmt.Sprint(i), step(int64(i), "").Event, &out)
	}
	require.NoError(t, op.Save(nothing))
	_, err := op.Rewrite(1, nothing)
	require.NoError(t, err)
	for i := range 99 {
		op.Step(stream.Ctx{}, fmt.Sprint(i), step(int64(i), "").Event, &out)
	}
	require.NoError(t, op.Save(nothing))
	written := 0
	done, err := op.Rewrite(1000, func(string, []byte) error { written++; return nil })
	require.NoError(t, err)
	require.True(t, done)
	require.LessOrEqual(t, written, 1)
}

func TestErrorsOfTheLogPassThrough(t *testing.T) {
	failed := fmt.Errorf("log away")
	refuse := func(string, []byte) error { return failed }
	task := stream.NewTask(newTally(), 0)
	var out stream.Out
	_, err := task.Save(refuse)
	require.ErrorIs(t, err, failed, "position")
	task.Process(step(0, "a"), &out)
	_, err = task.Save(refuse)
	require.ErrorIs(t, err, failed, "state")
	require.EqualValues(t, 0, task.Prev(), "a Save that failed moved nothing")
}

func TestTaskDropsRepeats(t *testing.T) {
	cause := func(partition int32, offset int64, n int32) topic.Cause {
		return topic.Cause{Topic: topic.Intake, Partition: partition, Offset: offset, N: n}
	}
	inputs := []struct {
		cause   topic.Cause
		dropped bool
	}{
		{cause(0, 5, 0), false},
		{cause(0, 5, 1), false},
		{cause(0, 5, 1), true},
		{cause(0, 5, 0), true},
		{cause(0, 4, 9), true},
		{cause(1, 4, 0), false},
		{cause(0, 6, 0), false},
		{topic.Cause{}, false},
		{topic.Cause{}, false}, // from outside: ids tell repeats, not causes
	}
	op := &recorder{}
	task := stream.NewTask(op, 0)
	var out stream.Out
	for i, in := range inputs {
		before := task.Dropped
		r := step(int64(i), "a")
		r.Cause = in.cause
		task.Process(r, &out)
		require.Equal(t, in.dropped, task.Dropped > before, "input %d", i)
		require.EqualValues(t, i+1, task.Next(), "a dropped input is folded all the same")
	}
	require.Len(t, op.got, 6)
}

func TestTaskPassesWhatItCannotRead(t *testing.T) {
	op := &recorder{}
	task := stream.NewTask(op, 0)
	var out stream.Out
	task.Process(&stream.Record{Topic: topic.Facts, Offset: 7}, &out) // a type of a later version
	require.Empty(t, out.List)
	require.EqualValues(t, 8, task.Next())

	dead := &event.DeadLetter{ID: "x", Origin: topic.Facts, Reason: "not a map"}
	task.Process(&stream.Record{Topic: topic.Facts, Partition: 2, Offset: 8, Time: 42, Event: dead}, &out)
	require.Equal(t, []stream.Output{{
		Topic: topic.DeadLetters, Key: topic.Facts, Time: 42, Event: dead,
		Cause: topic.Cause{Topic: topic.Facts, Partition: 2, Offset: 8},
	}}, out.List)
	require.Empty(t, op.got)
}

func TestOutNumbersTheOutputsOfOneInput(t *testing.T) {
	var out stream.Out
	for _, offset := range []int64{3, 4} { // the second time the slice is reused
		out.Begin(&stream.Record{Topic: topic.Facts, Partition: 1, Offset: offset, Time: 9})
		out.Emit(topic.Deliveries, "k", &event.Tick{})
		out.Emit(topic.Failures, "l", &event.Tick{})
		require.Len(t, out.List, 2)
		require.Equal(t, topic.Cause{Topic: topic.Facts, Partition: 1, Offset: offset, N: 0}, out.List[0].Cause)
		require.Equal(t, topic.Cause{Topic: topic.Facts, Partition: 1, Offset: offset, N: 1}, out.List[1].Cause)
		require.EqualValues(t, 9, out.List[1].Time)
	}
}
