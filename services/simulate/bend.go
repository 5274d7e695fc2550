package simulate

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
)

// bend is what is stored instead of a write's values; false: this write holds
// nothing that the fault could bend.
func (f *faults) bend(kind string, s *sent, row *crm.Row) (map[string]string, bool) {
	out := maps.Clone(s.values)
	switch kind {
	case scenario.Blanked:
		return out, f.blank(out, s, row)
	case scenario.Partial:
		return f.part(out)
	}
	bent := false
	for j := range s.r.o.Fields {
		m := &s.r.o.Fields[j]
		v, ok := out[m.Target]
		if !ok || v == "" || bent && kind == scenario.Coerced {
			continue
		}
		if w := bendOne(kind, m, v, f.syncUser()); w != v {
			out[m.Target], bent = w, true
		}
	}
	return out, bent
}

func bendOne(kind string, m *config.FieldMap, v, syncUser string) string {
	switch {
	case kind == scenario.Coerced && (m.Compare == value.Text || m.Compare == value.Number):
		return coerce(m, v)
	case kind == scenario.PicklistFall && m.Compare == value.Picklist && m.Target != "OwnerId":
		return coerce(m, v)
	case kind == scenario.OwnerLost && m.Target == "OwnerId":
		return syncUser
	case kind == scenario.Shifted && m.Compare == value.Date:
		if day, err := time.Parse(time.DateOnly, v); err == nil {
			return day.AddDate(0, 0, -1).Format(time.DateOnly)
		}
	case kind == scenario.Shifted && m.Compare == value.Number:
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return strconv.FormatFloat(float64(int64(n*92))/100, 'f', -1, 64)
		}
	}
	return v
}

// blank clears a mapped field that the write did not name.
func (f *faults) blank(out map[string]string, s *sent, row *crm.Row) bool {
	for _, j := range f.shuffled(len(s.r.o.Fields)) {
		name := s.r.o.Fields[j].Target
		if _, named := out[name]; !named && row.Values[name] != "" {
			out[name] = ""
			return true
		}
	}
	return false
}

// part leaves one of several fields out.
func (f *faults) part(out map[string]string) (map[string]string, bool) {
	if len(out) < 2 {
		return out, false
	}
	names := slices.Sorted(maps.Keys(out))
	delete(out, names[f.dice.N(len(names))])
	return out, true
}

func (f *faults) shuffled(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	f.dice.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
