package evaluate

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// flapHold is within what a trouble that comes back is the same incident
// (kpis.md 3).
const flapHold = 10 * 60_000

// troubles makes of the faults that hurt somebody the incidents that kpis.md
// knows. It begins with a failure or a difference: what an agent did, and every
// write arrived, is an alert and no incident. Where nobody reports attempts,
// writes that are dropped and writes that are not made leave the same traces:
// one while the other lasts is the same incident.
func (w *World) troubles() {
	reported := map[string]bool{}
	for _, l := range w.Attempts {
		reported[l.Sync] = reported[l.Sync] || l.Reported
	}
	var out []*Incident
	for _, i := range w.Incidents {
		if !w.date(i) {
			continue
		}
		at := slices.IndexFunc(out, func(o *Incident) bool {
			return o.Sync == i.Sync && !reported[i.Sync] && w.leavesNothing(o) && w.leavesNothing(i) && (o.Ended == 0 || i.Known <= o.Ended+flapHold)
		})
		if at < 0 {
			out = append(out, i)
			continue
		}
		if o := out[at]; i.Ended == 0 || o.Ended != 0 && i.Ended > o.Ended {
			o.Ended = i.Ended
		}
	}
	w.Incidents = out
}

// date says when it began and when it can be known. It reports false if
// nothing failed or differed for it.
func (w *World) date(i *Incident) bool {
	known := int64(0)
	begins := func(onset, at int64) {
		if known == 0 || at < known {
			known = at
		}
		i.Onset = min(i.Onset, onset)
	}
	i.Onset = int64(i.At)
	mine := false
	for _, g := range w.Gaps {
		if g.Fault != i.ID || g.Sync != i.Sync {
			continue
		}
		mine = true
		at, onset := int64(g.At)+w.Deadline, int64(g.At)
		if g.Due { // it passed just now
			at, onset = int64(g.At), int64(g.At)-w.Deadline
		}
		if at < g.Ended {
			begins(onset, at)
		}
	}
	for _, l := range w.Attempts {
		if l.Fault == i.ID && l.Sync == i.Sync && l.Outcome == event.OutcomeError {
			if mine = true; l.Reported && l.Told() == event.OutcomeError {
				begins(int64(l.At), int64(l.At))
			}
		}
	}
	if i.Known = known; known == 0 {
		i.Known = int64(i.At)
	}
	return mine
}

// leavesNothing reports whether all that is seen of it are changes that do not
// arrive: values, new records, deletions.
func (w *World) leavesNothing(i *Incident) bool {
	return i.Silent && !slices.ContainsFunc(w.Gaps, func(g *Gap) bool {
		arrives := g.Type != event.Stale && g.Type != event.MissingInTarget && g.Type != event.MissingInSource
		return g.Fault == i.ID && g.Sync == i.Sync && arrives
	})
}
