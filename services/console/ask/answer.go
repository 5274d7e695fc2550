package ask

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"

	"plumbline.dev/services/internal/warehouse"
)

// Table is what the package needs of ClickHouse; *warehouse.DB has it.
type Table interface {
	Table(ctx context.Context, l warehouse.Limits, sql string) (columns []string, rows [][]any, err error)
}

// Answer is a question's rows, its columns in the question's order.
type Answer struct {
	Question  *Question
	Params    Params
	SQL       string
	Rows      [][]any
	Truncated bool // there are more rows than the limit
}

// Ask runs a question.
func Ask(ctx context.Context, db Table, l warehouse.Limits, name string, p Params) (*Answer, error) {
	q := All[name]
	if q == nil {
		return nil, fmt.Errorf("there is no question %q", name)
	}
	shown, err := q.SQL(p)
	if err != nil {
		return nil, err
	}
	limit := p.Limit
	p.Limit++ // one more tells whether there are more
	run, err := q.SQL(p)
	if err != nil {
		return nil, err
	}
	names, rows, err := db.Table(ctx, l, run)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	p.Limit = limit
	a := &Answer{Question: q, Params: p, SQL: shown, Rows: rows, Truncated: len(rows) > limit}
	if a.Truncated {
		a.Rows = rows[:limit]
	}
	if len(rows) == 0 { // without rows, some servers name no columns
		return a, nil
	}
	return a, a.arrange(names)
}

// arrange puts the columns into the question's order.
func (a *Answer) arrange(names []string) error {
	at := make([]int, len(a.Question.Columns))
	for i, c := range a.Question.Columns {
		if at[i] = slices.Index(names, c.Name); at[i] < 0 {
			return fmt.Errorf("question %s: the answer has no column %s", a.Question.Name, c.Name)
		}
	}
	for r, row := range a.Rows {
		out := make([]any, len(at))
		for i, j := range at {
			out[i] = row[j]
		}
		a.Rows[r] = out
	}
	return nil
}

// Value is a row's value of a column, nil where there is none.
func (a *Answer) Value(row int, name string) any {
	for i, c := range a.Question.Columns {
		if c.Name == name && row < len(a.Rows) {
			return a.Rows[row][i]
		}
	}
	return nil
}

// Objects are the rows as a program reads them.
func (a *Answer) Objects() []map[string]any {
	out := make([]map[string]any, 0, len(a.Rows))
	for _, row := range a.Rows {
		m := make(map[string]any, len(row))
		for i, c := range a.Question.Columns {
			m[c.Name] = encodable(c.Kind, row[i])
		}
		out = append(out, m)
	}
	return out
}

// encodable is a value as JSON has it: what is no number is null, what is
// empty is empty and not null.
func encodable(k Kind, value any) any {
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch {
	case v.CanFloat() && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		return nil
	case k == Flag && v.CanUint():
		return v.Uint() != 0
	case k == List && v.Len() == 0:
		return []string{}
	case k == Pairs && v.Len() == 0:
		return map[string]string{}
	}
	return v.Interface()
}
