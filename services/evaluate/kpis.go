package evaluate

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

// Names of KPIs, as the views have them.
const (
	KPISuccess  = "kpi_sync_success_rate"
	KPILatency  = "kpi_sync_latency"
	KPIMTTR     = "kpi_mttr"
	KPIDrift    = "kpi_drift_rate"
	KPICoverage = "kpi_reconciliation_coverage"
)

// kpis compares each KPI over the whole run with what the truth makes of the
// same definition. With several tenants, the worst error counts.
func (s *sheet) kpis(w *World, f *Findings) {
	s.kpi(w, f, KPISuccess, "success rate error", Points, w.success)
	s.beside(w, f)
	s.untold(w)
	s.kpi(w, f, KPILatency, "latency p95 error", Relative, w.latency)
	s.kpi(w, f, KPIMTTR, "MTTR error", Relative, w.mttr(f))
	s.kpi(w, f, KPIDrift, "drift rate error", Points, w.drift)
	s.kpi(w, f, KPICoverage, "coverage error", Points, w.coverage)
}

// kpi is the worst error over integrations. Points are those of a percentage.
func (s *sheet) kpi(w *World, f *Findings, view, name, unit string, want func(integration string, k KPI) (float64, bool)) {
	r := Row{Group: GroupKPIs, Name: name, Unit: unit}
	unknown := 0
	for _, integration := range slices.Sorted(maps.Keys(w.runs)) {
		k, ok := f.KPIs[integration+"/"+view]
		truth, can := want(integration, k)
		if !ok || !k.Known || !can {
			unknown++
			continue
		}
		off := math.Abs(k.Value - truth)
		if unit == Relative {
			off /= math.Max(math.Abs(truth), 1)
		} else {
			off *= 100
		}
		if r.Value = math.Max(r.Value, off); off >= r.Value {
			r.Note = "said " + short(k.Value) + ", was " + short(truth)
		}
		r.Measured = true
		r.Of++
	}
	if !r.Measured {
		r.Note = "the view does not say"
	}
	if view == KPIDrift && unknown > 0 {
		r.Note = strings.TrimPrefix(r.Note+"; "+w.blind(f), "; ")
	}
	s.rows = append(s.rows, r)
}

// blind says whether drift is rightly unknown where it is: whether records that
// differed while nobody could look are over the KPI's target. Any number would be
// more wrong than what it is held against.
func (w *World) blind(f *Findings) string {
	var notes []string
	for _, integration := range slices.Sorted(maps.Keys(w.runs)) {
		k, ok := f.KPIs[integration+"/"+KPIDrift]
		if !ok || k.Known {
			continue
		}
		seen, dark := map[string]bool{}, map[string]bool{}
		for _, g := range w.Gaps {
			if r := w.reachBy(g, w.Until()); g.Sync == integration && int64(g.At) < w.Until() && r != underWay {
				name := g.Object + "/" + first(g.SourceID, g.TargetID)
				seen[name] = seen[name] || r == knowable
				dark[name] = true
			}
		}
		maps.DeleteFunc(dark, func(name string, _ bool) bool { return seen[name] })
		word := "unknown without need"
		if float64(len(dark)) >= driftTarget*k.Beside["denominator"] {
			word = "rightly unknown"
		}
		notes = append(notes, fmt.Sprintf("%s: %d of %g records differed while nobody could look", word, len(dark), k.Beside["denominator"]))
	}
	return strings.Join(notes, "; ")
}

// driftTarget of kpis.md 4.
const driftTarget = 0.01

// success is KPI 1 by its definition: attempts where they are reported, else
// changes that were delivered in time.
func (w *World) success(integration string, k KPI) (float64, bool) {
	if k.Beside["by_records"] > 0 {
		return w.recordSuccess(integration)
	}
	ok, ended, _ := w.writes(integration)
	if ended == 0 {
		return 0, false
	}
	return float64(ok) / float64(ended), true
}

// recordSuccess is the share of due changes that arrived in time.
func (w *World) recordSuccess(integration string) (float64, bool) {
	hits, due := 0, 0
	for _, c := range w.Changes {
		if c.Sync != integration || !w.counts(c) || w.fate(c) == left {
			continue
		}
		due++
		hits += boolInt(w.fate(c) == inTime)
	}
	return float64(hits) / float64(max(due, 1)), due > 0
}

// beside is the record success rate, always shown next to KPI 1.
func (s *sheet) beside(w *World, f *Findings) {
	r := Row{Group: GroupKPIs, Name: "record success error", Unit: Points}
	for _, integration := range slices.Sorted(maps.Keys(w.runs)) {
		said, ok := f.KPIs[integration+"/"+KPISuccess].Beside["record_success_rate"]
		was, can := w.recordSuccess(integration)
		if !ok || !can {
			continue
		}
		r.Measured = true
		if off := 100 * math.Abs(said-was); off >= r.Value {
			r.Value, r.Note = off, "said "+short(said)+", was "+short(was)
		}
	}
	s.rows = append(s.rows, r)
}

// untold is what no rate over reports can hold: it shows as silent failures.
func (s *sheet) untold(w *World) {
	all := 0
	for _, integration := range slices.Sorted(maps.Keys(w.runs)) {
		_, _, n := w.writes(integration)
		all += n
	}
	s.count(GroupKPIs, "failures that no report told", all, "")
}

// latency is the p95 of due deliveries; those that did not arrive have their
// age at the end.
func (w *World) latency(integration string, _ KPI) (float64, bool) {
	var ms []int64
	for _, c := range w.Changes {
		if c.Sync != integration || !w.counts(c) || c.state == StateSuperseded || len(c.Actor) >= 6 && c.Actor[:6] == event.ActorImport {
			continue
		}
		if c.delivered != 0 {
			ms = append(ms, c.delivered-int64(c.At))
		} else {
			ms = append(ms, w.Until()-int64(c.At))
		}
	}
	if len(ms) == 0 {
		return 0, false
	}
	return float64(quantile(ms, 0.95)), true
}

// mttr is the mean over incidents, the open ones at their age so far, from when
// they can be known. Differences of daily life are incidents too, of which the
// truth has no word: they count as they stand.
func (w *World) mttr(f *Findings) func(string, KPI) (float64, bool) {
	sums, counts := map[string]float64{}, map[string]float64{}
	add := func(integration string, from, to int64) {
		if to == 0 || to > w.Until() {
			to = w.Until()
		}
		sums[integration] += float64(max(to-from, 0))
		counts[integration]++
	}
	faults := map[string]bool{}
	for _, i := range w.Incidents {
		add(i.Sync, i.Known, i.Ended)
		faults[i.Sync] = true
	}
	stands := w.standing(f)
	for i := range f.Incidents {
		if x := &f.Incidents[i]; x.Detected <= w.End && !stands[x.ID] && w.explained(x) {
			add(x.Integration, x.Detected, x.Resolved)
		}
	}
	return func(integration string, _ KPI) (float64, bool) {
		return sums[integration] / math.Max(counts[integration], 1), faults[integration]
	}
}

// standing are the incidents that stand for true ones.
func (w *World) standing(f *Findings) map[string]bool {
	out := map[string]bool{}
	for _, i := range w.Incidents {
		if best := match(i, f.Incidents, w); best != nil {
			out[best.ID] = true
		}
	}
	return out
}

// drift is the share of the records that differed of those that were compared.
// The truth knows no difference while a write is under way. One that was soon
// over may have been seen or not: the nearest share that those leave possible.
func (w *World) drift(integration string, k KPI) (float64, bool) {
	compared := k.Beside["denominator"]
	if compared == 0 {
		return 0, false
	}
	sure, open := map[string]bool{}, map[string]bool{}
	for _, g := range w.Gaps {
		if g.Sync != integration || int64(g.At) >= w.Until() {
			continue
		}
		name := g.Object + "/" + first(g.SourceID, g.TargetID)
		open[name] = true
		if w.reachBy(g, w.Until()) == knowable {
			sure[name] = true
		}
	}
	return min(max(k.Value, float64(len(sure))/compared), float64(len(open))/compared), true
}

// comparing is what it takes from the last page of both sides to the result: a
// second or two, and a fast run is only so exact.
const comparing = 60_000

// coverage is the share of the sets of which somebody was shown both sides in
// time to be compared: a run is shorter than every schedule. What was being
// compared at the end counts either way. All objects of a scenario are critical.
func (w *World) coverage(integration string, k KPI) (float64, bool) {
	sure, perhaps, all := 0, 0, 0
	for _, s := range w.Sets {
		if s.Sync != integration {
			continue
		}
		n := 1 + len(s.Fields)
		all += n
		last := int64(0)
		for _, at := range s.Listed {
			last = max(last, at)
		}
		sure += n * boolInt(len(s.Listed) == 2 && last < w.Until()-comparing)
		perhaps += n * boolInt(len(s.Listed) == 2 && last < w.Until())
	}
	of := float64(max(all, 1))
	return min(max(k.Value, float64(sure)/of), float64(perhaps)/of), all > 0
}

func short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
