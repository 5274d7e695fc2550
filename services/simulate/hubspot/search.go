package hubspot

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/simulate/crm"
)

// Bounds of the search API.
const (
	searchPage = 200
	searchAll  = 10_000
)

type searchIn struct {
	FilterGroups []struct {
		Filters []filter `json:"filters"`
	} `json:"filterGroups"`
	Sorts      []json.RawMessage `json:"sorts"`
	Query      string            `json:"query"`
	Properties []string          `json:"properties"`
	Limit      int               `json:"limit"`
	After      json.RawMessage   `json:"after"`
}

type filter struct {
	Property  string   `json:"propertyName"`
	Operator  string   `json:"operator"`
	Value     string   `json:"value"`
	HighValue string   `json:"highValue"`
	Values    []string `json:"values"`
}

// search filters, sorts and pages: groups are alternatives, filters in a group
// hold together.
func (s *Server) search(q *request) (int, any) {
	var in searchIn
	if err := body(q, &in); err != nil {
		return s.bad(err.Error())
	}
	if in.Limit == 0 {
		in.Limit = 10
	}
	after, _ := strconv.Atoi(strings.Trim(string(in.After), `"`))
	switch {
	case in.Limit < 0 || in.Limit > searchPage:
		return s.bad("limit must be between 1 and 200")
	case after+in.Limit > searchAll:
		return s.bad("The maximum number of results that can be retrieved with a search is 10000")
	case len(in.FilterGroups) > 5:
		return s.bad("A maximum of 5 filterGroups is allowed")
	}
	hits, message := matching(q.table, &in)
	if message != "" {
		return s.bad(message)
	}
	if message := sortRows(q.table, hits, in.Sorts); message != "" {
		return s.bad(message)
	}
	out := struct {
		Total   int      `json:"total"`
		Results []Record `json:"results"`
		Paging  *paging  `json:"paging,omitempty"`
	}{Total: len(hits), Results: []Record{}}
	for _, r := range hits[min(after, len(hits)):min(after+in.Limit, len(hits))] {
		out.Results = append(out.Results, show(q.table, r, in.Properties))
	}
	if after+in.Limit < len(hits) {
		out.Paging = &paging{}
		out.Paging.Next.After = strconv.Itoa(after + in.Limit)
	}
	return http.StatusOK, out
}

func matching(t *crm.Table, in *searchIn) ([]*crm.Row, string) {
	for _, g := range in.FilterGroups {
		for _, f := range g.Filters {
			if !has(t, f.Property) {
				return nil, "There was a problem with the request: property " + f.Property + " does not exist"
			}
			if !slices.Contains(operators, f.Operator) {
				return nil, "Invalid input JSON: operator " + f.Operator + " is not valid"
			}
		}
	}
	var hits []*crm.Row
	for _, r := range t.Rows {
		if !r.Deleted && in.match(t, r) {
			hits = append(hits, r)
		}
	}
	return hits, ""
}

func has(t *crm.Table, name string) bool {
	return t.Field(name) != nil || slices.Contains(system(t), name)
}

func (in *searchIn) match(t *crm.Table, r *crm.Row) bool {
	if in.Query != "" && !slices.ContainsFunc(t.Held(r), func(name string) bool {
		return strings.Contains(strings.ToLower(r.Values[name]), strings.ToLower(in.Query))
	}) {
		return false
	}
	if len(in.FilterGroups) == 0 {
		return true
	}
	for _, g := range in.FilterGroups {
		all := true
		for i := range g.Filters {
			all = all && g.Filters[i].match(value(t, r, g.Filters[i].Property))
		}
		if all {
			return true
		}
	}
	return false
}

var operators = strings.Fields("EQ NEQ LT LTE GT GTE BETWEEN IN NOT_IN HAS_PROPERTY NOT_HAS_PROPERTY CONTAINS_TOKEN NOT_CONTAINS_TOKEN")

func (f *filter) match(v string) bool {
	switch f.Operator {
	case "HAS_PROPERTY":
		return v != ""
	case "NOT_HAS_PROPERTY":
		return v == ""
	case "NEQ":
		return compare(v, f.Value) != 0
	case "NOT_IN":
		return !slices.ContainsFunc(f.Values, func(x string) bool { return compare(v, x) == 0 })
	case "NOT_CONTAINS_TOKEN":
		return !token(v, f.Value)
	}
	if v == "" { // a record without a value meets no comparison
		return false
	}
	switch f.Operator {
	case "EQ":
		return compare(v, f.Value) == 0
	case "LT":
		return compare(v, f.Value) < 0
	case "LTE":
		return compare(v, f.Value) <= 0
	case "GT":
		return compare(v, f.Value) > 0
	case "GTE":
		return compare(v, f.Value) >= 0
	case "BETWEEN":
		return compare(v, f.Value) >= 0 && compare(v, f.HighValue) <= 0
	case "IN":
		return slices.ContainsFunc(f.Values, func(x string) bool { return compare(v, x) == 0 })
	}
	return token(v, f.Value)
}

// compare is by number where both are one, by time where both are one, else
// by text without case. Clients write times in milliseconds or ISO 8601.
func compare(a, b string) int {
	if x, ok := instant(a); ok {
		if y, ok := instant(b); ok {
			return cmp.Compare(x, y)
		}
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(strings.ToLower(a), strings.ToLower(b))
}

func instant(v string) (int64, bool) {
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return t.UnixMilli(), true
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return n, err == nil && len(v) >= 12
}

func token(v, want string) bool {
	want = strings.ToLower(want)
	if open := strings.Trim(want, "*"); open != want {
		return strings.Contains(strings.ToLower(v), open)
	}
	return slices.Contains(strings.FieldsFunc(strings.ToLower(v), func(r rune) bool {
		return strings.ContainsRune(" .,@-_/", r)
	}), want)
}

// sortRows takes {"propertyName","direction"} and the short form, a name.
// Without one, records come in the order of creation.
func sortRows(t *crm.Table, rows []*crm.Row, sorts []json.RawMessage) string {
	if len(sorts) == 0 {
		return ""
	}
	if len(sorts) > 1 {
		return "Only one sort is allowed"
	}
	var by struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	}
	if json.Unmarshal(sorts[0], &by) != nil {
		_ = json.Unmarshal(sorts[0], &by.Property)
	}
	if !has(t, by.Property) {
		return "Cannot sort by " + by.Property
	}
	sign := 1
	if by.Direction == "DESCENDING" {
		sign = -1
	}
	slices.SortStableFunc(rows, func(a, b *crm.Row) int {
		return sign * compare(value(t, a, by.Property), value(t, b, by.Property))
	})
	return ""
}
