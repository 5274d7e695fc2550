package ledger

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

// One record takes nearly all of the traffic, ten changes a second for half an
// hour. What is kept of it, and what is told of each change, does not grow: its
// neighbours in the partition wait no longer than at the beginning.
func TestHotRecordStaysSmall(t *testing.T) {
	w := newSilentWorld(t)
	r := &silentRecord{}
	w.records["hot"] = r
	var sizes, told []int
	for minute := range 30 {
		outputs := 0
		for i := range 600 {
			n := minute*600 + i
			at := w.now + event.Time(i%10)*100
			id := fmt.Sprint("c", n)
			change := &event.Change{
				ID: id, Tenant: "default", Integration: "hs-sf", Side: event.Source, RecordKey: "hot", System: "hubspot", Object: "contact",
				RecordID: "hot", Operation: event.OpUpdate, ChangedAt: at, ReceivedAt: at, Actor: event.Actor{Kind: "user", ID: "7"},
				Fields: []event.Field{{Name: "email", Value: event.Value{Text: fmt.Sprint(n)}}},
			}
			w.fact("hot", change, at)
			outputs += len(w.out.List)
			if i%3 == 0 { // the sync writes what is newest, as it can
				r.source[0] = n
				w.write("hot", r, 0, n, id, at+50)
			}
			if i%10 == 9 {
				w.second(0)
			}
		}
		told = append(told, outputs)
		size := 0
		_, err := w.task.Save(func(_ string, value []byte) error {
			size = max(size, len(value))
			return nil
		})
		require.NoError(t, err)
		sizes = append(sizes, size)
	}
	t.Logf("state by the minute: %v bytes; outputs: %v", sizes, told)
	require.LessOrEqual(t, sizes[29], sizes[4]*5/4)
	require.LessOrEqual(t, told[29], told[4]*5/4)
}
