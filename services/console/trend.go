package console

import (
	"math"
	"slices"
)

// wholeWindow is the bucket that stands for all of them.
const wholeWindow = -1

// trend returns a KPI's points on one basis, as buckets of the window.
func (s *Snapshot) trend(kpi string, r kpiRow, basis string) []point {
	first := s.From.Unix() / int64(s.Window.bucketSeconds())
	var out []point
	for _, t := range s.Trend {
		if t.KPI == kpi && t.Tenant == r.Tenant && t.Integration == r.Integration && t.Basis == basis && t.Bucket != wholeWindow {
			out = append(out, point{int(t.Bucket - first), t.Value})
		}
	}
	slices.SortFunc(out, func(a, b point) int { return a.at - b.at })
	return out
}

// buckets of the window; its ends are seldom on a bucket's edge.
func (s *Snapshot) buckets() int { return int(s.Window.Span/s.Window.Bucket) + 1 }

// median of the latency on the basis of a row, nil when unknown.
func (s *Snapshot) median(r LatencyRow) *float64 {
	for i := range s.Trend {
		t := &s.Trend[i]
		if t.KPI == "sync_latency" && t.Tenant == r.Tenant && t.Integration == r.Integration && t.Basis == r.Basis && t.Bucket == wholeWindow {
			return &t.P50
		}
	}
	return nil
}

func (s *Snapshot) successSpark(r SuccessRow) *Spark {
	p := s.trend("sync_success_rate", r.kpiRow, r.Basis)
	low, worst := r.Target, math.Inf(1)
	for _, x := range p {
		low, worst = math.Min(low, x.value), math.Min(worst, x.value)
	}
	// The scale ends at 100 % and leaves room under the lowest point.
	low = math.Max(0, low-(1-low)*0.15)
	chart := newSpark(p, s.buckets(), low, 1, r.Target)
	if chart != nil {
		chart.Label = "Sync success rate over the " + s.Window.Words + ": lowest " + percent(worst) + ", latest " + percent(p[len(p)-1].value)
	}
	return chart
}

func (s *Snapshot) latencySpark(r LatencyRow) *Spark {
	p := s.trend("sync_latency", r.kpiRow, r.Basis)
	high := 0.
	for _, x := range p {
		high = math.Max(high, x.value)
	}
	// The target is on the chart where it is near; far above, it would flatten the line.
	scale := high * 1.2
	if r.Target < high*2.5 {
		scale = math.Max(scale, r.Target*1.15)
	}
	chart := newSpark(p, s.buckets(), 0, scale, r.Target)
	if chart != nil {
		chart.Label = "Sync latency (p95) over the " + s.Window.Words + ": highest " + duration(high) + ", latest " + duration(p[len(p)-1].value)
	}
	return chart
}

// learntHours is how far the baseline of a row has come.
func (s *Snapshot) learntHours(r LatencyRow) uint64 {
	for _, h := range s.Seen {
		if h.Tenant == r.Tenant && h.Integration == r.Integration && h.Object == r.Object && h.Series == r.Series && h.Basis == r.Basis {
			return h.Hours
		}
	}
	return 0
}
