package sink_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/sink"
)

// The engine itself refuses for a while: too many parts, or no room on the
// disk. That is nobody's row: the sink tries again, gives nothing up, and all
// is there once when the engine takes rows again.
func TestEngineThatTakesNothingForAWhile(t *testing.T) {
	for name, setting := range map[string]string{
		"too many parts": "parts_to_throw_insert = 1, parts_to_delay_insert = 1, max_delay_to_insert = 0",
		"disk full":      "min_free_disk_bytes_to_perform_insert = 1000000000000000",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			require.NoError(t, w.db.Exec(t.Context(), "SYSTEM STOP MERGES deliveries_raw"))
			w.produce(topic.Deliveries, deliveries(0, 5)...)
			s := w.start()
			w.settled(topic.Deliveries)
			require.NoError(t, s.stop())

			require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw MODIFY SETTING "+setting))
			w.produce(topic.Deliveries, deliveries(5, 55)...)
			var refused atomic.Int32
			m := &meddler{DB: w.db}
			m.insert = func(ctx context.Context, b warehouse.Block) error {
				err := w.db.Insert(ctx, b)
				if err != nil {
					refused.Add(1)
				}
				return err
			}
			s = w.start(through(m), func(o *sink.Options) { o.Logger = nil })
			require.Eventually(t, func() bool { return refused.Load() > 3 }, time.Minute, 10*time.Millisecond, "it tries again")
			require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw RESET SETTING parts_to_throw_insert, parts_to_delay_insert, "+
				"max_delay_to_insert, min_free_disk_bytes_to_perform_insert"))
			w.settled(topic.Deliveries)
			require.NoError(t, s.stop())
			w.onceEach("deliveries", 60)
			require.Zero(t, w.count("dead_letters"))
		})
	}
}

// Nothing is counted on the way in: a view that fails there would lose or
// double counts beside its rows. What is counted by the clock is no part of an
// INSERT.
func TestNoMaterializedViews(t *testing.T) {
	require.Zero(t, newWorld(t).count("system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView'"+
		" AND name NOT IN (SELECT view FROM system.view_refreshes WHERE database = currentDatabase())"))
}
