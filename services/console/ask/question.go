package ask

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed sql/*.sql
var files embed.FS

// Kind says what a column means, and so how a person and a program see it.
type Kind string

// The kinds of columns.
const (
	Text  Kind = "text"
	Word  Kind = "word"  // one of a few, shown as a tag
	Key   Kind = "key"   // an id, in fixed width
	Count Kind = "count" // a whole number
	Ratio Kind = "ratio" // 0 to 1, shown in percent
	Num   Kind = "num"
	Ms    Kind = "ms" // a duration
	Time  Kind = "time"
	Flag  Kind = "flag"
	List  Kind = "list" // of texts
	Pairs Kind = "pairs"
	URL   Kind = "url" // a link to another system
)

var kinds = []Kind{Text, Word, Key, Count, Ratio, Num, Ms, Time, Flag, List, Pairs, URL}

// Column is one column of an answer.
type Column struct {
	Name  string
	Kind  Kind
	Title string // empty: only programs see it
	Link  string // where its value leads, with {column} filled in; empty: nowhere
}

// Filter is an optional condition: the column equals what was asked for.
type Filter struct {
	Name    string
	Choices []string // empty: anything
}

// Question is one file.
type Question struct {
	Name    string // of the file, and of the address in the API
	Title   string
	About   string
	Empty   string   // what it means that there are no rows
	Needs   []string // parameters without which it makes no sense
	Filters []Filter
	Spans   bool // it looks at a window
	Columns []Column
	text    string
}

// All are the questions by name.
var All = mustLoad()

// Names are those of all questions, in order.
func Names() []string {
	var out []string
	for name := range All {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func mustLoad() map[string]*Question {
	out := map[string]*Question{}
	list, err := fs.Glob(files, "sql/*.sql")
	if err != nil {
		panic(err)
	}
	for _, file := range list {
		b, err := fs.ReadFile(files, file)
		if err != nil {
			panic(err)
		}
		q, err := parse(strings.TrimSuffix(path.Base(file), ".sql"), string(b))
		if err != nil {
			panic(fmt.Sprintf("%s: %v", file, err)) // they are part of the program: a test reads them all
		}
		out[q.Name] = q
	}
	return out
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// parse reads a file: lines that begin with "-- word:" describe, the rest is
// the statement.
func parse(name, text string) (*Question, error) {
	q := &Question{Name: name}
	var sql []string
	for line := range strings.Lines(text) {
		word, rest, ok := strings.Cut(strings.TrimPrefix(line, "-- "), ":")
		if !ok || !strings.HasPrefix(line, "-- ") || strings.Contains(word, " ") {
			sql = append(sql, line)
			continue
		}
		if err := q.describe(word, strings.TrimSpace(rest)); err != nil {
			return nil, err
		}
	}
	q.text = strings.TrimSpace(strings.Join(sql, ""))
	q.Spans = strings.Contains(q.text, "{from}")
	if q.Title == "" || len(q.Columns) == 0 || !strings.Contains(q.text, "{limit}") {
		return nil, fmt.Errorf("needs a title, columns and a {limit}")
	}
	return q, nil
}

func (q *Question) describe(word, rest string) error {
	switch word {
	case "title":
		q.Title = rest
	case "about":
		q.About = rest
	case "empty":
		q.Empty = rest
	case "needs":
		q.Needs = strings.Fields(rest)
	case "filter":
		name, choices, _ := strings.Cut(rest, "=")
		f := Filter{Name: strings.TrimSpace(name)}
		if choices != "" {
			f.Choices = strings.Fields(choices)
		}
		q.Filters = append(q.Filters, f)
	case "column":
		parts := strings.Split(rest, "|")
		for len(parts) < 4 {
			parts = append(parts, "")
		}
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		c := Column{parts[0], Kind(parts[1]), parts[2], parts[3]}
		if !slices.Contains(kinds, c.Kind) {
			return fmt.Errorf("column %s: there is no kind %q", c.Name, c.Kind)
		}
		q.Columns = append(q.Columns, c)
	default:
		return fmt.Errorf("there is no %q", word)
	}
	return nil
}

// Column finds a column by name, nil if there is none.
func (q *Question) Column(name string) *Column {
	for i := range q.Columns {
		if q.Columns[i].Name == name {
			return &q.Columns[i]
		}
	}
	return nil
}
