package compare

// Summary counts a whole comparison. Records = Equal + Different +
// MissingInTarget + MissingInSource + those Duplicates that both sides hold.
type Summary struct {
	A, B    Side
	Records uint64 // distinct keys of both sides together
	// Compared are the keys with exactly one row on each side: Equal + Different.
	Compared         uint64
	Equal, Different uint64
	MissingInTarget  uint64
	MissingInSource  uint64
	Duplicate        uint64 // keys that several rows of a side hold; they may be missing on the other side as well
	Fields           []FieldCount
}

// Side counts one side's rows.
type Side struct {
	Rows  uint64
	NoKey uint64 // rows without a key: they cannot be compared
}

// FieldCount counts a field's differences.
type FieldCount struct {
	Name        string
	Different   uint64
	Differences map[string]uint64 // by how they differ
}

func newSummary(fields []Field) *Summary {
	s := &Summary{Fields: make([]FieldCount, len(fields))}
	for i := range fields {
		s.Fields[i] = FieldCount{Name: fields[i].Name, Differences: map[string]uint64{}}
	}
	return s
}

func (s *Summary) side(of side) *Side {
	if of == sideA {
		return &s.A
	}
	return &s.B
}

func (f *FieldCount) count(difference string) {
	f.Different++
	f.Differences[difference]++
}

// close counts the keys nobody told of: each is one row of A and equal.
func (s *Summary) close(toldRowsOfA uint64) {
	untold := s.A.Rows - s.A.NoKey - toldRowsOfA
	s.Equal += untold
	s.Compared += untold
	s.Records += untold
}

// Same reports whether nothing differs and nothing was left out.
func (s *Summary) Same() bool {
	return s.Equal == s.Records && s.A.NoKey+s.B.NoKey == 0
}
