package soql

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Match reports whether a record meets the condition. Get is a field's value,
// "" for null.
func (e *Expr) Match(get func(field string) string) bool {
	if e == nil {
		return true
	}
	switch e.Join {
	case "AND":
		return !slices.ContainsFunc(e.Sub, func(s *Expr) bool { return !s.Match(get) })
	case "OR":
		return slices.ContainsFunc(e.Sub, func(s *Expr) bool { return s.Match(get) })
	case "NOT":
		return !e.Sub[0].Match(get)
	}
	return e.compares(get(e.Field))
}

func (e *Expr) compares(v string) bool {
	switch e.Op {
	case "IN":
		return slices.ContainsFunc(e.Values, func(x Value) bool { return equal(v, x) })
	case "NOT IN":
		return !slices.ContainsFunc(e.Values, func(x Value) bool { return equal(v, x) })
	case "=":
		return equal(v, e.Values[0])
	case "!=":
		return !equal(v, e.Values[0])
	case "LIKE":
		return like(strings.ToLower(v), strings.ToLower(e.Values[0].Text))
	}
	if v == "" || e.Values[0].Kind == "null" {
		return false
	}
	c := Compare(v, e.Values[0])
	switch e.Op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

func equal(v string, x Value) bool {
	if x.Kind == "null" || v == "" {
		return v == "" && (x.Kind == "null" || x.Kind == "text" && x.Text == "" || x.Kind == "bool" && x.Text == "false")
	}
	return Compare(v, x) == 0
}

// Compare orders a record's value against a literal, by the literal's kind.
func Compare(v string, x Value) int {
	switch x.Kind {
	case "number":
		a, errA := strconv.ParseFloat(v, 64)
		b, errB := strconv.ParseFloat(x.Text, 64)
		if errA == nil && errB == nil {
			return cmp.Compare(a, b)
		}
	case "time", "date":
		if t, ok := instant(v); ok {
			return cmp.Compare(t, x.MS)
		}
	}
	return cmp.Compare(strings.ToLower(v), strings.ToLower(x.Text))
}

func instant(v string) (int64, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.000Z0700", "2006-01-02"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// like is SQL's: % any text, _ any character. It works forward and returns to
// the last % only, so that no pattern takes longer than its text times it.
func like(text, pattern string) bool {
	t, p := []rune(text), []rune(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(t) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
		case j < len(p) && (p[j] == '_' || p[j] == t[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}

// Less orders two records by the query's keys; nulls come first unless asked.
func (q *Query) Less(a, b func(field string) string) int {
	for _, o := range q.Order {
		x, y := a(o.Field), b(o.Field)
		c := 0
		switch {
		case x == y:
		case x == "" || y == "":
			c = 1
			if (x == "") != o.NullsLast {
				c = -1
			}
			if c != 0 {
				return c
			}
		default:
			c = Compare(x, literal(y))
			if o.Desc {
				c = -c
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func literal(v string) Value {
	if t, ok := instant(v); ok {
		return Value{Kind: "time", Text: v, MS: t}
	}
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		return Value{Kind: "number", Text: v}
	}
	return Value{Kind: "text", Text: v}
}

// Names lists every field that the condition reads.
func (e *Expr) Names() []string {
	if e == nil {
		return nil
	}
	if e.Join == "" {
		return []string{e.Field}
	}
	var out []string
	for _, s := range e.Sub {
		out = append(out, s.Names()...)
	}
	return out
}
