// Package soql reads and evaluates the part of Salesforce's query language
// that readers of records use.
package soql

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Query is a parsed SELECT.
type Query struct {
	Fields []string
	Count  bool // SELECT COUNT()
	From   string
	Where  *Expr // nil: every record
	Order  []Order
	Limit  int // -1: none
	Offset int
}

// Order is one sort key.
type Order struct {
	Field     string
	Desc      bool
	NullsLast bool
}

// Expr is a condition: either And, Or or Not of others, or a comparison.
type Expr struct {
	Join   string // AND, OR, NOT; empty: a comparison
	Sub    []*Expr
	Field  string
	Op     string // = != < <= > >= LIKE IN NOT IN
	Values []Value
}

// Value is a literal.
type Value struct {
	Kind string // text, number, bool, time, date, null
	Text string
	MS   int64 // of a time, or of a date's midnight
}

// Error is a query that cannot be read; the text is what Salesforce says.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// maxDepth bounds nested conditions.
const maxDepth = 50

// Parse reads a query. Now is what TODAY and LAST_N_DAYS count from.
func Parse(text string, now int64) (*Query, error) {
	words, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{words: words, now: now}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	if p.peek() != "" {
		return nil, p.unexpected()
	}
	return q, nil
}

type parser struct {
	words []word
	at    int
	now   int64
	depth int
}

func (p *parser) peek() string {
	if p.at >= len(p.words) {
		return ""
	}
	return p.words[p.at].text
}

func (p *parser) is(keyword string) bool {
	return p.at < len(p.words) && !p.words[p.at].quoted && strings.EqualFold(p.words[p.at].text, keyword)
}

// take moves over the keywords if all of them come next.
func (p *parser) take(keywords ...string) bool {
	began := p.at
	for _, k := range keywords {
		if !p.is(k) {
			p.at = began
			return false
		}
		p.at++
	}
	return true
}

func (p *parser) unexpected() error {
	if p.peek() == "" {
		return &Error{"unexpected token: '<EOF>'"}
	}
	return &Error{fmt.Sprintf("unexpected token: '%s'", p.peek())}
}

func (p *parser) name() (string, error) {
	if p.at >= len(p.words) || p.words[p.at].quoted || !isName(p.words[p.at].text) {
		return "", p.unexpected()
	}
	p.at++
	return p.words[p.at-1].text, nil
}

func (p *parser) query() (*Query, error) {
	q := &Query{Limit: -1}
	if !p.take("SELECT") {
		return nil, p.unexpected()
	}
	if err := p.selected(q); err != nil {
		return nil, err
	}
	var err error
	if !p.take("FROM") {
		return nil, p.unexpected()
	}
	if q.From, err = p.name(); err != nil {
		return nil, err
	}
	if p.take("WHERE") {
		if q.Where, err = p.or(); err != nil {
			return nil, err
		}
	}
	if p.take("ORDER", "BY") {
		if err := p.order(q); err != nil {
			return nil, err
		}
	}
	return q, p.bounds(q)
}

func (p *parser) selected(q *Query) error {
	if p.take("COUNT", "(", ")") {
		q.Count = true
		return nil
	}
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		if strings.EqualFold(name, "FIELDS") && p.take("(") {
			which, err := p.name()
			if err != nil || !p.take(")") {
				return p.unexpected()
			}
			name = "FIELDS(" + strings.ToUpper(which) + ")"
		}
		q.Fields = append(q.Fields, name)
		if !p.take(",") {
			return nil
		}
	}
}

func (p *parser) order(q *Query) error {
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		o := Order{Field: name, Desc: p.take("DESC")}
		if !o.Desc {
			p.take("ASC")
		}
		if p.take("NULLS") {
			if o.NullsLast = p.take("LAST"); !o.NullsLast && !p.take("FIRST") {
				return p.unexpected()
			}
		}
		q.Order = append(q.Order, o)
		if !p.take(",") {
			return nil
		}
	}
}

func (p *parser) bounds(q *Query) error {
	for _, b := range []struct {
		word string
		to   *int
	}{{"LIMIT", &q.Limit}, {"OFFSET", &q.Offset}} {
		if !p.take(b.word) {
			continue
		}
		n, err := strconv.Atoi(p.peek())
		if err != nil || n < 0 {
			return p.unexpected()
		}
		*b.to = n
		p.at++
	}
	return nil
}

func (p *parser) or() (*Expr, error) { return p.joined("OR", p.and) }

func (p *parser) and() (*Expr, error) { return p.joined("AND", p.unary) }

func (p *parser) joined(word string, part func() (*Expr, error)) (*Expr, error) {
	first, err := part()
	if err != nil || !p.is(word) {
		return first, err
	}
	out := &Expr{Join: word, Sub: []*Expr{first}}
	for p.take(word) {
		next, err := part()
		if err != nil {
			return nil, err
		}
		out.Sub = append(out.Sub, next)
	}
	return out, nil
}

func (p *parser) unary() (*Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, &Error{"query is too complicated"}
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("NOT"):
		sub, err := p.unary()
		return &Expr{Join: "NOT", Sub: []*Expr{sub}}, err
	case p.take("("):
		e, err := p.or()
		if err == nil && !p.take(")") {
			err = p.unexpected()
		}
		return e, err
	}
	return p.comparison()
}

var comparisons = []string{"=", "!=", "<>", "<", "<=", ">", ">="}

func (p *parser) comparison() (*Expr, error) {
	field, err := p.name()
	if err != nil {
		return nil, err
	}
	e := &Expr{Field: field}
	switch {
	case p.take("LIKE"):
		e.Op = "LIKE"
	case p.take("IN"):
		return p.list(e, "IN")
	case p.take("NOT", "IN"):
		return p.list(e, "NOT IN")
	case slices.Contains(comparisons, p.peek()):
		if e.Op = p.peek(); e.Op == "<>" {
			e.Op = "!="
		}
		p.at++
	default:
		return nil, p.unexpected()
	}
	v, err := p.value()
	e.Values = []Value{v}
	return e, err
}

func (p *parser) list(e *Expr, op string) (*Expr, error) {
	e.Op = op
	if !p.take("(") {
		return nil, p.unexpected()
	}
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		e.Values = append(e.Values, v)
		if p.take(")") {
			return e, nil
		}
		if !p.take(",") {
			return nil, p.unexpected()
		}
	}
}
