package sink

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	records  *prometheus.CounterVec   // topic, result
	rows     *prometheus.CounterVec   // table
	inserts  *prometheus.CounterVec   // table, result
	seconds  *prometheus.HistogramVec // table
	lag      *prometheus.GaugeVec     // topic
	delay    *prometheus.GaugeVec     // topic
	settled  *prometheus.CounterVec   // topic, found
	letters  *prometheus.CounterVec   // topic
	epochs   *prometheus.CounterVec   // topic
	rejoins  *prometheus.CounterVec   // topic
	rewinds  *prometheus.CounterVec   // topic
	stopped  *prometheus.GaugeVec     // topic
	failing  *prometheus.GaugeVec     // topic
	auditGap *prometheus.GaugeVec     // topic, table, kind
	audits   *prometheus.CounterVec   // result
	stale    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "plumbline", Subsystem: "sink", Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "plumbline", Subsystem: "sink", Name: name, Help: help}, labels)
		reg.MustRegister(v)
		return v
	}
	m := &metrics{
		records: counter("records_total", "Records read, by what became of them.", "topic", "result"),
		rows:    counter("rows_total", "Rows stored.", "table"),
		inserts: counter("inserts_total", "INSERTs by result: ok, or the kind of error.", "table", "result"),
		lag:     gauge("lag_records", "Records not yet stored.", "topic"),
		delay:   gauge("oldest_waiting_seconds", "Age of the oldest record read and not yet stored.", "topic"),
		settled: counter("settled_total", "Ranges settled by reading back, by what was found: all, none, part.", "topic", "found"),
		letters: counter("dead_letters_total", "Records given up, written to the dead letters.", "topic"),
		epochs:  counter("topic_recreated_total", "Partitions begun anew because their topic was deleted and created again.", "topic"),
		rejoins: counter("rejoins_total", "Times the consumer group was joined again after being fenced or failing.", "topic"),
		rewinds: counter("rewinds_total", "Partitions read again because ClickHouse had lost rows of them.", "topic"),
		stopped: gauge("stopped", "1 = stopped until somebody acts, see the log.", "topic"),
		failing: gauge("failing", "Consecutive failed tries to store the present batch.", "topic"),
		auditGap: gauge("audit_gap", "Offsets by which a table is behind (rows lost) or ahead of what the group committed; missing: of a sample of the log.",
			"topic", "table", "kind"),
		audits: counter("audits_total", "Audits by result: ok, gap, failed.", "result"),
	}
	m.stale = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: "plumbline", Subsystem: "sink", Name: "views_stale", Help: "KPI views that ClickHouse has not counted anew for three minutes, at the last audit.",
	})
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "plumbline", Subsystem: "sink", Name: "insert_seconds", Help: "Time of one INSERT.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"table"})
	reg.MustRegister(m.seconds, m.stale)
	return m
}
