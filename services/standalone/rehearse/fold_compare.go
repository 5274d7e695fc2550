package rehearse

import (
	"cmp"
	"slices"
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/match"
)

// compareAfter is the schedule of comparisons of whole sets.
const compareAfter = 10 * event.Minute

// compare holds whole sets against each other, as a run of reconcile does: what
// is not equal is shown to the ledger. A system that does not answer leaves it
// to the next time.
func (f *fold) compare() {
	for _, o := range f.objects {
		if !f.learn(o) {
			continue
		}
		source, ok := f.all(o, event.Source)
		if !ok {
			continue
		}
		if target, ok := f.all(o, event.Target); ok {
			f.suspect(o, source, target)
		}
	}
}

func (f *fold) all(o *both, side string) (rows []match.Row, ok bool) {
	at := event.At(f.Now())
	f.waited = 0
	for _, native := range o.Natives(side) {
		err := o.readers[side].All(f.ctx, o.Query(side, native), func(p crm.Page) error {
			for i := range p.Records {
				if row := o.Row(side, &p.Records[i], at); !row.OutOfScope {
					rows = append(rows, row)
				}
			}
			return nil
		})
		if err != nil {
			return nil, false
		}
	}
	return rows, true
}

// suspect pairs records by the first key that a source record asks by.
func (f *fold) suspect(o *both, source, target []match.Row) {
	type pair struct{ sources, targets []match.Row }
	var order []string
	pairs := map[string]*pair{}
	of := func(key string) *pair {
		if pairs[key] == nil {
			order = append(order, key)
			pairs[key] = &pair{}
		}
		return pairs[key]
	}
	for _, row := range source {
		if i, k := row.Key(); i >= 0 {
			p := of(strconv.Itoa(i) + ":" + k)
			p.sources = append(p.sources, row)
		}
	}
	for _, row := range target {
		at := slices.IndexFunc(row.Keys, func(k string) bool { return k != "" && pairs[strconv.Itoa(slices.Index(row.Keys, k))+":"+k] != nil })
		key := "orphan:" + row.ID
		if at >= 0 {
			key = strconv.Itoa(at) + ":" + row.Keys[at]
		}
		p := of(key)
		p.targets = append(p.targets, row)
	}
	seen := match.Seen{By: event.FoundByReconcile, Run: "run " + strconv.FormatInt(int64(f.ticked), 10), Now: event.At(f.Now())}
	for _, key := range order {
		if p := pairs[key]; len(p.sources) != 1 || len(p.targets) != 1 || len(o.Differ(&p.sources[0], &p.targets[0])) > 0 {
			f.judge(o, p.sources, p.targets, seen)
		}
	}
}

// judge shows a suspect: the oldest of several stands for all of them.
func (f *fold) judge(o *both, sources, targets []match.Row, seen match.Seen) {
	if len(sources) == 0 {
		for i := range targets {
			f.tell(o.Orphan(&targets[i], seen)...)
		}
		return
	}
	source, others := oldest(sources)
	f.tell(o.Observe(&source, seen, "", others))
	if len(targets) == 0 {
		f.tell(o.Absent(event.Target, o.Object.Target[0], "", source.ID, source.ReadAt, seen))
		return
	}
	copied, extra := oldest(targets)
	f.tell(o.Observe(&copied, seen, source.ID, extra))
}

// oldest is the first made of several records, and the ids of the others.
func oldest(rows []match.Row) (first match.Row, others []string) {
	first = slices.MinFunc(rows, func(a, b match.Row) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for i := range rows {
		if rows[i].ID != first.ID {
			others = append(others, rows[i].ID)
		}
	}
	return first, others
}
