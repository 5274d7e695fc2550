package evaluate

import (
	"cmp"
	"slices"

	"plumbline.dev/services/internal/truth"
)

// Miss is one thing that was got wrong, with where to look it up in the truth
// and in the tables.
type Miss struct {
	Group    string     `json:"group"`
	What     string     `json:"what"` // missed, wrong, undecided, or which word was said for which
	Sync     string     `json:"integration"`
	Object   string     `json:"object,omitempty"`
	SourceID string     `json:"source_id,omitempty"`
	TargetID string     `json:"target_id,omitempty"`
	Field    string     `json:"field,omitempty"`
	Cause    string     `json:"cause,omitempty"` // by the truth
	Type     string     `json:"type,omitempty"`
	ID       string     `json:"id,omitempty"` // of the row that is wrong
	At       truth.Time `json:"at"`
	Ended    truth.Time `json:"ended,omitempty"`
	Note     string     `json:"note,omitempty"`
}

// What became of it.
const (
	Missed    = "missed"
	Wrong     = "wrong"
	Undecided = "undecided" // began too late to be judged at the end
)

func (s *sheet) miss(m Miss) { s.misses = append(s.misses, m) }

// missOf is a true difference that was not found.
func missOf(group, what string, g *Gap) Miss {
	return Miss{
		Group: group, What: what, Sync: g.Sync, Object: g.Object, SourceID: g.SourceID, TargetID: g.TargetID, Field: g.Field,
		Cause: g.Cause, Type: g.Type, At: g.At, Ended: truth.Time(g.Ended),
	}
}

// wrongOf is a finding that nothing in the truth stands behind.
func wrongOf(group string, d *Divergence) Miss {
	return Miss{
		Group: group, What: Wrong, Sync: d.Integration, Object: d.Object, SourceID: d.SourceID, TargetID: d.TargetID, Field: d.Field,
		Cause: d.Cause, Type: d.Kind, ID: d.ID, At: truth.Time(d.Confirmed), Ended: truth.Time(d.Resolved),
		Note: d.Difference + " first seen " + textOf(d.FirstSeen),
	}
}

func textOf(ms int64) string {
	text, err := truth.Time(ms).MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

// byTime orders misses as they happened.
func byTime(list []Miss) []Miss {
	slices.SortStableFunc(list, func(a, b Miss) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.At, b.At), cmp.Compare(a.SourceID, b.SourceID), cmp.Compare(a.Field, b.Field))
	})
	return list
}
