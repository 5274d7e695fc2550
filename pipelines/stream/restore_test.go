package stream_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// Whatever was folded by whom, wherever it died, whatever the broker tore:
// those who drop repeats see the outputs of a run that nothing interrupted.
func TestRestoreEqualsUninterruptedRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, stories().Draw(t, "story").run(breaks{}))
	})
}

// The property above has teeth: without one protection it finds a loss.
func TestRestorePropertyFindsMutations(t *testing.T) {
	for name, b := range map[string]breaks{
		"TrustLast":     {trustLast: true},
		"AcceptRepeats": {acceptRepeats: true},
		"trim early":    {trimEarly: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range 2000 {
				if err := stories().Example(seed).run(b); err != nil {
					t.Logf("seed %d: %.300v", seed, err)
					return
				}
			}
			t.Fatal("2000 random stories passed without this protection")
		})
	}
}

// Every subset of a torn transaction, second and first of its life.
func TestRestoreAfterEveryTear(t *testing.T) {
	inputs := []*stream.Record{
		step(0, "a"), wake(1, "b", 1), tick(2, 1000), step(3, "a"), tick(4, 3000), remove(5, "a"), step(6, "c"),
	}
	for _, before := range []int{0, 1, 2} { // whole transactions before the torn one
		for mask := range 1 << (2 + outputPartitions) {
			shows := parts{State: mask&1 != 0, Offset: mask&2 != 0}
			for p := range outputPartitions {
				shows.Outputs[p] = mask&(4<<p) != 0
			}
			t.Run(fmt.Sprintf("after %d, shows %+v", before, shows), func(t *testing.T) {
				s := story{Inputs: inputs}
				for range before {
					s.Moves = append(s.Moves, move{Inputs: 2})
				}
				// Torn twice, with other batch boundaries, then left in peace.
				s.Moves = append(s.Moves, move{Inputs: 2, Dies: true, Shows: shows},
					move{Inputs: 1, Dies: true, Shows: shows}, move{Inputs: 3})
				require.NoError(t, s.run(breaks{}))
			})
		}
	}
}

// Dying again and again never goes back further than one transaction.
func TestRestoreGoesBackOneTransactionAtMost(t *testing.T) {
	w := newWorld([]*stream.Record{step(0, "a"), step(1, "a"), step(2, "a"), step(3, "a")}, breaks{})
	require.NoError(t, w.restart())
	for range 3 {
		require.NoError(t, w.play(move{Inputs: 1}))
	}
	for range 5 {
		require.NoError(t, w.play(move{Inputs: 1, Dies: true, Shows: none}))
		require.EqualValues(t, 2, w.task.Next())
	}
}

// A log that shrinks to one walk still restores everything.
func TestTrimmedLogStaysBounded(t *testing.T) {
	var inputs []*stream.Record
	for i := range 400 {
		inputs = append(inputs, step(int64(i), string(rune('a'+i%10))))
	}
	w := newWorld(inputs, breaks{})
	require.NoError(t, w.restart())
	longest := 0
	for range 200 {
		require.NoError(t, w.play(move{Inputs: 2, Trims: true}))
		longest = max(longest, len(w.log)-w.logStart)
	}
	// 10 keys, rewritten at the pace of change: two walks and the position records.
	require.LessOrEqual(t, longest, 60, "log of %d entries for 10 keys", longest)
	before := dump(w.op)
	require.NoError(t, w.restart())
	require.NoError(t, w.play(move{Inputs: 2}))
	require.Equal(t, before, dump(w.op))
}

// TestLogOfTicksIsLetGo: a stage that hears nothing but ticks writes a position
// each; they are rewritten, and trimmed, like state.
func TestLogOfTicksIsLetGo(t *testing.T) {
	task := stream.NewTask(newTally(), 0)
	task.LogFloor = 10_000
	var out stream.Out
	since, most, walks := 0, 0, 0
	for i := range int64(1000) {
		task.Process(&stream.Record{Topic: "in", Offset: i, Event: &event.Tick{At: event.Time(i+1) * event.Second}}, &out)
		walk, err := task.Save(func(string, []byte) error { return nil })
		require.NoError(t, err)
		since++
		if most = max(most, since); walk.Done {
			since, walks = 0, walks+1
		}
	}
	require.Positive(t, walks)
	require.Less(t, most, 100, "transactions in the log")
}

func TestRestoreRefuses(t *testing.T) {
	first := log(t, 0, "a", "b")  // 0 → 2
	second := log(t, 2, "a", "c") // 2 → 4
	third := log(t, 4, "d")       // 4 → 5
	join := func(logs ...[]entry) []entry {
		var out []entry
		for _, l := range logs {
			out = append(out, l...)
		}
		return out
	}
	tests := map[string]struct {
		log             []entry
		committed, prev int64
		next            int64 // -1 = refused
	}{
		"first start":                                   {nil, -1, -1, 0},
		"first step shows its offset only":              {nil, 2, 0, 0},
		"first step shows its state only":               {first, -1, -1, 0},
		"last step goes back":                           {join(first, second), 4, 2, 2},
		"last step shows its state only":                {join(first, second), 2, 0, 2},
		"last step shows its offset only":               {first, 4, 2, 2},
		"two tries of one step, the offset of a third":  {join(first, second, second), 3, 2, 2},
		"state without position after the last is open": {join(first, second[:1]), 4, 2, 2},
		"offset without state":                          {nil, 5, 3, -1},
		"offset without state or metadata":              {nil, 2, -1, -1},
		"offset ahead by two steps":                     {first, 5, 4, -1},
		"offset ahead, metadata lost":                   {first, 4, -1, -1},
		"offset behind by two steps":                    {join(first, second, third), 2, 0, -1},
		"offsets gone, state there":                     {join(first, second), -1, -1, -1},
		"a step is missing in the log":                  {join(first, third), 5, 4, -1},
		"position unreadable":                           {[]entry{{stream.PositionKey, []byte{0xc1}}}, 2, 0, -1},
		"strays of a try that was aborted":              {join([]entry{{"a", []byte{0x80}}}, first, second), 4, 2, 2},
		"state entries missing":                         {join(first[1:], second), 4, 2, -1},
		"state unreadable":                              {join([]entry{{first[0].key, []byte{0x80}}}, first[1:], second), 4, 2, -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			task := stream.NewTask(newTally(), 0)
			r := stream.NewRestore(task)
			var err error
			for _, e := range tt.log {
				if err = r.Add(e.key, e.value); err != nil {
					break
				}
			}
			if err == nil {
				err = r.Finish(tt.committed, tt.prev)
			}
			if tt.next < 0 {
				require.ErrorIs(t, err, stream.ErrUnreconciled)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.next, task.Next())
			require.Equal(t, tt.next, task.Prev())
		})
	}
}

// log is the changelog of one transaction that folds a step of each key.
func log(t *testing.T, first int64, keys ...string) []entry {
	t.Helper()
	task := stream.NewTask(newTally(), first)
	var out stream.Out
	for i, key := range keys {
		task.Process(step(first+int64(i), key), &out)
	}
	var entries []entry
	_, err := task.Save(func(key string, value []byte) error {
		entries = append(entries, entry{key, append([]byte(nil), value...)})
		return nil
	})
	require.NoError(t, err)
	return entries
}
