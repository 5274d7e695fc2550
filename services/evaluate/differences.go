package evaluate

import (
	"plumbline.dev/schemas/event"
)

// Groups of rows.
const (
	GroupSilent      = "silent failures"
	GroupListed      = "silent_failures, the view"
	GroupRetries     = "retry health"
	GroupSurface     = "integration surface"
	GroupDivergences = "divergences"
	GroupDeliveries  = "deliveries"
	GroupFailures    = "failures"
	GroupCauses      = "causes"
	GroupIncidents   = "incidents"
	GroupKPIs        = "KPIs"
	GroupAgents      = "agents and tokens"
)

// slack is how much earlier than the truth a finding may be: clocks of a fast
// run are only so exact.
const slack = 90_000

// place is where a difference is: a record by either id, and a field.
type place struct{ integration, object, id, field string }

// gapIndex finds true differences by their place.
type gapIndex map[place][]*Gap

func index(gaps []*Gap, withField bool) gapIndex {
	out := gapIndex{}
	for _, g := range gaps {
		for _, id := range []string{g.SourceID, g.TargetID} {
			if id == "" {
				continue
			}
			p := place{integration: g.Sync, object: g.Object, id: id}
			if withField {
				p.field = g.Field
			}
			out[p] = append(out[p], g)
		}
	}
	return out
}

// of is the true difference that a finding stands for: the one in the same
// place that was open when it was seen, or nil.
func (x gapIndex) of(d *Divergence, withField bool) *Gap {
	for _, id := range d.ids() {
		p := place{integration: d.Integration, object: d.Object, id: id}
		if withField {
			p.field = d.Field
		}
		for _, g := range x[p] {
			if id != "" && int64(g.At)-slack <= d.Confirmed && d.FirstSeen <= g.Ended+slack {
				return g
			}
		}
	}
	return nil
}

// ids are those that a finding may be known by: the source's record, but of a
// copy too many its own, because a record may have several.
func (d *Divergence) ids() [2]string {
	if d.Kind == event.Duplicate {
		return [2]string{d.TargetID, d.SourceID}
	}
	return [2]string{d.SourceID, d.TargetID}
}

// divergences scores what differs, field by field.
func (s *sheet) divergences(w *World, f *Findings) {
	byField := index(w.Gaps, true)
	found := map[*Gap]*Divergence{}
	confirmed, right, kinds, differences := 0, 0, 0, 0
	for i := range f.Divergences {
		d := &f.Divergences[i]
		if d.Confirmed == 0 || d.Confirmed > w.End {
			continue
		}
		confirmed++
		g := byField.of(d, true)
		if g == nil {
			s.miss(wrongOf(GroupDivergences, d))
			continue
		}
		right++
		kinds += boolInt(g.Type == d.Kind)
		differences += boolInt(g.Difference == d.Difference)
		if old := found[g]; old == nil || d.Confirmed < old.Confirmed {
			found[g] = d
		}
	}
	s.share(GroupDivergences, "precision", right, confirmed)
	hits, all := 0, 0
	var times []int64
	closed, over := 0, 0
	for _, g := range w.Gaps {
		if !w.knowable(g) {
			continue
		}
		all++
		d := found[g]
		if d == nil {
			s.miss(missOf(GroupDivergences, Missed, g))
			continue
		}
		hits++
		times = append(times, d.Confirmed-int64(g.At))
		if g.Ended+w.Deadline < w.End {
			over++
			closed += boolInt(d.State == event.DivergenceResolved)
		}
	}
	s.share(GroupDivergences, "recall", hits, all)
	s.undecided(w, GroupDivergences, func(*Gap) bool { return true })
	s.times(GroupDivergences, times)
	s.share(GroupDivergences, "kind right", kinds, right)
	s.share(GroupDivergences, "difference right", differences, right)
	s.share(GroupDivergences, "closed when gone", closed, over)
}

// silent scores silent failures, record by record: a write that was said to be
// taken, and a target that is not equal.
func (s *sheet) silent(w *World, f *Findings) {
	type record struct {
		at  int64
		hit bool
		gap *Gap
	}
	truths, order := map[place]*record{}, []place{}
	any := index(w.Gaps, false)
	for _, g := range w.Gaps {
		if !g.Silent || !w.knowable(g) {
			continue
		}
		p := place{integration: g.Sync, object: g.Object, id: first(g.SourceID, g.TargetID)}
		if r := truths[p]; r == nil {
			truths[p] = &record{at: int64(g.At), gap: g}
			order = append(order, p)
		} else {
			r.at = min(r.at, int64(g.At))
		}
	}
	reported, right := 0, 0
	var times []int64
	seen := map[place]bool{}
	for _, d := range sorted(f.silentRecords(w), func(d Divergence) int64 { return d.Confirmed }) {
		ids := d.ids()
		p := place{integration: d.Integration, object: d.Object, id: first(ids[0], ids[1])}
		if d.Confirmed > w.End || seen[p] {
			continue
		}
		seen[p] = true
		reported++
		g := any.of(&d, false)
		if g == nil {
			s.miss(wrongOf(GroupSilent, &d))
			continue
		}
		right++
		p.id = first(g.SourceID, g.TargetID) // what the source has no more goes by the copy's id
		if r := truths[p]; r != nil && !r.hit {
			r.hit = true
			times = append(times, d.Confirmed-r.at)
		}
	}
	s.share(GroupSilent, "precision", right, reported)
	hits := 0
	for _, p := range order {
		hits += boolInt(truths[p].hit)
		if !truths[p].hit {
			s.miss(missOf(GroupSilent, Missed, truths[p].gap))
		}
	}
	s.share(GroupSilent, "recall", hits, len(order))
	s.undecided(w, GroupSilent, func(g *Gap) bool { return g.Silent })
	s.times(GroupSilent, times)
}

// listed scores the view that the console opens with: what is silently wrong
// at the end, record by record.
func (s *sheet) listed(w *World, f *Findings) {
	truths := map[place]bool{}
	for _, g := range w.Gaps {
		if g.Silent && w.knowable(g) && g.Ended > w.End {
			truths[place{integration: g.Sync, object: g.Object, id: g.SourceID}] = true
		}
	}
	wrong := index(w.Gaps, false)
	said, right, hits := map[place]bool{}, 0, 0
	for _, x := range f.Listed {
		p := place{integration: x.Integration, object: x.Object, id: x.SourceID}
		if said[p] || x.FoundAt > w.End {
			continue
		}
		said[p] = true
		hits += boolInt(truths[p])
		for _, g := range wrong[p] {
			if g.Ended > w.End {
				right++
				break
			}
		}
	}
	s.share(GroupListed, "precision", right, len(said))
	s.share(GroupListed, "recall", hits, len(truths))
}

// silentRecords are the records that Plumbline lists as silently wrong.
func (f *Findings) silentRecords(w *World) []Divergence {
	var out []Divergence
	for _, d := range f.Divergences {
		if d.Confirmed != 0 {
			out = append(out, d)
		}
	}
	for _, d := range f.Deliveries {
		c := w.byDelivery(d.ID)
		if d.State != event.StateNotApplied || c == nil {
			continue
		}
		out = append(out, Divergence{
			Integration: c.Sync, Object: c.Object, SourceID: c.SourceID, FirstSeen: d.UpdatedAt, Confirmed: d.UpdatedAt,
		})
	}
	return out
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
