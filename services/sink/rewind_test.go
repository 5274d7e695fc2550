package sink_test

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/sink"
)

// ClickHouse is restored from a backup that is older than the offsets: the
// sink reads again what is missing, and stores nothing twice that is there.
func TestRestoredBackupIsCaughtUp(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 300)...)
	for i := range 40 {
		at := noon
		w.produce(topic.Facts, &event.Change{ID: id("c", i), Integration: "i", System: "hubspot", Object: "contact", RecordID: "1", Operation: event.OpUpdate, ChangedAt: at, ReceivedAt: at},
			&event.Attempt{ID: id("a", i), Integration: "i", Object: "contact", Operation: event.OpUpdate, Outcome: event.OutcomeOK, OccurredAt: at, ReceivedAt: at})
	}
	s := w.start()
	w.settled(topic.Deliveries)
	w.settled(topic.Facts)
	require.NoError(t, s.stop())
	w.lose("deliveries_raw", "_offset > 20")
	w.lose("changes_raw", "_offset > 5")
	w.produce(topic.Deliveries, deliveries(300, 20)...)
	reg := prometheus.NewPedanticRegistry()
	s = w.start(func(o *sink.Options) { o.Registerer = reg })
	require.Eventually(t, func() bool { return w.count("deliveries_raw") == 320 && w.count("changes_raw") == 40 }, time.Minute, 50*time.Millisecond)
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 320)
	w.onceEach("changes", 40)
	w.onceEach("attempts", 40)
	require.Positive(t, testutil.ToFloat64(mustGather(t, reg, "plumbline_sink_rewinds_total")))
}

// lose deletes rows. A mutation waits while merges are off.
func (w *world) lose(table, where string) {
	w.t.Helper()
	for _, statement := range []string{
		"SYSTEM START MERGES " + table, "ALTER TABLE " + table + " DELETE WHERE " + where + " SETTINGS mutations_sync = 2", "SYSTEM STOP MERGES " + table,
	} {
		require.NoError(w.t, w.db.Exec(w.t.Context(), statement))
	}
}

func id(prefix string, n int) string { return prefix + string(rune('a'+n/26)) + string(rune('a'+n%26)) }

// Rows vanish under a sink that runs: two audits agree, it tells everybody,
// and reads them again.
func TestRowsLostUnderARunningSink(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 100)...)
	s := w.start(func(o *sink.Options) { o.AuditInterval, o.Logger = 100*time.Millisecond, nil })
	w.settled(topic.Deliveries)
	require.NoError(t, w.db.Exec(t.Context(), "TRUNCATE TABLE deliveries_raw"))
	require.Eventually(t, func() bool { return w.count("deliveries_raw") == 100 }, time.Minute, 50*time.Millisecond)
	require.Eventually(t, func() bool { return w.count("signals WHERE kind = 'store_gap'") > 0 }, time.Minute, 50*time.Millisecond)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 100)
}

// A row that is lost in the middle shows in no newest offset; a sample of the
// log finds it. A row that a newer one with its key replaced is not lost.
func TestSampleFindsAHole(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 100)...)
	w.produce(topic.Deliveries, deliveries(0, 50)...)
	s := w.start()
	w.settled(topic.Deliveries)
	require.NoError(t, w.db.Exec(t.Context(), "SYSTEM START MERGES deliveries_raw"))
	require.NoError(t, w.db.Exec(t.Context(), "OPTIMIZE TABLE deliveries_raw FINAL"))
	gaps, err := s.Sample(t.Context())
	require.NoError(t, err)
	require.Empty(t, gaps)
	w.lose("deliveries_raw", "delivery_id IN ('d3', 'd4', 'd5', 'd6', 'd7', 'd8', 'd9', 'd10', 'd11')")
	require.Eventually(t, func() bool { // one partition of four is looked at
		gaps, err = s.Sample(t.Context())
		require.NoError(t, err)
		return len(gaps) > 0
	}, 20*time.Second, time.Millisecond)
	require.Equal(t, "missing", gaps[0].Kind())
	require.NoError(t, s.stop())
}

// A person who was removed does not come back, whoever replays the log.
func TestErasedPersonStaysGone(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 20)...)
	s := w.start()
	w.settled(topic.Deliveries)
	keys, err := w.db.FindSubject(t.Context(), "i/contact/d7")
	require.NoError(t, err)
	require.Equal(t, []string{"i/contact/d7"}, keys)
	for _, table := range []string{"changes", "attempts", "deliveries", "dead_letters"} {
		require.NoError(t, w.db.Exec(t.Context(), "SYSTEM START MERGES "+table+"_raw"))
	}
	require.NoError(t, w.db.Erase(t.Context(), keys))
	_, err = w.db.FindSubject(t.Context(), "i/contact/d7")
	require.ErrorIs(t, err, warehouse.ErrNobody)
	require.NoError(t, s.stop())
	require.NoError(t, w.db.Exec(t.Context(), "TRUNCATE TABLE deliveries_raw")) // everything is read again
	w.produce(topic.Deliveries, delivery("d7"))
	s = w.start()
	require.Eventually(t, func() bool { return w.count("deliveries_raw") == 19 }, time.Minute, 50*time.Millisecond)
	w.settled(topic.Deliveries)
	gaps, err := s.Sample(t.Context())
	require.NoError(t, err)
	require.Empty(t, gaps, "what was erased is not missing")
	require.NoError(t, s.stop())
	require.Zero(t, w.count("deliveries_raw WHERE delivery_id = 'd7'"))
}

// Too large to be stored in time: it is divided, and put together again.
func TestSlowInsertsGetSmaller(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 400)...)
	m := &meddler{DB: w.db}
	most := 0
	m.insert = func(ctx context.Context, b warehouse.Block) error {
		if n := b.Cells.Len(); n > 100 {
			return context.DeadlineExceeded
		} else if b.Table.Name == "deliveries" {
			most = max(most, n)
		}
		return w.db.Insert(ctx, b)
	}
	s := w.start(through(m), func(o *sink.Options) { o.Logger = nil })
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 400)
	require.LessOrEqual(t, most, 100)
	require.Zero(t, w.count("dead_letters"))
	_, err := bus.Starts(t.Context(), w.bus, topic.Deliveries)
	require.NoError(t, err)
}
