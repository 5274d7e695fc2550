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
}

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
	// Same are expressions that are never NULL; cells are equal when all of
	// them are. Both sides must have them of the same types: the hash of 1 as
	// Int32 is not that of 1 as Int64.
	Same []string
	// Text is of type String or Nullable(String): what is reported and judged.
	Text string
}

// TextCell compares the text itself; NULL and ” are the same.
func TextCell(expr string) Cell {
	return Cell{Same: []string{"ifNull(" + expr + ", '')"}, Text: expr}
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
		if len(f.A.Same) == 0 || len(f.A.Same) != len(f.B.Same) || f.A.Text == "" || f.B.Text == "" {
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

// keyHash is what rows are grouped by.
func (s *Set) keyHash() string { return "cityHash64(" + s.Key + ")" }

// rowHash covers the key as well: two keys of one hash are then no equal rows.
func (s side) rowHash(c *Comparison) string {
	parts := []string{s.set(c).Key}
	for i := range c.Fields {
		parts = append(parts, s.cell(&c.Fields[i]).Same...)
	}
	return "cityHash64(" + strings.Join(parts, ", ") + ")"
}
