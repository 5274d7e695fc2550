package compare_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// scratch is an empty database.
func scratch(t testing.TB) *warehouse.DB {
	name := warehousetest.Name(t)
	db := warehousetest.Open(t, warehousetest.Addr(t), "system")
	require.NoError(t, db.Exec(t.Context(), "CREATE DATABASE "+name))
	t.Cleanup(func() { require.NoError(t, db.Exec(context.Background(), "DROP DATABASE "+name)) })
	return warehousetest.Open(t, warehousetest.Addr(t), name)
}

// values are what two systems are known to hold, or to confuse.
var values = []string{
	"", " ", "a", "A", "a ", "it's", `"quoted"`, "two\nlines", "\r\n", "\x00", "a\x00b", "\\", "\\N", "NULL", "null", "ü", "u\u0308", "日本", "\xff\xfe",
	"9007199254740992", "9007199254740993", "123456789012345678901234567890", "1.50", "1.5", "-0", "0", "0.0", "+1 415 555 0100", "14155550100",
	"2026-08-21", "2026-08-21T00:00:00Z", "1787270400000", "a;b", "b;a", ",", ";", "\t", "|",
}

func drawRows(t *rapid.T, name string, fields int) []row {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
		r := row{key: rapid.OneOf(rapid.SampledFrom(values), rapid.SampledFrom([]string{"1", "2", "3", "4", "5"})).Draw(t, "key")}
		for range fields {
			r.fields = append(r.fields, rapid.Ptr(rapid.OneOf(rapid.SampledFrom(values), rapid.SampledFrom(values[:4])), true).Draw(t, "value"))
		}
		return r
	}), 0, 8).Draw(t, name)
}

func TestAgreesWithTheNaiveComparison(t *testing.T) {
	db := scratch(t)
	rapid.Check(t, func(rt *rapid.T) {
		fields := make([]compare.Field, rapid.IntRange(0, 3).Draw(rt, "fields"))
		for i := range fields {
			cell := compare.TextCell(fmt.Sprintf("f%d", i))
			fields[i] = compare.Field{Name: fmt.Sprintf("f%d", i), A: cell, B: cell}
			if kind := rapid.SampledFrom([]string{"", value.Number, value.Phone, value.DateTime}).Draw(rt, "kind"); kind != "" {
				fields[i].Judge = func(a, b event.Value) (bool, string) { return value.Equal(kind, nil, a, b) }
			}
		}
		a := drawRows(rt, "a", len(fields))
		b := drawRows(rt, "b", len(fields))
		if rapid.Bool().Draw(rt, "copy") {
			b = append(b, a...)
		}
		wantFound, wantSum := naive(a, b, fields)

		var found []compare.Divergence
		c := &compare.Comparison{A: set(a, len(fields)), B: set(b, len(fields)), Fields: fields, Scratch: db.Database()}
		sum, err := c.Run(context.Background(), db, func(d *compare.Divergence) error {
			found = append(found, *d)
			return nil
		})
		require.NoError(rt, err)
		for i := range found {
			found[i].CarryA, found[i].CarryB = nil, nil
		}
		require.Equal(rt, wantSum, *sum)
		require.Equal(rt, wantFound, sorted(found))
	})
}

// numbers is a set of n rows; every is how many rows apart the changed ones
// are, 0 for none.
func numbers(n, every int) compare.Set {
	changed := "0"
	if every > 0 {
		changed = fmt.Sprintf("number %% %d = 0", every)
	}
	return compare.Set{
		From: fmt.Sprintf("(SELECT toString(number) AS id, if(%s, 'changed', 'same') AS f FROM numbers(%d))", changed, n),
		Key:  "id", Carry: []string{"concat('line ', id)"},
	}
}

func TestLargeSetsInParts(t *testing.T) {
	db := scratch(t)
	const n = 500_000
	for _, every := range []int{0, 1000, 1} {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			cell := compare.TextCell("f")
			c := &compare.Comparison{
				A: numbers(n, 0), B: numbers(n, every), Scratch: db.Database(), Memory: 16 << 20,
				Fields: []compare.Field{{Name: "f", A: cell, B: cell}},
			}
			keys := map[string]bool{}
			sum, err := c.Run(t.Context(), db, func(d *compare.Divergence) error {
				keys[d.Key] = true
				if d.CarryA[0][0] != "line "+d.Key {
					return errors.New("another record's line")
				}
				return nil
			})
			require.NoError(t, err)
			want := 0
			if every > 0 {
				want = n / every
			}
			require.EqualValues(t, want, sum.Different)
			require.EqualValues(t, n-want, sum.Equal)
			require.EqualValues(t, n, sum.Records)
			require.Len(t, keys, want)
			require.Equal(t, want == 0, sum.Same())
		})
	}
}

func TestLeavesNoTables(t *testing.T) {
	db := scratch(t)
	stop := errors.New("stop")
	cell := compare.TextCell("f")
	c := &compare.Comparison{
		A: numbers(100, 7), B: numbers(100, 9), Scratch: db.Database(), Fields: []compare.Field{{Name: "f", A: cell, B: cell}},
	}
	_, err := c.Run(t.Context(), db, func(*compare.Divergence) error { return stop })
	require.ErrorIs(t, err, stop)
	var tables []struct {
		N uint64 `ch:"n"`
	}
	require.NoError(t, db.Query(t.Context(), &tables, "SELECT count() AS n FROM system.tables WHERE database = ?", db.Database()))
	require.Zero(t, tables[0].N)
}

func TestRefusesWhatCannotBeCompared(t *testing.T) {
	cell := compare.TextCell("f")
	for _, c := range []*compare.Comparison{
		{A: numbers(1, 2), B: numbers(1, 2)},
		{A: compare.Set{Key: "id"}, B: numbers(1, 2), Scratch: "x"},
		{A: numbers(1, 2), B: compare.Set{From: "x"}, Scratch: "x"},
		{A: numbers(1, 2), B: numbers(1, 2), Scratch: "x", Fields: []compare.Field{{Name: "f", A: cell}}},
	} {
		_, err := c.Run(t.Context(), nil, nil)
		require.Error(t, err)
	}
}
