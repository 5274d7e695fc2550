package process

import "github.com/prometheus/client_golang/prometheus"

// StreamTimeMetric is how far each stage has come: behind the clock by as much
// as its deadlines come late.
const StreamTimeMetric = "plumbline_process_stream_time_seconds"

type metrics struct {
	inputs   prometheus.Counter
	outputs  prometheus.Counter
	restarts prometheus.Counter
	restored prometheus.Counter
	commit   prometheus.Histogram
	time     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer, stage string) *metrics {
	labels := prometheus.Labels{"stage": stage}
	m := &metrics{
		inputs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plumbline_process_inputs_total", Help: "Records folded.", ConstLabels: labels,
		}),
		outputs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plumbline_process_outputs_total", Help: "Records written.", ConstLabels: labels,
		}),
		restarts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plumbline_process_restarts_total", Help: "Sessions that ended in doubt and were restored.",
			ConstLabels: labels,
		}),
		restored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plumbline_process_restored_partitions_total", Help: "Partitions whose state was read back: after a start, a doubt, or because they came from another member.",
			ConstLabels: labels,
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "plumbline_process_commit_seconds", Help: "Time to save state and end a transaction.",
			ConstLabels: labels, Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		time: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: StreamTimeMetric, Help: "Stream time of the slowest partition at the last commit, in seconds since 1970.",
			ConstLabels: labels,
		}),
	}
	if reg != nil {
		reg.MustRegister(m.inputs, m.outputs, m.restarts, m.restored, m.commit, m.time)
	}
	return m
}
