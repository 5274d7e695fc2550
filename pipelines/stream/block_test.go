package stream_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
)

// Earlier versions wrote a record for each entry; their logs are read on, also
// where blocks follow them.
func TestRestoreReadsEntriesOfTheirOwn(t *testing.T) {
	task, op := stream.NewTask(newTally(), 0), newTally()
	var out stream.Out
	task.Process(step(0, "a"), &out)
	task.Process(step(1, "b"), &out)
	var old []entry
	next := newTally()
	next.Step(stream.Ctx{}, "a", step(0, "a").Event, &out)
	next.Step(stream.Ctx{}, "b", step(1, "b").Event, &out)
	require.NoError(t, next.Save(func(key string, value []byte) error {
		old = append(old, entry{key, append([]byte(nil), value...)})
		return nil
	}))
	p, err := (&stream.Position{Next: 2, Entries: len(old)}).MarshalMsg(nil)
	require.NoError(t, err)
	old = append(old, entry{stream.PositionKey, p})

	restored := stream.NewTask(op, 0)
	r := stream.NewRestore(restored)
	for _, e := range append(append(old, log(t, 2, "b", "c")...), log(t, 4, "d")...) {
		require.NoError(t, r.Add(e.key, e.value))
	}
	require.NoError(t, r.Finish(5, 4))
	require.EqualValues(t, 4, restored.Next())
	require.Equal(t, []string{"a", "b", "c"}, keys(dump(op)))
}

func TestBlocksAreBoundedAndWhole(t *testing.T) {
	task := stream.NewTask(newTally(), 0)
	var out stream.Out
	const n = 5000
	for i := range n {
		task.Process(step(int64(i), fmt.Sprintf("hubspot-salesforce/contact/%08d", i)), &out)
	}
	var records []entry
	_, err := task.Save(func(key string, value []byte) error {
		records = append(records, entry{key, append([]byte(nil), value...)})
		return nil
	})
	require.NoError(t, err)
	require.Less(t, len(records), 20, "entries share records")
	for _, r := range records {
		require.Less(t, len(r.value), 64<<10)
	}
	again := newTally()
	r := stream.NewRestore(stream.NewTask(again, 0))
	r.TrustLast = true
	for _, e := range records {
		require.NoError(t, r.Add(e.key, e.value))
	}
	require.NoError(t, r.Finish(n, 0))
	require.Equal(t, n, again.Len())
}

func TestDamagedBlocksAreRefused(t *testing.T) {
	whole := log(t, 0, "a", "b")
	for cut := range len(whole[0].value) {
		r := stream.NewRestore(stream.NewTask(newTally(), 0))
		r.TrustLast = true
		require.NoError(t, r.Add(whole[0].key, whole[0].value[:cut]))
		require.NoError(t, r.Add(whole[1].key, whole[1].value))
		if err := r.Finish(2, 0); err != nil {
			require.ErrorIs(t, err, stream.ErrUnreconciled)
			continue
		}
		require.Contains(t, []int{1, 1 + (len(whole[0].value)-1)/2}, cut, "only between two entries is a part whole")
	}
}

// No walk begins while the log is in proportion to the state.
func TestWalksOnlyWhereTheLogHasGrown(t *testing.T) {
	task := stream.NewTask(newTally(), 0)
	task.LogFloor = 2000
	var out stream.Out
	offset, walks := int64(0), 0
	for range 300 {
		for range 5 {
			task.Process(step(offset, fmt.Sprint("key", offset%50)), &out)
			offset++
		}
		w, err := task.Save(func(string, []byte) error { return nil })
		require.NoError(t, err)
		if w.Started {
			walks++
		}
	}
	require.Positive(t, walks)
	require.Less(t, walks, 300*5/50, "each walk waits until the log holds several times the state")
}

func keys(m map[string]string) []string {
	var out []string
	for _, k := range []string{"a", "b", "c", "d"} {
		if _, ok := m[k]; ok {
			out = append(out, k)
		}
	}
	return out
}
