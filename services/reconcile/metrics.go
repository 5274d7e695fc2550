package reconcile

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	calls    *prometheus.GaugeVec
	left     *prometheus.GaugeVec
	failures *prometheus.CounterVec
	polled   *prometheus.CounterVec
	late     *prometheus.GaugeVec
	asked    prometheus.Counter
	answered prometheus.Counter
	compared *prometheus.GaugeVec
	linked   *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		calls: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plumbline_crm_calls_hour", Help: "API calls of this process in the current or last hour.",
		}, []string{"system", "account", "lane"}),
		left: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plumbline_crm_calls_left", Help: "API calls that polling may still make within the share of the day.",
		}, []string{"system", "account"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plumbline_crm_failures_total", Help: "Readings that failed, by what kind of error.",
		}, []string{"kind"}),
		polled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "plumbline_crm_polled_records_total", Help: "Records that polls brought.",
		}, []string{"system", "object"}),
		late: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plumbline_crm_lateness_seconds", Help: "How late a modified record shows in the system's own answers, learned.",
		}, []string{"system", "object"}),
		asked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plumbline_checks_asked_total", Help: "Records that checks asked for.",
		}),
		answered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "plumbline_checks_answered_total", Help: "Of these, answered within the budget.",
		}),
		compared: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plumbline_compared_through_seconds", Help: "Start of the last complete comparison, as Unix time.",
		}, []string{"integration", "object"}),
		linked: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "plumbline_linked_ratio", Help: "Share of the source's records that have their copy in the target, by the last complete comparison.",
		}, []string{"integration", "object"}),
	}
	reg.MustRegister(m.calls, m.left, m.failures, m.polled, m.late, m.asked, m.answered, m.compared, m.linked)
	return m
}
