package notify

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	changes    *prometheus.CounterVec
	unreadable prometheus.Counter
	failed     prometheus.Counter
	silence    *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	const prefix = "plumbline_notify_"
	m := &metrics{
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "changes_total", Help: "Changes of alerts handed on, by status.",
		}, []string{"status"}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "unreadable_total", Help: "Records of alert-states that are no alert of this version.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "failed_total", Help: "Alerts that could not be handed on; they are tried again.",
		}),
		silence: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "watchdog_age_seconds", Help: "Since the last watchdog of a tenant; over 180 is a page.",
		}, []string{"tenant"}),
	}
	reg.MustRegister(m.changes, m.unreadable, m.failed, m.silence)
	return m
}
