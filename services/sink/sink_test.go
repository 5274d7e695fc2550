package sink_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/sink"
)

func TestEveryEventBecomesOneRowOfItsTable(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		id := fmt.Sprint(i)
		w.produce(topic.Facts,
			&event.Change{ID: "c" + id, Integration: "i", System: "hubspot", Object: "contact", RecordID: id, Operation: event.OpUpdate, ChangedAt: noon, ReceivedAt: noon},
			&event.Attempt{ID: "a" + id, Integration: "i", Object: "contact", Operation: event.OpUpdate, Outcome: event.OutcomeOK, OccurredAt: noon, ReceivedAt: noon},
			&event.Observation{ID: "o" + id, Integration: "i", System: "salesforce", Object: "contact", RecordID: id, ObservedAt: noon, ReceivedAt: noon},
			&event.Tick{At: noon})
	}
	w.produce(topic.Deliveries, deliveries(0, 100)...)
	w.produce(topic.Signals, &event.Signal{ID: "s", Kind: event.SignalDeploy, StartedAt: noon, ReceivedAt: noon})
	reg := prometheus.NewPedanticRegistry()
	s := w.start(func(o *sink.Options) {
		o.Registerer = reg
		o.Integrations = []config.Integration{{ID: "i", Tenant: "t", Mode: config.Realtime}}
	})
	w.settled(topic.Facts)
	w.settled(topic.Deliveries)
	w.settled(topic.Signals)
	require.Eventually(t, func() bool { return w.count("integrations") == 1 }, time.Minute, 20*time.Millisecond)
	w.onceEach("changes", 50)
	w.onceEach("attempts", 50)
	w.onceEach("observations", 50)
	w.onceEach("deliveries", 100)
	w.onceEach("signals", 1)
	gaps, err := s.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, gaps)
	require.NoError(t, s.stop())
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP plumbline_sink_records_total Records read, by what became of them.
# TYPE plumbline_sink_records_total counter
plumbline_sink_records_total{result="filtered",topic="plumbline.facts"} 50
plumbline_sink_records_total{result="row",topic="plumbline.deliveries"} 100
plumbline_sink_records_total{result="row",topic="plumbline.facts"} 150
plumbline_sink_records_total{result="row",topic="plumbline.signals"} 1
`), "plumbline_sink_records_total"))
}

// Wherever the process dies, the next one leaves each row once.
func TestDeathAtEveryPoint(t *testing.T) {
	for _, point := range sink.Points {
		t.Run(point, func(t *testing.T) {
			w := newWorld(t)
			w.produce(topic.Deliveries, deliveries(0, 200)...)
			require.ErrorContains(t, w.start(dieAt(point, 1)).wait(), point)
			w.produce(topic.Deliveries, deliveries(200, 100)...)
			second := w.start()
			w.settled(topic.Deliveries)
			require.NoError(t, second.stop())
			w.onceEach("deliveries", 300)
		})
	}
}

// A batch over two months is two INSERTs; only the one that is missing follows.
func TestHalfABatchIsCompleted(t *testing.T) {
	w := newWorld(t)
	both := deliveries(0, 40)
	for i, ev := range both {
		if i%2 == 0 {
			ev.(*event.Delivery).ReceivedAt = noon - 30*event.Day
		}
	}
	w.produce(topic.Deliveries, both...)
	require.Error(t, w.start(dieAt("after_insert", 1)).wait())
	stored := w.count("deliveries_raw")
	require.True(t, stored > 0 && stored < 40, "the first INSERT is in, the second is not: %d", stored)
	second := w.start()
	w.settled(topic.Deliveries)
	require.NoError(t, second.stop())
	w.onceEach("deliveries", 40)
}

// The server stored the rows, the answer was lost.
func TestLostReplyIsLookedUp(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 100)...)
	var lost atomic.Bool
	m := &meddler{DB: w.db}
	m.insert = func(ctx context.Context, b warehouse.Block) error {
		if err := w.db.Insert(ctx, b); err != nil || lost.Swap(true) {
			return err
		}
		return errors.New("connection reset by peer")
	}
	reg := prometheus.NewPedanticRegistry()
	s := w.start(through(m), func(o *sink.Options) { o.Registerer = reg })
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 100)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP plumbline_sink_settled_total Ranges settled by reading back, by what was found: all, none, part.
# TYPE plumbline_sink_settled_total counter
plumbline_sink_settled_total{found="all",topic="plumbline.deliveries"} 1
`), "plumbline_sink_settled_total"))
}

// The server still works on it when the client gives up: it is ended first.
func TestSlowInsertIsEndedBeforeLooking(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw ADD CONSTRAINT slow CHECK sleepEachRow(0.2) = 0"))
	w.produce(topic.Deliveries, deliveries(0, 12)...)
	var stopped atomic.Int32
	m := &meddler{DB: w.db}
	m.stop = func(ctx context.Context, prefix string) error {
		if stopped.Add(1) == 1 {
			require.NoError(t, w.db.Exec(ctx, "ALTER TABLE deliveries_raw DROP CONSTRAINT slow"))
		}
		return w.db.StopQueries(ctx, prefix)
	}
	s := w.start(through(m), func(o *sink.Options) { o.InsertTimeout = 500 * time.Millisecond })
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	require.Positive(t, stopped.Load())
	w.onceEach("deliveries", 12)
}

// ClickHouse remembers few tokens. Many inserts between the try and its
// repetition make it forget, which costs nobody who reads back a row. The
// second half shows that this test would notice.
func TestForgottenTokens(t *testing.T) {
	for name, trust := range map[string]bool{"read back": false, "tokens only": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw MODIFY SETTING non_replicated_deduplication_window = 2"))
			var options []func(*sink.Options)
			if trust {
				options = append(options, trustTokens)
			}
			w.produce(topic.Deliveries, deliveries(0, 100)...)
			require.Error(t, w.start(append(options, dieAt("after_insert", 1))...).wait())
			for i := range 5 {
				require.NoError(t, w.db.Insert(t.Context(), warehouse.Block{
					Table: warehouse.FindTable("deliveries"), QueryID: fmt.Sprint("other", i), Token: fmt.Sprint("other", i),
					Rows: []warehouse.Row{{Topic: "elsewhere", Event: delivery(fmt.Sprint("other", i))}},
				}))
			}
			second := w.start(options...)
			w.settled(topic.Deliveries)
			require.NoError(t, second.stop())
			if trust {
				require.Equal(t, 205, w.count("deliveries_raw"), "the token alone stores every row twice")
				return
			}
			w.onceEach("deliveries", 105)
		})
	}
}

// ClickHouse died between noting the token and storing the part: the token is
// known, the rows are not there. Repeating the INSERT loses them in silence.
func TestPhantomToken(t *testing.T) {
	for name, trust := range map[string]bool{"read back": false, "tokens only": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.produce(topic.Deliveries, deliveries(0, 100)...)
			var died atomic.Bool
			m := &meddler{DB: w.db}
			m.insert = func(ctx context.Context, b warehouse.Block) error {
				if died.Swap(true) {
					return w.db.Insert(ctx, b)
				}
				b.Rows, b.Cells = []warehouse.Row{{Topic: "elsewhere", Event: delivery("phantom")}}, nil
				require.NoError(t, w.db.Insert(ctx, b))
				return errors.New("unexpected EOF")
			}
			s := w.start(through(m), func(o *sink.Options) { o.TrustTokens = trust })
			w.settled(topic.Deliveries)
			require.NoError(t, s.stop())
			if trust {
				require.Equal(t, 1, w.count("deliveries"), "the token alone loses every row")
				return
			}
			w.onceEach("deliveries", 101)
		})
	}
}

// The same record at several offsets, as an upstream that was torn produces
// it, is stored as often and counted once.
func TestReproducedRecordsCountOnce(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.produce(topic.Deliveries, deliveries(0, 50)...)
	}
	s := w.start()
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	require.Equal(t, 50, w.count("deliveries"))
	require.Equal(t, 150, w.count("deliveries_raw"))
}

func TestPoisonIsSetAsideAndTheOthersGoOn(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw ADD CONSTRAINT c CHECK delivery_id NOT IN ('d7', 'd30')"))
	w.produce(topic.Deliveries, deliveries(0, 60)...)
	late := delivery("late")
	late.AppliedAt = event.At(time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC))
	w.produce(topic.Deliveries, late)
	w.raw(topic.Deliveries, []byte("no message"))
	s := w.start()
	w.settled(topic.Deliveries)
	w.onceEach("deliveries", 58)
	require.Eventually(t, func() bool { return w.count("dead_letters") == 4 }, time.Minute, 50*time.Millisecond)
	gaps, err := s.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, gaps)
	require.NoError(t, s.stop())
	require.Equal(t, 2, w.count("dead_letters WHERE code = 'refused' AND origin = 'sink:deliveries'"))
	require.Equal(t, 1, w.count("dead_letters WHERE code = 'invalid' AND reason LIKE '%applied_at%'"))
	require.Equal(t, 1, w.count("dead_letters WHERE code = 'undecodable' AND bytes = 'no message'"))
}

// A table that refuses everything is the table's fault.
func TestAlteredTableGivesNothingUp(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw ADD CONSTRAINT c CHECK delivery_id = ''"))
	w.produce(topic.Deliveries, deliveries(0, 60)...)
	var tries atomic.Int32
	m := &meddler{DB: w.db}
	m.insert = func(ctx context.Context, b warehouse.Block) error {
		tries.Add(1)
		return w.db.Insert(ctx, b)
	}
	s := w.start(through(m), func(o *sink.Options) { o.Logger = nil })
	require.Eventually(t, func() bool { return tries.Load() > 150 }, time.Minute, 10*time.Millisecond, "it tries again")
	require.NoError(t, w.db.Exec(t.Context(), "ALTER TABLE deliveries_raw DROP CONSTRAINT c"))
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 60)
	require.Zero(t, w.count("dead_letters"))
}

// While ClickHouse is away, little is read, nothing is given up, and
// everything follows once it is back.
func TestClickHouseAway(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.produce(topic.Deliveries, deliveries(100*i, 100)...)
	}
	var away atomic.Bool
	away.Store(true)
	down := func() error {
		if away.Load() {
			return errors.New("connection refused")
		}
		return nil
	}
	m := &meddler{DB: w.db}
	m.insert = func(ctx context.Context, b warehouse.Block) error { return errors.Join(down(), w.db.Insert(ctx, b)) }
	m.stop = func(context.Context, string) error { return down() }
	inserts := m.insert
	m.insert = func(ctx context.Context, b warehouse.Block) error {
		if err := down(); err != nil {
			return err
		}
		return inserts(ctx, b)
	}
	reg := prometheus.NewPedanticRegistry()
	s := w.start(through(m), func(o *sink.Options) { o.MaxRows, o.Registerer, o.Logger = 200, reg, nil })
	time.Sleep(time.Second)
	read := testutil.ToFloat64(mustGather(t, reg, "plumbline_sink_records_total"))
	require.LessOrEqual(t, read, 800., "fetching stops while nothing can be stored")
	away.Store(false)
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 2000)
	require.Zero(t, w.count("dead_letters"))
}

// mustGather adds one counter's series up.
func mustGather(t *testing.T, reg *prometheus.Registry, name string) prometheus.Collector {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	sum := prometheus.NewGauge(prometheus.GaugeOpts{Name: "sum"})
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum.Add(m.GetCounter().GetValue() + m.GetGauge().GetValue())
			}
		}
	}
	return sum
}

// Partitions move between two sinks while records flow.
func TestTwoSinksShareAndTakeOver(t *testing.T) {
	w := newWorld(t)
	first := w.start()
	var sinks []*running
	n := 0
	for round := range 6 {
		w.produce(topic.Deliveries, deliveries(n, 150)...)
		n += 150
		time.Sleep(150 * time.Millisecond)
		if round%2 == 0 {
			sinks = append(sinks, w.start())
		} else {
			require.NoError(t, sinks[len(sinks)-1].stop())
		}
	}
	w.settled(topic.Deliveries)
	require.NoError(t, first.stop())
	w.onceEach("deliveries", n)
}

// What an open intent speaks of is no longer in the log: nobody can tell what
// is missing, so nobody may go on.
func TestLogThatForgotAnIntentStopsTheTopic(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 50)...)
	require.Error(t, w.start(dieAt("after_intent", 1)).wait())
	w.truncate(topic.Deliveries)
	w.produce(topic.Deliveries, deliveries(50, 50)...)
	w.produce(topic.Signals, &event.Signal{ID: "s", Kind: event.SignalDeploy, StartedAt: noon, ReceivedAt: noon})
	reg := prometheus.NewPedanticRegistry()
	s := w.start(func(o *sink.Options) { o.Registerer, o.Logger = reg, nil })
	require.Eventually(t, func() bool { return s.Err() != nil }, time.Minute, 20*time.Millisecond)
	require.True(t, errors.Is(s.Err(), bus.ErrGone) || errors.Is(s.Err(), sink.ErrDamaged), "%v", s.Err())
	w.settled(topic.Signals) // the other topics go on
	require.EqualValues(t, 1, testutil.ToFloat64(mustGather(t, reg, "plumbline_sink_stopped")))
	require.Error(t, s.stop())
	require.Zero(t, w.count("deliveries"))
}

// A topic that was deleted and created again has other records at the same offsets.
func TestRecreatedTopicBeginsAnew(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 50)...)
	s := w.start()
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	old := w.topics.IDs[topic.Deliveries]
	w.adminDelete(topic.Deliveries)
	w.applyTopics()
	require.NotEqual(t, old, w.topics.IDs[topic.Deliveries])
	w.connect()
	w.produce(topic.Deliveries, deliveries(50, 30)...)
	s = w.start(func(o *sink.Options) { o.Logger = nil })
	require.Eventually(t, func() bool { return w.count("deliveries") == 80 }, time.Minute, 50*time.Millisecond)
	require.NoError(t, s.stop())
	w.onceEach("deliveries", 80)
	require.Equal(t, 30, w.count("deliveries_raw WHERE _epoch = '"+w.topics.IDs[topic.Deliveries]+"'"))
}

func TestAuditFindsLostAndForeignRows(t *testing.T) {
	w := newWorld(t)
	w.produce(topic.Deliveries, deliveries(0, 50)...)
	s := w.start()
	w.settled(topic.Deliveries)
	require.NoError(t, s.stop())
	gaps, err := s.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, gaps)

	require.NoError(t, w.db.Insert(t.Context(), warehouse.Block{
		Table: warehouse.FindTable("deliveries"), QueryID: "foreign", Token: "foreign",
		Rows: []warehouse.Row{{
			Topic: topic.Deliveries, Epoch: w.topics.IDs[topic.Deliveries], Partition: 0, Offset: 1000, Event: delivery("foreign"),
		}},
	}))
	gaps, err = s.Audit(t.Context())
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	require.False(t, gaps[0].Behind())

	require.NoError(t, w.db.Exec(t.Context(), "TRUNCATE TABLE deliveries_raw"))
	gaps, err = s.Audit(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, gaps)
	for _, g := range gaps {
		require.True(t, g.Behind())
		require.Equal(t, int64(-1), g.Stored)
	}
}
