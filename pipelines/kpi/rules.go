package kpi

import (
	"fmt"
	"math"
	"slices"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Words of status and reason, as in the views.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusBreach  = "breach"
	statusUnknown = "unknown"

	reasonNoData      = "no_data"
	reasonLowSample   = "low_sample"
	reasonLearning    = "learning"
	reasonBlind       = "blind"
	reasonNotObserved = "not_observed"
)

// Defaults of kpis.md.
const (
	successTarget  = 0.99
	successWarning = 0.97
	lowSample      = 30
	warnRecords    = 3   // failed records without which nothing warns
	warnGrowth     = 3.0 // times the baseline
	warnShare      = 0.1 // of the target, below which no growth matters
	skewShare      = 0.1 // of the target, beyond which clocks tell nothing
	coverShare     = 0.8 // of the due that a basis must cover
	learnDays      = 7
	learnHours     = 3
)

// Measure is one KPI of one integration over one window.
type Measure struct {
	Value       float64
	HasValue    bool
	Numerator   int64
	Denominator int64
	Target      float64
	Warning     float64
	Fired       bool // the warning signal
	Status      string
	Reason      string
	Basis       string
	Silent      int64
	Waiting     int64
	AtLeast     bool // the true value may be higher
	Baseline    float64
}

// Success judges KPI 1 over a window of up to a day.
func (k *KPI) Success(in *config.Integration, from, to event.Time) Measure {
	w := k.sum(in.ID, from, to)
	m := Measure{
		Numerator: w.ok, Denominator: w.ended, Basis: "attempts", Silent: w.silent, Waiting: k.waiting(in.ID, to),
		Target:  in.Threshold(config.ThresholdSuccess, successTarget),
		Warning: in.Threshold(config.ThresholdSuccessWarning, successWarning),
	}
	failed := int64(len(w.failed))
	if in.Attempts == config.AttemptsErrors || in.Attempts == config.AttemptsNone {
		m.Basis, m.Numerator, m.Denominator, failed = "records", w.recordsOK, w.records, int64(len(w.missed))+w.observed
	}
	if m.Denominator > 0 {
		m.Value, m.HasValue = float64(m.Numerator)/float64(m.Denominator), true
	}
	switch known := m.Denominator >= lowSample; {
	case !known:
		m.Status, m.Reason = statusUnknown, whyNoRate(m, w)
		return m
	case m.Value <= m.Target:
		m.Status = statusBreach
	default:
		m.Status = statusOK
	}
	m.Fired = m.Value < m.Warning && failed >= warnRecords
	if m.Fired && m.Status == statusOK {
		m.Status = statusWarning
	}
	return m
}

func whyNoRate(m Measure, w *window) string {
	switch {
	case m.Denominator > 0:
		return reasonLowSample
	case m.Basis == "attempts" && m.Waiting > 0:
		return reasonBlind
	case m.Basis == "records" && w.unseen > 0:
		return reasonNotObserved
	}
	return reasonNoData
}

// waiting is what is overdue: all that waits but for what is due later.
func (k *KPI) waiting(integration string, to event.Time) int64 {
	s := k.standing.Get(integration)
	if s == nil {
		return 0
	}
	n := s.Waiting
	k.over(integration, to, to+2*event.Day, func(m *Minute) {
		for _, t := range m.States {
			if waits(t.State) {
				n -= t.N
			}
		}
	})
	return n
}

// bases from the strongest down.
var bases = []string{event.BasisAppliedEvent, event.BasisAppliedPoll, event.BasisAppliedReadback, event.BasisAcknowledged}

// Latency judges KPI 2 over a window.
func (k *KPI) Latency(in *config.Integration, from, to event.Time) Measure {
	w := k.sum(in.ID, from, to)
	m := Measure{Target: float64(in.LatencyTarget()), Waiting: k.waiting(in.ID, to)}
	h, delivered := k.choose(in, w, &m)
	covered := h.count()
	m.Numerator, m.Denominator = h.OnTime, covered
	if covered > 0 {
		m.Value, m.HasValue = event.BucketMS(h.quantile(0.95)), true
		m.AtLeast = covered > delivered && len(w.open) > 0 && k.youngest(in, w) <= m.Value*(1+bucketError)
	}
	skewed := covered > 0 && -event.BucketMS(h.quantile(0.05)) > skewShare*m.Target
	switch {
	case w.due == 0:
		m.Reason = reasonNoData
	case covered == 0:
		m.Reason = reasonNotObserved
	case covered < lowSample:
		m.Reason = reasonLowSample
	case skewed:
		m.Reason = reasonNotObserved
	}
	if m.Reason != "" {
		m.Status = statusUnknown
		return m
	}
	k.compare(in, w, &h, &m)
	return m
}

// bucketError is how far the middle of a bucket may be from what is in it.
const bucketError = 0.01

func (k *KPI) choose(in *config.Integration, w *window, m *Measure) (Histogram, int64) {
	arrivedAny := int64(0)
	for _, b := range bases {
		h, delivered := w.on(b, deadline(in))
		if arrivedAny += delivered; delivered > 0 && float64(h.count()) >= coverShare*float64(w.due) {
			m.Basis = b
			return h, delivered
		}
	}
	if arrivedAny == 0 {
		h, _ := w.on("", deadline(in)) // only ages
		return h, 0
	}
	return Histogram{}, 0
}

// compare holds the p95 against target and baseline. The target is compared
// by what was on time, exactly; buckets would blur it.
func (k *KPI) compare(in *config.Integration, w *window, h *Histogram, m *Measure) {
	under := h.OnTime
	for _, a := range w.open {
		if float64(w.to-(a.due-deadline(in))) < m.Target {
			under += a.n
		}
	}
	met := under > int64(0.95*float64(h.count()))
	baseline, ok := k.baseline(in.ID, m.Basis, w.from)
	m.Baseline, m.Warning = baseline, warnGrowth*baseline
	m.Fired = ok && m.Value > warnGrowth*baseline && m.Value > warnShare*m.Target
	switch {
	case !met:
		m.Status = statusBreach
	case !ok:
		m.Status, m.Reason = statusUnknown, reasonLearning
	case m.Fired:
		m.Status = statusWarning
	default:
		m.Status = statusOK
	}
}

func (k *KPI) youngest(in *config.Integration, w *window) float64 {
	least := math.Inf(1)
	for _, a := range w.open {
		least = min(least, float64(w.to-(a.due-deadline(in))))
	}
	return least
}

// baseline is the median of the hourly p95 of the same hour of the week in
// four weeks before the window; until a week is seen, of all earlier hours.
func (k *KPI) baseline(integration, basis string, from event.Time) (float64, bool) {
	var all, same []int
	first := from
	take := func(n Normal) {
		if n.Basis != basis || n.Hour < from-baselineSpan || n.Hour >= from {
			return
		}
		all, first = append(all, n.P95), min(first, n.Hour)
		if (n.Hour/event.Hour-from/event.Hour)%168 == 0 {
			same = append(same, n.P95)
		}
	}
	if s := k.standing.Get(integration); s != nil {
		for _, n := range s.Baseline {
			take(n)
		}
	}
	for hour := floor(from, event.Hour) - keepHours*event.Hour; hour < from; hour += event.Hour {
		for _, n := range k.normals(integration, hour, from) {
			take(n)
		}
	}
	switch days := (from - first) / event.Day; {
	case days >= learnDays && len(same) > 0:
		return median(same), true
	case len(all) >= learnHours:
		return median(all), true
	}
	return 0, false
}

func median(buckets []int) float64 {
	slices.Sort(buckets)
	return event.BucketMS(buckets[len(buckets)/2])
}

// normals are the p95s of one hour that is still kept by the minute.
func (k *KPI) normals(integration string, hour, until event.Time) []Normal {
	if k.hours.Get(hourKey(integration, hour)) == nil {
		return nil
	}
	w := k.sum(integration, hour, min(hour+event.Hour, until))
	var out []Normal
	for _, b := range bases {
		if h := w.histograms[b]; h != nil && h.count() > 0 {
			out = append(out, Normal{Hour: hour, Basis: b, P95: h.quantile(0.95)})
		}
	}
	return out
}

func deadline(in *config.Integration) event.Time {
	if in.Deadline > 0 {
		return event.Time(time.Duration(in.Deadline).Milliseconds())
	}
	if in.Mode == config.Batch {
		return event.Hour
	}
	return 5 * event.Minute
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
