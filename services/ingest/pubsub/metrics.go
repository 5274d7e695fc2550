package pubsub

import "github.com/prometheus/client_golang/prometheus"

// Metrics of all streams of a process.
type Metrics struct {
	events, failures *prometheus.CounterVec
	seen             *prometheus.GaugeVec
}

// NewMetrics registers them; nil registers nowhere.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plumbline_stream_events_total", Help: "Events taken from a vendor's stream.",
		}, []string{"stream"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plumbline_stream_failures_total", Help: "Times a stream broke off, by kind: auth, expired, denied, limit, network, refused.",
		}, []string{"stream", "kind"}),
		seen: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plumbline_stream_last_seen_seconds", Help: "When a stream last said anything, events or that it is alive; unix time.",
		}, []string{"stream"}),
	}
	if reg != nil {
		reg.MustRegister(m.events, m.failures, m.seen)
	}
	return m
}
