package rehearse

import (
	"cmp"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/evaluate"
)

// told are explanations as they stand in the end.
type told []*event.Explanation

// lastOf are what was said last of each.
func lastOf(verdicts []event.Event) told {
	at := map[string]*event.Explanation{}
	var ids []string
	for _, e := range verdicts {
		if x, ok := e.(*event.Explanation); ok {
			if at[x.ID] == nil {
				ids = append(ids, x.ID)
			}
			at[x.ID] = x
		}
	}
	var out told
	for _, id := range ids {
		if at[id].Divergences > 0 { // else it was taken back
			out = append(out, at[id])
		}
	}
	return out
}

// rows are the explanations as evaluation reads them.
func (t told) rows() (out []evaluate.Explanation) {
	for _, x := range t {
		if x.Kind != event.CauseUnexplained {
			out = append(out, evaluate.Explanation{Integration: x.Integration, Cause: x.Cause, Rank: uint32(x.Rank)})
		}
	}
	return out
}

// of is what the view `divergences` reads as the cause of one: what somebody
// did to the very record, what covers it, what the target answered.
func (t told) of(d *event.Divergence) string {
	if d.ConfirmedAt == 0 || d.PreExisting {
		return d.Cause
	}
	if edited := editedBy(d); edited != "" {
		return edited
	}
	var fits told
	for _, x := range t {
		if x.Kind != event.CauseUnexplained && covers(x, d) {
			fits = append(fits, x)
		}
	}
	slices.SortStableFunc(fits, func(a, b *event.Explanation) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(b.From, a.From))
	})
	var words []string
	for _, x := range fits {
		words = append(words, x.Cause)
	}
	switch {
	case len(words) > 0:
		return strings.Join(words, "; ")
	case d.RefusedCode == "":
		return event.CauseUnexplained
	case d.RefusedField == "":
		return "refused by the target: " + d.RefusedCode
	}
	return "refused by the target: " + d.RefusedCode + " (" + d.RefusedField + ")"
}

func covers(x *event.Explanation, d *event.Divergence) bool {
	began, by := d.Began(), d.By()
	return x.Integration == d.Integration && began >= x.From && (x.To == 0 || began < x.To) &&
		(x.By.ID == "" || x.By.Kind == by.Kind && x.By.ID == by.ID) && (x.Object == "" || x.Object == d.Object) &&
		(x.Field == "" || x.Field == d.Field || x.Field == d.RefusedField)
}

func editedBy(d *event.Divergence) string {
	if d.TargetWriter.Kind != event.ActorUser && d.TargetWriter.Kind != event.ActorUnknown {
		return ""
	}
	who := d.TargetWriter.Kind + ":" + d.TargetWriter.ID
	switch {
	case d.Kind == event.ValueMismatch && (d.TargetModifiedAt > d.SourceModifiedAt || d.SourceModifiedAt > d.FirstSeenAt):
		return "edited in the target by " + who
	case d.Kind == event.MissingInSource && d.SourceID == "":
		return "created in the target by " + who
	}
	return ""
}
