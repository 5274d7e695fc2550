package evaluate

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// incidents scores which were found, how far off their onset is, and how many
// there should not be.
func (s *sheet) incidents(w *World, f *Findings) {
	used := map[string]bool{}
	found, off := 0, []int64{}
	var seen []int64
	for _, i := range w.Incidents {
		best := match(i, f.Incidents, w)
		if best == nil {
			continue
		}
		found++
		used[best.ID] = true
		off = append(off, abs(best.Onset-i.Onset))
		seen = append(seen, best.Detected-int64(i.At))
	}
	s.share(GroupIncidents, "found", found, len(w.Incidents))
	s.count(GroupIncidents, "opened", opened(w, f), "one for each fault would do")
	s.times(GroupIncidents, seen)
	r := Row{Group: GroupIncidents, Name: "onset error p50", Unit: Seconds, Of: len(off), Measured: len(off) > 0}
	if len(off) > 0 {
		r.Value = float64(quantile(off, 0.5)) / 1000
	}
	s.rows = append(s.rows, r)
	extra := 0
	for _, x := range f.Incidents {
		extra += boolInt(!used[x.ID] && !w.explained(&x))
	}
	s.count(GroupIncidents, "false ones", extra, "")
}

// opened are the incidents that were detected before the end.
func opened(w *World, f *Findings) int {
	n := 0
	for i := range f.Incidents {
		n += boolInt(f.Incidents[i].Detected <= w.End)
	}
	return n
}

// match is the incident row that stands for a true one: same integration, open
// at the same time, of its class where both name one; the nearest onset.
func match(i *Incident, rows []IncidentRow, w *World) *IncidentRow {
	end := i.Ended
	if end == 0 {
		end = w.End
	}
	var best *IncidentRow
	for k := range rows {
		x := &rows[k]
		switch {
		case x.Integration != i.Sync || x.Detected > end+w.Deadline || x.Detected < int64(i.At)-slack:
		case i.Class != "" && x.Class != "" && x.Class != i.Class:
		case best == nil || abs(x.Onset-i.Onset) < abs(best.Onset-i.Onset):
			best = x
		}
	}
	return best
}

// explained reports whether some difference or failure of the truth stands
// behind an incident that is no fault's: refusals of daily life are real too.
func (w *World) explained(x *IncidentRow) bool {
	for _, g := range w.Gaps {
		if g.Sync == x.Integration && int64(g.At)-slack <= x.Detected && x.Detected <= g.Ended+w.Deadline {
			return true
		}
	}
	for _, l := range w.Attempts {
		if l.Sync == x.Integration && l.Outcome == event.OutcomeError && abs(int64(l.At)-x.Detected) < w.Deadline {
			return true
		}
	}
	return false
}

func abs(n int64) int64 { return max(n, -n) }

// agents scores who was stopped, or should have been.
func (s *sheet) agents(w *World, f *Findings) {
	runaway := map[string]bool{}
	theft := 0
	for _, x := range w.Faults {
		switch {
		case strings.HasPrefix(x.Actor, event.ActorAgent):
			runaway[x.ID] = true
		case x.Cause == "token_theft":
			theft++
		}
	}
	hits, wrong := 0, 0
	for _, run := range slices.Compact(slices.Sorted(slices.Values(f.Tripped))) {
		if runaway[run] {
			hits++
		} else {
			wrong++
		}
	}
	s.share(GroupAgents, "runaways tripped", hits, len(runaway))
	s.count(GroupAgents, "tripped without cause", wrong, "")
	told := 0
	for _, a := range f.Alerts {
		told += boolInt(strings.Contains(a.Rule, "token"))
	}
	s.share(GroupAgents, "thefts told", min(told, theft), theft)
}
