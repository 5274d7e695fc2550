package console

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"plumbline.dev/services/console/ask"
)

// sheet is a question's answer as a person reads it: as a table, or its first
// row as facts. It always carries where the rows are and the SQL they come from.
type sheet struct {
	ID, Title, About, Empty string
	Heads                   []head
	Rows                    [][]cell
	Facts                   []labelled // of the first row
	Count                   string
	SQL, JSON, All          string
	Scoped                  string // whose rows, where not all are shown
}

type head struct {
	Title string
	Num   bool
}

type labelled struct {
	Label string
	Cell  cell
}

// sheet lays out an answer. Columns where every row is empty are left out.
func (v *visit) sheet(a *ask.Answer, hide ...string) *sheet {
	q := a.Question
	s := &sheet{ID: q.Name, Title: q.Title, About: q.About, Empty: q.Empty, SQL: a.SQL, Count: fmt.Sprint(len(a.Rows))}
	if a.Truncated {
		s.Count += "+"
	}
	if v.person.Tenants != nil {
		s.Scoped = strings.Join(v.person.Tenants, ", ")
	}
	query := v.queryOf(a)
	s.All, s.JSON = "/rows/"+q.Name+query, "/api/v1/"+q.Name+query
	shown := []int{}
	for i, c := range q.Columns {
		if c.Title == "" || slices.Contains(hide, c.Name) || !slices.ContainsFunc(a.Rows, func(r []any) bool { return !blank(r[i]) }) {
			continue
		}
		shown = append(shown, i)
		s.Heads = append(s.Heads, head{c.Title, numeric(c.Kind)})
	}
	for r, row := range a.Rows {
		line := make([]cell, len(shown))
		for j, i := range shown {
			c := &q.Columns[i]
			line[j] = newCell(c.Kind, row[i], v.now)
			line[j].Label, line[j].Href = c.Title, fill(c.Link, a, r)
			if r == 0 && !blank(row[i]) {
				s.Facts = append(s.Facts, labelled{c.Title, line[j]})
			}
		}
		s.Rows = append(s.Rows, line)
	}
	return s
}

func numeric(k ask.Kind) bool {
	return k == ask.Count || k == ask.Ratio || k == ask.Num || k == ask.Ms
}

// queryOf is how the question is asked again.
func (v *visit) queryOf(a *ask.Answer) string {
	values := url.Values{}
	for name, value := range a.Params.Values {
		if value != "" {
			values.Set(name, value)
		}
	}
	if a.Question.Spans {
		values.Set("window", v.window.Name)
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// fill makes an address of a pattern and a row; without one of its values there
// is none.
func fill(pattern string, a *ask.Answer, row int) string {
	if pattern == "" {
		return ""
	}
	path, query, _ := strings.Cut(pattern, "?")
	values := url.Values{}
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(value, "{") {
			value, _ = a.Value(row, strings.Trim(value, "{}")).(string)
			if value == "" {
				return ""
			}
		}
		values.Set(name, value)
	}
	return path + "?" + values.Encode()
}
