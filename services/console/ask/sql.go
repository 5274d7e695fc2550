package ask

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

// Params are what a question is asked with.
type Params struct {
	Values   map[string]string // needs and filters
	Lists    map[string][]string
	From, To time.Time // of the window
	Now      time.Time
	Limit    int
}

// Problem is a question asked wrongly: what is wrong, in words.
type Problem string

func (p Problem) Error() string { return string(p) }

// SQL is the statement with everything filled in: it can be copied and run.
func (q *Question) SQL(p Params) (string, error) {
	if err := q.check(p.Values); err != nil {
		return "", err
	}
	var unknown string
	text := placeholder.ReplaceAllStringFunc(q.text, func(name string) string {
		name = strings.Trim(name, "{}")
		switch {
		case name == "where":
			return q.where(p.Values)
		case name == "from":
			return instant(p.From)
		case name == "to":
			return instant(p.To)
		case name == "now":
			return instant(p.Now)
		case name == "limit":
			return strconv.Itoa(p.Limit)
		case slices.Contains(q.Needs, name):
			return warehouse.Quote(p.Values[name])
		}
		list, ok := p.Lists[name]
		if !ok {
			unknown = name
		}
		return quoteAll(list)
	})
	if unknown != "" {
		return "", fmt.Errorf("question %s: nothing fills in {%s}", q.Name, unknown)
	}
	return text, nil
}

// check refuses names nobody knows: a typing error must not answer with
// everything.
func (q *Question) check(values map[string]string) error {
	for _, need := range q.Needs {
		if values[need] == "" {
			return Problem(need + ": is needed")
		}
	}
	for name, value := range values {
		if slices.Contains(q.Needs, name) {
			continue
		}
		i := slices.IndexFunc(q.Filters, func(f Filter) bool { return f.Name == name })
		if i < 0 {
			return Problem(name + ": no such parameter")
		}
		if c := q.Filters[i].Choices; value != "" && len(c) > 0 && !slices.Contains(c, value) {
			return Problem(name + ": choose " + strings.Join(c, ", "))
		}
	}
	return nil
}

func (q *Question) where(values map[string]string) string {
	var parts []string
	for _, f := range q.Filters { // in the order of the file, so that one question has one text
		if v := values[f.Name]; v != "" {
			parts = append(parts, f.Name+" = "+warehouse.Quote(v))
		}
	}
	if len(parts) == 0 {
		return "true"
	}
	return strings.Join(parts, " AND ")
}

func instant(t time.Time) string {
	return "toDateTime64('" + t.UTC().Format("2006-01-02 15:04:05.000") + "', 3, 'UTC')"
}

func quoteAll(list []string) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = warehouse.Quote(v)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
