package compare_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
)

// row is a record of a test: a key and its fields, nil for NULL.
type row struct {
	key    string
	fields []*string
}

// set writes rows as a table expression; hexadecimal, so that no quoting can
// be wrong.
func set(rows []row, fields int) compare.Set {
	columns := []string{"key String"}
	for i := range fields {
		columns = append(columns, fmt.Sprintf("f%d Nullable(String)", i))
	}
	structure := strings.Join(columns, ", ")
	if len(rows) == 0 {
		return compare.Set{From: fmt.Sprintf("null('%s')", structure), Key: "key"}
	}
	var lines []string
	for _, r := range rows {
		cells := []string{text(&r.key)}
		for _, f := range r.fields {
			cells = append(cells, text(f))
		}
		lines = append(lines, "("+strings.Join(cells, ", ")+")")
	}
	return compare.Set{From: fmt.Sprintf("values('%s', %s)", structure, strings.Join(lines, ", ")), Key: "key"}
}

func text(s *string) string {
	if s == nil {
		return "NULL"
	}
	return "unhex('" + hex.EncodeToString([]byte(*s)) + "')"
}

// naive is the comparison as one would write it for a few rows.
func naive(a, b []row, fields []compare.Field) (found []compare.Divergence, sum compare.Summary) {
	byKey := map[string][2][]row{}
	for side, rows := range [][]row{a, b} {
		for _, r := range rows {
			if r.key == "" {
				continue
			}
			both := byKey[r.key]
			both[side] = append(both[side], r)
			byKey[r.key] = both
		}
	}
	sum.A, sum.B = sideOf(a), sideOf(b)
	sum.Fields = make([]compare.FieldCount, len(fields))
	for i := range fields {
		sum.Fields[i] = compare.FieldCount{Name: fields[i].Name, Differences: map[string]uint64{}}
	}
	null := event.Value{Kind: event.KindNull}
	for key, both := range byKey {
		sum.Records++
		na, nb := len(both[0]), len(both[1])
		if na > 1 || nb > 1 {
			sum.Duplicate++
			found = append(found, compare.Divergence{Key: key, Kind: event.Duplicate, Source: number(na), Target: number(nb)})
		}
		switch {
		case nb == 0:
			sum.MissingInTarget++
			found = append(found, compare.Divergence{Key: key, Kind: event.MissingInTarget, Source: null, Target: null})
		case na == 0:
			sum.MissingInSource++
			found = append(found, compare.Divergence{Key: key, Kind: event.MissingInSource, Source: null, Target: null})
		case na == 1 && nb == 1:
			sum.Compared++
			differing := fieldsOf(key, both[0][0], both[1][0], fields, &sum)
			if len(differing) > 0 {
				sum.Different++
			} else {
				sum.Equal++
			}
			found = append(found, differing...)
		}
	}
	return sorted(found), sum
}

func fieldsOf(key string, a, b row, fields []compare.Field, sum *compare.Summary) (found []compare.Divergence) {
	for i, f := range fields {
		x, y := valueOf(a.fields[i]), valueOf(b.fields[i])
		equal, how := x.Text == y.Text, "other"
		if !equal && f.Judge != nil {
			equal, how = f.Judge(x, y)
		}
		if equal {
			continue
		}
		sum.Fields[i].Different++
		sum.Fields[i].Differences[how]++
		found = append(found, compare.Divergence{
			Key: key, Field: f.Name, Kind: event.ValueMismatch, Difference: how, Source: x, Target: y,
		})
	}
	return found
}

func sideOf(rows []row) (s compare.Side) {
	s.Rows = uint64(len(rows))
	for _, r := range rows {
		if r.key == "" {
			s.NoKey++
		}
	}
	return s
}

func valueOf(s *string) event.Value {
	if s == nil {
		return event.Value{Kind: event.KindNull}
	}
	return event.Value{Text: *s}
}

func number(n int) event.Value {
	return event.Value{Kind: event.KindNumber, Text: strconv.Itoa(n)}
}

func sorted(found []compare.Divergence) []compare.Divergence {
	slices.SortFunc(found, func(x, y compare.Divergence) int {
		return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Field, y.Field))
	})
	return found
}
