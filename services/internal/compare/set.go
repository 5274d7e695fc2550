package compare

import (
	"errors"
	"fmt"
	"strings"

	"plumbline.dev/schemas/event"
)

// Set is one side of a comparison, in ClickHouse's SQL.
type Set struct {
	From  string // what stands after FROM: a table, a table function, a query in brackets
	Where string // which of its rows take part; empty = all
	Key   string // expression of type String: the record's key in normal form, '' for a row without one
	// Carry are expressions of type String that come along with a record, such
	// as its native id or its line.
	Carry []string
	// At, when set, has queries answered by the other server that holds the set:
	// only what they ask for leaves it.
	At Place
}

// Place turns a query into the table expression of its answer by another
// server; structure names the answer's columns and types.
type Place func(query, structure string) string

// Field is what is compared under one name.
type Field struct {
	Name string
	A, B Cell
	// Judge has the last word on two cells that differ in ClickHouse: whether
	// they are equal after all, and if not, how they differ. nil = they differ.
	Judge func(a, b event.Value) (equal bool, difference string)
}

// Cell says how a side's field is read.
type Cell struct {
	// Same is never NULL; cells are equal when it and Null are. Both sides must
	// have it of the same type: the hash of 1 as Int32 is not that of 1 as Int64.
	Same string
	// Null is 0 or 1 and tells apart what Same cannot; empty = 0.
	Null string
	// Text is of type String or Nullable(String): what is reported and judged.
	Text string
}

// TextCell compares the text itself; NULL and ” are the same. What stands below
// a NULL is nearly always ”; where it is not, the judge has to say so. ifNull
// would copy every text.
func TextCell(expr string) Cell {
	same := "assumeNotNull(" + expr + ")"
	return Cell{Same: same, Null: "isNull(" + expr + ") AND notEmpty(" + same + ")", Text: expr}
}

func (s *Set) validate(side string) error {
	if s.From == "" || s.Key == "" {
		return fmt.Errorf("compare: set %s needs From and Key", side)
	}
	return nil
}

// rows is the set's FROM and WHERE, without the rows that have no key.
func (s *Set) rows() string {
	return fmt.Sprintf("%s WHERE (%s) != ''%s", s.From, s.Key, s.and())
}

func (s *Set) and() string {
	if s.Where == "" {
		return ""
	}
	return " AND (" + s.Where + ")"
}

func (s *Set) where() string {
	if s.Where == "" {
		return ""
	}
	return " WHERE " + s.Where
}

func (c *Comparison) validate() error {
	if c.Scratch == "" {
		return errors.New("compare: Scratch names no database")
	}
	for _, f := range c.Fields {
		if f.A.Same == "" || f.B.Same == "" || f.A.Text == "" || f.B.Text == "" {
			return fmt.Errorf("compare: field %q needs Same and Text on both sides", f.Name)
		}
	}
	return errors.Join(c.A.validate("A"), c.B.validate("B"))
}

func (s side) set(c *Comparison) *Set {
	if s == sideA {
		return &c.A
	}
	return &c.B
}

func (s side) cell(f *Field) *Cell {
	if s == sideA {
		return &f.A
	}
	return &f.B
}

// side is 0 for A and 1 for B, also in the stored rows.
type side int

const (
	sideA side = iota
	sideB
)

func (s side) String() string { return []string{"A", "B"}[s] }

// keyHash is what rows are grouped by: odd, and 0 for a row without a key.
func (s *Set) keyHash() string {
	return fmt.Sprintf("bitOr(cityHash64(%s), 1) * ((%s) != '')", s.Key, s.Key)
}

// rowHash covers the key as well: two keys of one hash are then no equal rows.
func (s side) rowHash(c *Comparison) string {
	parts := []string{s.set(c).Key}
	var nulls []string
	for i := range c.Fields {
		cell := s.cell(&c.Fields[i])
		parts = append(parts, cell.Same)
		if cell.Null != "" {
			nulls = append(nulls, fmt.Sprintf("(%s) * %d", cell.Null, uint64(1)<<(i%maskBits)))
		}
		if i%maskBits == maskBits-1 || i == len(c.Fields)-1 {
			parts = append(parts, mask(nulls))
			nulls = nil
		}
	}
	return "cityHash64(" + strings.Join(parts, ", ") + ")"
}

// maskBits is how many cells' Null go into one number: hashing each alone
// costs as much as a column of its own.
const maskBits = 48

func mask(nulls []string) string {
	if len(nulls) == 0 {
		return "toUInt64(0)"
	}
	return "toUInt64(" + strings.Join(nulls, " + ") + ")"
}

func (c *Cell) hash() string { return "cityHash64(" + c.Same + ", " + mask(c.nulls()) + ")" }

func (c *Cell) nulls() []string {
	if c.Null == "" {
		return nil
	}
	return []string{"(" + c.Null + ")"}
}
