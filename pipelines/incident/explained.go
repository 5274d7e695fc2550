package incident

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// explained puts what made records differ, or that nothing explains it, on the
// incidents of those differences.
func (n *Incidents) explained(x *event.Explanation) {
	if x.Rank != 1 {
		return
	}
	evidence, step := x.Sentence, x.FirstStep
	if x.Divergences == 0 {
		evidence, step = "", ""
	}
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if c.I.Kind != event.IncidentOfDivergence || c.I.Integration != x.Integration || !concerns(c, x) || c.I.Evidence == evidence {
			continue
		}
		if x.Kind == event.CauseUnexplained && c.I.Evidence != "" && c.I.FirstStep != "" {
			continue // the rest of it is; what explains most stands
		}
		c = n.cases.Change(key)
		c.Urgent = c.Urgent || c.I.FirstStep != step
		c.I.Evidence, c.I.FirstStep, c.Changed = evidence, step, true
	}
}

// concerns reports whether a cause may be that of an incident: what began to
// differ when the cause was over has another.
func concerns(c *Case, x *event.Explanation) bool {
	if x.Kind != event.CauseUnexplained && x.To != 0 && c.I.OnsetAt >= x.To {
		return false
	}
	return (x.Object == "" || c.I.Object == x.Object) && (x.Field == "" || strings.Contains(c.Predicate, " field = '"+x.Field+"' "))
}
