package evaluate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// meanings are how a stated cause reads when it means the fault: how it begins,
// and a word in it. What is not listed cannot be told apart by anybody who only
// looks: there "unexplained" is right.
var meanings = map[string][][2]string{
	"picklist_removed": {{"picklist change:"}}, "picklist_added": {{"picklist change:"}}, "retry_storm": {{"refused by the target:"}},
	"field_renamed": {{"schema change:"}}, "field_deleted": {{"schema change:"}}, "field_retyped": {{"schema change:"}},
	"mapping_change": {{"mapping change:"}}, "duplicate_rule": {{"refused by the target:", "duplicate"}}, "duplicate": {{"refused by the target:", "duplicate"}},
	"token_revoked": {{"verdict:", "auth"}, {"token rotation:"}, {"refused by the target:", "invalid_session"}},
	"token_expired": {{"verdict:", "auth"}, {"token rotation:"}, {"refused by the target:", "invalid_session"}},
	"throttled":     {{"verdict:", "rate"}, {"quota"}, {"refused by the target:", "limit"}}, "network": {{"verdict:", "network"}},
	"api_allocation": {{"quota"}, {"refused by the target:", "limit"}},
	"vendor_outage":  {{"verdict:", "outage"}, {"vendor incident:"}}, "brown_out": {{"verdict:", "outage"}, {"vendor incident:"}},
	"bulk_import": {{"import by"}}, "agent_loop": {{"edits by agent"}}, "agent_one_value": {{"edits by agent"}},
	"edited_in_target": {{"edited in the target"}}, "created_in_target": {{"created in the target"}},
}

const (
	unexplained = "unexplained"
	refusedBy   = "refused by the target:"
)

// meaning is what may be said of a true cause; nil: nobody could know it.
func meaning(cause string) [][2]string {
	if code, ok := strings.CutPrefix(cause, "refused:"); ok {
		return [][2]string{{"refused by the target:", strings.ToLower(code)}}
	}
	return meanings[cause]
}

// means reports whether a stated cause is the true one.
func means(stated, cause string) bool {
	stated = strings.ToLower(strings.TrimSpace(stated))
	return slices.ContainsFunc(meaning(cause), func(m [2]string) bool {
		return strings.HasPrefix(stated, m[0]) && strings.Contains(stated, m[1])
	})
}

// tell counts how often a cause was told.
type tell struct{ of, first, three int }

// causes scores what Plumbline says explains each difference. A list of causes,
// the likeliest first, is separated by semicolons. What a fault of the scenario
// did counts apart from what happens every day.
func (s *sheet) causes(w *World, f *Findings) {
	byField := index(w.Gaps, true)
	faults, daily, each := tell{}, tell{}, map[string]*tell{}
	said, silent, stated := 0, 0, false
	for i := range f.Divergences {
		d := &f.Divergences[i]
		stated = stated || d.Cause != ""
		g := byField.of(d, true)
		if g == nil || d.Confirmed == 0 {
			continue
		}
		list := strings.Split(d.Cause, ";")
		if meaning(g.Cause) == nil {
			silent++
			said += boolInt(list[0] == unexplained)
			if list[0] != unexplained {
				s.miss(toldOf(d, g))
			}
			continue
		}
		t := &daily
		if g.Fault != "" {
			t = &faults
		}
		if each[g.Cause] == nil {
			each[g.Cause] = &tell{}
		}
		if !means(list[0], g.Cause) {
			s.miss(toldOf(d, g))
		}
		for _, x := range []*tell{t, each[g.Cause]} {
			x.of++
			x.first += boolInt(means(list[0], g.Cause))
			x.three += boolInt(slices.ContainsFunc(list[:min(3, len(list))], func(text string) bool { return means(text, g.Cause) }))
		}
	}
	if !stated {
		s.none(GroupCauses, "top 1", "no cause is stated anywhere")
		s.none(GroupCauses, "top 3", "no cause is stated anywhere")
		return
	}
	s.share(GroupCauses, "top 1", faults.first, faults.of)
	s.share(GroupCauses, "top 3", faults.three, faults.of)
	s.share(GroupCauses, "top 1 of daily life", daily.first, daily.of)
	for _, cause := range slices.Sorted(maps.Keys(each)) {
		s.share(GroupCauses, "top 1, "+cause, each[cause].first, each[cause].of)
	}
	s.share(GroupCauses, "unexplained where nothing tells", said, silent)
	s.named(w, f, byField)
}

// leastNamed is how many differences a fault must have made to be worth a name.
const leastNamed = 3

// named scores the explanations: whether each fault that made records differ is
// ranked first somewhere, or is what the target itself said of most of them, and
// what is blamed that made none.
func (s *sheet) named(w *World, f *Findings, byField gapIndex) {
	made, refused := map[string]int{}, map[string]int{} // by fault: confirmed differences
	for i := range f.Divergences {
		if d := &f.Divergences[i]; d.Confirmed != 0 {
			if g := byField.of(d, true); g != nil {
				made[g.Fault]++
				first, _, _ := strings.Cut(d.Cause, ";")
				refused[g.Fault] += boolInt(strings.HasPrefix(first, refusedBy) && means(first, g.Cause))
			}
		}
	}
	hits, among, of := 0, 0, 0
	for _, x := range w.Faults {
		if meaning(x.Cause) == nil || made[x.ID] < leastNamed {
			continue
		}
		of++
		place := placeOf(x, f.Explanations)
		if 2*refused[x.ID] > made[x.ID] {
			place = 1
		}
		hits += boolInt(place == 1)
		among += boolInt(place != 0)
		if place != 1 {
			s.miss(Miss{Group: GroupCauses, What: Missed, Sync: x.Sync, Cause: x.Cause, ID: x.ID, At: x.At, Note: fmt.Sprintf("%d differences, place %d", made[x.ID], place)})
		}
	}
	s.share(GroupCauses, "faults named first", hits, of)
	s.share(GroupCauses, "faults named", among, of)
	wrong := 0
	for _, e := range f.Explanations {
		right := slices.ContainsFunc(w.Faults, func(x *Span) bool { return x.Sync == e.Integration && made[x.ID] > 0 && means(e.Cause, x.Cause) })
		if e.Rank == 1 && !right {
			wrong++
			s.miss(Miss{Group: GroupCauses, What: Wrong, Sync: e.Integration, Note: e.Cause})
		}
	}
	s.count(GroupCauses, "blamed without cause", wrong, "")
}

// placeOf is the best place that a fault has among what is told; 0: none.
func placeOf(x *Span, told []Explanation) (place uint32) {
	for _, e := range told {
		if e.Integration == x.Sync && means(e.Cause, x.Cause) && (place == 0 || e.Rank < place) {
			place = e.Rank
		}
	}
	return place
}

// toldOf is a difference whose cause was got wrong.
func toldOf(d *Divergence, g *Gap) Miss {
	m := missOf(GroupCauses, Wrong, g)
	m.ID, m.Note = d.ID, d.Cause
	return m
}
