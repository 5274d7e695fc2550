package rehearse

import (
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/evaluate"
)

// count has the rules' own sums follow what the watch hears. What they say equals
// the views (standalone.TestRulesAndViewsAgree).
func (f *fold) count(r stream.Record) {
	r.Offset = f.rates.Next()
	var out stream.Out // what it tells, the watch tells too
	f.rates.Process(&r, &out)
}

// kpis are the rules' values over exactly the run. Drift and coverage ask for
// comparisons of whole sets.
func (f *fold) kpis(cfg *config.Config, w *evaluate.World) map[string]evaluate.KPI {
	out := map[string]evaluate.KPI{}
	from, to := event.Time(w.Start), event.Time(w.Until())
	from -= from % event.Minute
	for i := range cfg.Integrations {
		in := &cfg.Integrations[i]
		s := f.counts.Success(in, from, to)
		k := evaluate.KPI{Value: s.Value, Known: s.HasValue, Beside: map[string]float64{}}
		if s.Basis == "records" {
			k.Beside["by_records"], k.Beside["record_success_rate"] = 1, s.Value
		}
		out[in.ID+"/"+evaluate.KPISuccess] = k
		l := f.counts.Latency(in, from, to)
		out[in.ID+"/"+evaluate.KPILatency] = evaluate.KPI{Value: l.Value, Known: l.HasValue}
		out[in.ID+"/"+evaluate.KPIMTTR] = f.mttr(in.ID, from, to)
	}
	return out
}

// mttr is the mean over incidents that ended in a window, and of those open at
// its end at their age by then.
func (f *fold) mttr(integration string, from, to event.Time) evaluate.KPI {
	var sum, n int64
	for _, i := range incidentsOf(f.out[topic.Incidents]) {
		if i.Integration != integration || i.Detected >= int64(to) || i.Resolved != 0 && i.Resolved < int64(from) {
			continue
		}
		end := i.Resolved
		if end == 0 || end >= int64(to) {
			end = int64(to)
		}
		sum, n = sum+end-i.Detected, n+1
	}
	return evaluate.KPI{Value: float64(sum) / float64(max(n, 1)), Known: n > 0}
}
