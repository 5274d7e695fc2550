package ingest

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"plumbline.dev/services/ingest/spool"
)

type metrics struct {
	requests     *prometheus.CounterVec
	events       *prometheus.CounterVec
	deadLetters  *prometheus.CounterVec
	ignored      *prometheus.CounterVec
	signatures   *prometheus.CounterVec
	unknownField *prometheus.CounterVec
	quarantine   *prometheus.CounterVec
	ack          *prometheus.HistogramVec
	inflight     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "plumbline_ingest_" + name, Help: help}, labels)
	}
	m := &metrics{
		requests:     counter("requests_total", "Requests by route and status.", "route", "code"),
		events:       counter("events_total", "Events made durable.", "route"),
		deadLetters:  counter("dead_letters_total", "Elements that could not be decoded.", "route", "code"),
		ignored:      counter("ignored_total", "Elements of a type that is not used.", "route"),
		signatures:   counter("signature_failures_total", "Requests refused by signature or token.", "route", "reason"),
		unknownField: counter("unknown_members_total", "Members of own formats that nobody knows.", "route"),
		quarantine: counter("quarantine_total", "Requests that no configured secret signed: kept, full, released, expired.",
			"route", "what"),
		ack: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "plumbline_ingest_ack_seconds", Help: "From the first byte of an accepted request to its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route"}),
		inflight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "plumbline_ingest_inflight_bytes", Help: "Bytes of the bodies being worked on.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.events, m.deadLetters, m.ignored, m.signatures, m.unknownField, m.quarantine, m.ack, m.inflight,
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// routeMetrics are one route's, looked up once: a lookup by label costs more
// than counting.
type routeMetrics struct {
	m                         *metrics
	name                      string
	accepted, events, ignored prometheus.Counter
	unknownField              prometheus.Counter
	ack                       prometheus.Observer
}

func (m *metrics) route(name string) routeMetrics {
	return routeMetrics{
		m: m, name: name, accepted: m.requests.WithLabelValues(name, "202"), events: m.events.WithLabelValues(name),
		ignored: m.ignored.WithLabelValues(name), unknownField: m.unknownField.WithLabelValues(name),
		ack: m.ack.WithLabelValues(name),
	}
}

func (r *routeMetrics) refused(code int) {
	r.m.requests.WithLabelValues(r.name, strconv.Itoa(code)).Inc()
}

// Register adds the spool's gauges.
func (d *Durable) Register(reg prometheus.Registerer) error {
	gauge := func(name, help string, value func(spool.Stats) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "plumbline_spool_" + name, Help: help},
			func() float64 { return value(d.Stats()) })
	}
	for _, c := range []prometheus.Collector{
		gauge("records", "Requests that wait on the local disk for the log.", func(s spool.Stats) float64 { return float64(s.Records) }),
		gauge("bytes", "Bytes of the spool on disk.", func(s spool.Stats) float64 { return float64(s.Bytes) }),
		gauge("set_aside", "Records set aside since the start, rotten or refused by the log: page somebody.",
			func(s spool.Stats) float64 { return float64(s.Rotten) }),
		gauge("failed_writes", "Groups that the disk did not take since the start.", func(s spool.Stats) float64 { return float64(s.Failed) }),
		gauge("oldest_age_seconds", "How long the oldest record may have waited, 0 if none does.", func(s spool.Stats) float64 {
			if s.Oldest.IsZero() {
				return 0
			}
			return time.Since(s.Oldest).Seconds()
		}),
	} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}
