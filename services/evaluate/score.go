package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Row is one line of the result.
type Row struct {
	Group    string  `json:"group"`
	Name     string  `json:"name"`
	Measured bool    `json:"measured"`
	Value    float64 `json:"value"`
	Hits     int     `json:"hits,omitempty"`
	Of       int     `json:"of,omitempty"`
	Unit     string  `json:"unit,omitempty"` // share, seconds, points, relative
	Note     string  `json:"note,omitempty"`
}

// Units.
const (
	Share    = "share"
	Seconds  = "seconds"
	Points   = "percentage points"
	Relative = "relative error"
	Count    = "count"
)

// Text is the row's value as a person reads it.
func (r Row) Text() string {
	switch {
	case !r.Measured:
		return "not measured"
	case r.Unit == Share:
		return fmt.Sprintf("%.1f %% (%d of %d)", 100*r.Value, r.Hits, r.Of)
	case r.Unit == Seconds:
		return fmt.Sprintf("%.0f s", r.Value)
	case r.Unit == Points:
		return fmt.Sprintf("%.2f pp", r.Value)
	case r.Unit == Relative:
		return fmt.Sprintf("%.1f %%", 100*r.Value)
	}
	return fmt.Sprintf("%g", r.Value)
}

// Score holds the findings against the truth. The misses are what single rows
// were got wrong.
func Score(w *World, f *Findings) ([]Row, []Miss) {
	var s sheet
	s.silent(w, f)
	s.listed(w, f)
	s.divergences(w, f)
	s.deliveries(w, f)
	s.failures(w, f)
	s.causes(w, f)
	s.incidents(w, f)
	s.kpis(w, f)
	s.agents(w, f)
	s.retries(w, f)
	s.surface(w, f)
	s.missing(f)
	return s.rows, byTime(s.misses)
}

// sheet collects rows, and what was got wrong.
type sheet struct {
	rows   []Row
	misses []Miss
}

// share adds hits of all; nothing to count is not measured.
func (s *sheet) share(group, name string, hits, of int) {
	r := Row{Group: group, Name: name, Unit: Share, Hits: hits, Of: of, Measured: of > 0}
	if of > 0 {
		r.Value = float64(hits) / float64(of)
	} else {
		r.Note = "nothing to count"
	}
	s.rows = append(s.rows, r)
}

func (s *sheet) count(group, name string, n int, note string) {
	s.rows = append(s.rows, Row{Group: group, Name: name, Unit: Count, Value: float64(n), Hits: n, Measured: true, Note: note})
}

// times adds the median and the 95th percentile of spans in milliseconds.
func (s *sheet) times(group string, ms []int64) {
	for _, q := range []float64{0.5, 0.95} {
		r := Row{Group: group, Name: fmt.Sprintf("time to detect p%.0f", 100*q), Unit: Seconds, Of: len(ms), Measured: len(ms) > 0}
		if len(ms) > 0 {
			r.Value = float64(quantile(ms, q)) / 1000
		} else {
			r.Note = "nothing was detected"
		}
		s.rows = append(s.rows, r)
	}
}

func (s *sheet) none(group, name, why string) {
	s.rows = append(s.rows, Row{Group: group, Name: name, Note: why})
}

// missing says what was not there to be read.
func (s *sheet) missing(f *Findings) {
	for i := range s.rows {
		if why := f.Missing[s.rows[i].Group]; why != "" {
			s.rows[i] = Row{Group: s.rows[i].Group, Name: s.rows[i].Name, Note: why}
		}
	}
}

// quantile is the exact one, of a copy.
func quantile(values []int64, q float64) int64 {
	v := slices.Clone(values)
	slices.Sort(v)
	return v[min(int(math.Ceil(q*float64(len(v))))-1+boolInt(q == 0), len(v)-1)]
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sorted[T any, K cmp.Ordered](list []T, key func(T) K) []T {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return list
}
