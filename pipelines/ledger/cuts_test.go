package ledger

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// TestCutsDoNotShow folds random facts in transactions of 1, of 7 and of
// 10,000 records. After each the process dies, the last transaction is doubted,
// and its records are folded again. Every time the outputs are the same bytes.
func TestCutsDoNotShow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t: t, now: 1_790_000_000_000}
		var records []stream.Record
		for offset := range int64(rapid.IntRange(1, 60).Draw(t, "steps")) {
			r := g.record()
			r.Offset = offset
			records = append(records, r)
		}
		whole := fold(t, stream.NewTask(newOperator(integrations(), byStatus, 3), 0), records)
		for _, size := range []int{1, 7, 10_000} {
			require.Equal(t, string(whole), string(foldAndDie(t, records, size)), "transactions of %d", size)
		}
	})
}

func fold(t *rapid.T, task *stream.Task, records []stream.Record) []byte {
	var b bytes.Buffer
	var out stream.Out
	for _, r := range records {
		task.Process(clone(t, r), &out)
		for _, o := range out.List {
			raw, err := event.Encode(nil, o.Event)
			require.NoError(t, err)
			fmt.Fprintf(&b, "%s %s %d %s %x\n", o.Topic, o.Key, o.Time, o.Cause, raw)
		}
	}
	return b.Bytes()
}

// foldAndDie folds every transaction twice: once before the process dies, and
// once after it was restored.
func foldAndDie(t *rapid.T, records []stream.Record, size int) []byte {
	type entry struct {
		key   string
		value []byte
	}
	var all []byte
	var log []entry
	save := func(task *stream.Task) {
		_, err := task.Save(func(key string, value []byte) error {
			log = append(log, entry{key, slices.Clone(value)})
			return nil
		})
		require.NoError(t, err)
	}
	task := stream.NewTask(newOperator(integrations(), byStatus, 3), 0)
	for batch := range slices.Chunk(records, size) {
		prev := task.Prev()
		first := fold(t, task, batch)
		save(task)
		task = stream.NewTask(newOperator(integrations(), byStatus, 3), 0)
		restore := stream.NewRestore(task)
		for _, e := range log {
			require.NoError(t, restore.Add(e.key, e.value))
		}
		require.NoError(t, restore.Finish(batch[len(batch)-1].Offset+1, prev))
		require.Equal(t, string(first), string(fold(t, task, batch)), "folded again")
		save(task)
		all = append(all, first...)
	}
	return all
}
