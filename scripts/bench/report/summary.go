package main

import (
	"fmt"
	"slices"
	"strings"
)

// summary is what one row showed over all rounds.
type summary struct {
	Labels  []string  `json:"labels"`
	Columns []string  `json:"columns"`
	Medians []float64 `json:"medians"`
	Least   []float64 `json:"least"`
	Most    []float64 `json:"most"`
	Rounds  int       `json:"rounds"`
	values  [][]float64
}

// summarise puts rounds together: rows with the same labels and columns.
func summarise(all []figures) []*summary {
	var out []*summary
	for _, f := range all {
		i := slices.IndexFunc(out, func(s *summary) bool { return slices.Equal(s.Labels, f.Labels) && slices.Equal(s.Columns, f.Columns) })
		if i < 0 {
			i = len(out)
			out = append(out, &summary{Labels: f.Labels, Columns: f.Columns, values: make([][]float64, len(f.Values))})
		}
		for c, v := range f.Values {
			out[i].values[c] = append(out[i].values[c], v)
		}
		out[i].Rounds++
	}
	for _, s := range out {
		for _, v := range s.values {
			slices.Sort(v)
			s.Medians, s.Least, s.Most = append(s.Medians, median(v)), append(s.Least, v[0]), append(s.Most, v[len(v)-1])
		}
	}
	return out
}

func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// markdown is a table for rows of the same columns; a median, and its range
// where there were more rounds than one. Under ours stands how others compare.
func markdown(rows []*summary) string {
	var b strings.Builder
	var columns []string
	for _, s := range rows {
		if columns == nil || !slices.Equal(columns, s.Columns) {
			columns = s.Columns
			fmt.Fprintf(&b, "\n| | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("--:|", max(1, len(columns))))
		}
		fmt.Fprintf(&b, "| %s |", strings.Join(s.Labels, ", "))
		for i, m := range s.Medians {
			if s.Rounds > 1 && s.Least[i] != s.Most[i] {
				fmt.Fprintf(&b, " %s (%s - %s) |", number(m), number(s.Least[i]), number(s.Most[i]))
			} else {
				fmt.Fprintf(&b, " %s |", number(m))
			}
		}
		b.WriteString("\n")
	}
	return b.String() + ratios(rows)
}

// ratios are ours divided by each peer's, row by row of the same data.
func ratios(rows []*summary) string {
	var b strings.Builder
	for _, ours := range rows {
		if len(ours.Labels) == 0 || !strings.HasPrefix(ours.Labels[0], "plumbline") {
			continue
		}
		for _, peer := range rows {
			if len(peer.Labels) == 0 || strings.HasPrefix(peer.Labels[0], "plumbline") || !slices.Equal(peer.Labels[1:], ours.Labels[1:]) || !slices.Equal(peer.Columns, ours.Columns) {
				continue
			}
			var parts []string
			for i, name := range ours.Columns {
				if peer.Medians[i] > 0 && ours.Medians[i] > 0 {
					parts = append(parts, fmt.Sprintf("%s %.2f", name, ours.Medians[i]/peer.Medians[i]))
				}
			}
			fmt.Fprintf(&b, "\n- ours ÷ %s: %s", strings.Join(peer.Labels, ", "), strings.Join(parts, ", "))
		}
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func number(v float64) string {
	switch {
	case v >= 10_000:
		return thousands(fmt.Sprintf("%.0f", v))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.2f", v), ".00")
}

func thousands(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
