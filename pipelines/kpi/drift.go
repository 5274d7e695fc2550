package kpi

import (
	"math"
	"slices"
	"strings"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Defaults of kpis.md 4.
const (
	driftTarget = 0.01
	comparedMin = 0.5 // share of the records below which nothing is known
	faster      = 1.5 // lower bound of the ratio from which drift accelerates
	fasterMin   = 10  // records
)

// DriftMeasure is KPI 4 with what it is made of.
type DriftMeasure struct {
	Measure
	New    int64   // equal at their comparison before
	Old    int64   // differed when first compared
	Open   int64   // still differ
	Share  float64 // of the records that were compared
	Faster float64 // lower 95 % bound of the ratio after a schema signal to before
	Signal string
	Held   int64 // changes that missed their deadline
}

// Drift judges KPI 4 over a window.
func (k *KPI) Drift(in *config.Integration, from, to event.Time) DriftMeasure {
	m := DriftMeasure{Measure: Measure{Target: in.Threshold(config.ThresholdDrift, driftTarget), Warning: faster}}
	compared, records, looked := k.lookedAt(in.ID, from, to)
	k.records(in.ID, from, to, func(r *differing) {
		m.Numerator += r.n
		if last, ok := looked[r.object]; ok && r.made > last { // no run has seen it: it was compared by itself
			compared, records = compared+r.n, records+r.n
		}
		if r.fresh {
			m.New += r.n
		} else {
			m.Old += r.n
		}
		if r.open {
			m.Open += r.n
		}
		m.AtLeast = m.AtLeast || r.full
	})
	m.Denominator = compared
	if records > 0 {
		m.Share = min(float64(compared)/float64(records), 1)
	}
	m.Held = k.missedIn(in.ID, from, to)
	blind := compared > 0 && m.Held > 2*m.Numerator && float64(m.Held-m.Numerator) >= m.Target*float64(compared)
	if compared > 0 && !blind {
		m.Value, m.HasValue = min(float64(m.Numerator)/float64(compared), 1), true
	}
	switch {
	case compared == 0:
		m.Status, m.Reason = statusUnknown, reasonNoData
		return m
	case m.Share < comparedMin:
		m.Status, m.Reason = statusUnknown, reasonNotObserved
		return m
	case blind:
		m.Status, m.Reason = statusUnknown, reasonBlind
		return m
	}
	m.Faster, m.Signal = k.accelerates(in.ID, from, to)
	m.Fired = m.Faster > faster
	switch {
	case m.Value >= m.Target:
		m.Status = statusBreach
	case m.Fired:
		m.Status = statusWarning
	default:
		m.Status = statusOK
	}
	return m
}

// differing is one record with its divergences of a window.
type differing struct {
	object string
	n      int64 // each duplicate counts once, all else is the record itself
	first  event.Time
	made   event.Time
	fresh  bool
	open   bool
	full   bool // of a shard that holds no more
}

// records visits each record that differed in a window.
func (k *KPI) records(integration string, from, to event.Time, visit func(*differing)) {
	for _, key := range under(k.drifted.Keys(), integration) {
		s := k.drifted.Get(key)
		for i := 0; i < len(s.List); {
			record, r := s.List[i].Record, differing{object: objectOf(key), full: s.Full}
			seen, duplicates := false, int64(0)
			for ; i < len(s.List) && s.List[i].Record == record; i++ {
				d := &s.List[i]
				if !d.in(from, to) {
					continue
				}
				if !seen || d.Confirmed < r.first {
					r.first = d.Confirmed
				}
				r.made = max(r.made, d.Made)
				seen, r.fresh, r.open = true, r.fresh || !d.Pre, r.open || d.Ended == 0 || d.Ended >= to
				if d.Duplicate {
					duplicates++
				}
			}
			if r.n = max(1, duplicates); seen {
				visit(&r)
			}
		}
	}
}

// objectOf is the object in a shard's key.
func objectOf(key string) string {
	_, rest, _ := strings.Cut(key, "/")
	return rest[:strings.LastIndexByte(rest, '/')]
}

// accelerates is how much faster records came to differ after a signal than in
// the week before it: the lower bound of the ratio, of the worst signal.
func (k *KPI) accelerates(integration string, from, to event.Time) (worst float64, signal string) {
	s := k.standing.Get(integration)
	if s == nil || len(s.Schema) == 0 {
		return 0, ""
	}
	var firsts []event.Time
	k.records(integration, from-week, to, func(r *differing) {
		if r.fresh {
			firsts = append(firsts, r.first)
		}
	})
	slices.Sort(firsts)
	between := func(a, b event.Time) float64 {
		i, _ := slices.BinarySearch(firsts, a)
		j, _ := slices.BinarySearch(firsts, b)
		return float64(j - i)
	}
	for _, x := range s.Schema {
		if x.At < from || x.At >= to {
			continue
		}
		before := between(x.At-week, x.At)
		for _, days := range []float64{1, 7} {
			after := between(x.At, x.At+event.Time(days)*event.Day)
			if after < fasterMin {
				continue
			}
			if b := bound(after, days, before); b > worst {
				worst, signal = b, x.Summary
			}
		}
	}
	return worst, signal
}

// bound is the lower 95 % bound of the ratio of two rates.
func bound(after, days, before float64) float64 {
	floored := max(before, 0.5)
	return math.Exp(math.Log(after/days/(floored/7)) - 1.96*math.Sqrt(1/max(after, 0.5)+1/floored))
}
