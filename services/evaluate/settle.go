package evaluate

import (
	"slices"
	"strconv"

	"plumbline.dev/schemas/event"
)

// What became of a change, as coarse as both sides can say it.
const (
	StateDelivered  = "delivered"
	StateSilent     = "silent" // said to be taken, and was not
	StateFailed     = "failed"
	StateWaiting    = "waiting" // nothing was tried
	StateSuperseded = "superseded"
	StateUnknown    = "unknown" // Plumbline only: nobody looked
)

// settle says of every change what it came to at the end.
func (w *World) settle() {
	for _, g := range w.Gaps {
		if g.Ended == 0 {
			g.Ended = w.End + 1
		}
	}
	for _, list := range w.records {
		for i, c := range list {
			w.unbend(c, list[i+1:])
			w.supersede(c, list[i+1:])
		}
	}
	w.troubles()
}

// unbend sees whether a write that a fault bent left this change's fields
// alone: then it was delivered. Nobody asks for a field that was saved anew within
// the deadline, as long as another one arrived.
func (w *World) unbend(c *Change, later []*Change) {
	if c.state != StateSilent {
		return
	}
	left := slices.Clone(c.Fields)
	for _, n := range later {
		if int64(n.At) <= max(int64(c.At)+w.Deadline, c.claimed) {
			left = slices.DeleteFunc(left, func(f string) bool { return slices.Contains(n.Fields, f) })
		}
	}
	for _, g := range w.gapsOf(c) {
		if int64(g.At) <= c.since && c.since < g.Ended && (g.Field == "" || len(left) == 0 && c.names(g.Field) || slices.Contains(left, g.Field)) {
			return
		}
	}
	c.state, c.delivered = StateDelivered, c.since
}

func (w *World) gapsOf(c *Change) []*Gap {
	if w.gaps == nil {
		w.gaps = map[string][]*Gap{}
		for _, g := range w.Gaps {
			k := g.Sync + "/" + g.Object + "/" + g.SourceID
			w.gaps[k] = append(w.gaps[k], g)
		}
	}
	return w.gaps[c.Sync+"/"+c.Object+"/"+c.SourceID]
}

func (c *Change) names(field string) bool {
	return len(c.Fields) == 0 || slices.Contains(c.Fields, field)
}

// supersede retires a change that newer ones replaced before it arrived. What
// was silently lost for longer than its deadline stays lost, however often the
// same was said again.
func (w *World) supersede(c *Change, later []*Change) {
	by := c.replacedAt(later)
	switch {
	case by == 0, c.delivered != 0 && c.delivered < by:
	case c.claimed != 0 && by > max(int64(c.At)+w.Deadline, c.claimed):
		c.state, c.since, c.delivered = StateSilent, c.claimed, 0
	default:
		c.state, c.since, c.delivered = StateSuperseded, by, 0
	}
	if due := int64(c.At) + w.Deadline; c.state != StateSuperseded && (c.delivered == 0 || c.delivered > due) && c.heldBy(due, later) {
		c.state, c.delivered = StateDelivered, int64(c.At)
	}
}

// heldBy reports whether there was nothing to wait for: what newer changes had
// not replaced by that time the other system held all along.
func (c *Change) heldBy(due int64, later []*Change) bool {
	if len(c.Fields) == 0 {
		return c.There
	}
	left := slices.Clone(c.Fields)
	for _, n := range later {
		if int64(n.At) <= due {
			left = slices.DeleteFunc(left, func(f string) bool { return slices.Contains(n.Fields, f) })
		}
	}
	return len(left) > 0 && !slices.ContainsFunc(left, func(f string) bool { return !slices.Contains(c.Held, f) })
}

// replacedAt is when the last of the change's fields was replaced by newer
// changes, or the record deleted or merged away; 0: never.
func (c *Change) replacedAt(later []*Change) int64 {
	left := map[string]bool{}
	for _, f := range c.Fields {
		left[f] = true
	}
	for _, n := range later {
		for _, f := range n.Fields {
			delete(left, f)
		}
		if n.Operation == event.OpDelete || n.Operation == event.OpMerge || len(c.Fields) > 0 && len(left) == 0 {
			return int64(n.At)
		}
	}
	return 0
}

// due reports whether the change could be judged before the end.
func (w *World) due(c *Change) bool { return int64(c.At)+w.Deadline <= w.End }

// Until is the last closed minute: KPIs end there (kpis.md).
func (w *World) Until() int64 { return w.End - w.End%60_000 }

// counts reports whether KPIs know the change: it was told of, and its deadline
// passed before the last closed minute did.
func (w *World) counts(c *Change) bool { return !c.Lost && int64(c.At)+w.Deadline < w.Until() }

// looking is what a monitor is given to look when the deadline has passed:
// questions wait to be asked together, and a fast run is only so exact.
const looking = 30_000

// reach is whether a difference could be known.
type reach int

const (
	underWay   reach = iota // ended within its deadline
	tooBrief                // ended before anybody could look
	tooLate                 // began so late that nobody could look before the end
	unreadable              // the target answered nobody meanwhile
	knowable
)

// reach looks at the stretches between the saves of the field: with each, the
// deadline begins anew. The one that tells most counts.
func (w *World) reach(g *Gap) reach { return w.reachBy(g, w.End) }

// reachBy is whether it could be known by that time.
func (w *World) reachBy(g *Gap, end int64) reach {
	from := int64(g.At)
	if g.Due {
		from -= w.Deadline
	}
	best := underWay
	for _, at := range append(w.saves(g, from), g.Ended) {
		best = max(best, w.stretch(g, from, at, end))
		from = at
	}
	return best
}

func (w *World) stretch(g *Gap, from, to, end int64) reach {
	switch lasted := to - from; {
	case to > end && from+w.Deadline+looking > end:
		return tooLate
	case lasted < w.Deadline:
		return underWay
	case lasted < w.Deadline+looking:
		return tooBrief
	case w.dark(g.Sync, from+w.Deadline, to):
		return unreadable
	}
	return knowable
}

// saves are the instants at which the field was saved anew while it differed.
func (w *World) saves(g *Gap, from int64) []int64 {
	var out []int64
	if g.Field == "" {
		return nil
	}
	for _, c := range w.records[g.Sync+"/"+g.Object+"/"+g.SourceID] {
		if at := int64(c.At); at > from && at < g.Ended && slices.Contains(c.Fields, g.Field) {
			out = append(out, at)
		}
	}
	slices.Sort(out)
	return out
}

// blinding are the faults in which the target refuses readers too.
var blinding = []string{"vendor_outage", "throttled"}

// dark reports whether the target answered nobody for all of a while, but for
// what a look takes at its end.
func (w *World) dark(integration string, from, to int64) bool {
	for _, f := range w.Faults {
		end := f.Ended
		if end == 0 {
			end = w.End
		}
		if f.Sync == integration && slices.Contains(blinding, f.Cause) && int64(f.At) <= from && to <= end+looking {
			return true
		}
	}
	return false
}

// knowable reports whether the difference lasted, and long enough before the
// end that a monitor could have seen and confirmed it.
func (w *World) knowable(g *Gap) bool { return w.reach(g) == knowable }

// undecided counts the differences that nobody could judge, and lists them:
// neither found nor missed.
func (s *sheet) undecided(w *World, group string, counts func(*Gap) bool) {
	brief, late, dark := 0, 0, 0
	for _, g := range w.Gaps {
		if r := w.reach(g); counts(g) && r != underWay && r != knowable {
			s.miss(missOf(group, Undecided, g))
			brief += boolInt(r == tooBrief)
			late += boolInt(r == tooLate)
			dark += boolInt(r == unreadable)
		}
	}
	s.count(group, "while nobody could read", dark, "the target refused readers too: in no recall")
	s.count(group, "over before a look", brief, "lasted "+seconds(w.Deadline)+" to "+seconds(w.Deadline+looking)+": in no recall")
	s.count(group, "too late to be judged", late, "began in the last "+seconds(w.Deadline+looking)+": in no recall")
}

func seconds(ms int64) string { return strconv.FormatInt(ms/1000, 10) + " s" }
