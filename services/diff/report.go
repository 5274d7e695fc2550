package diff

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
)

//go:embed report.html
var reportSource string

var reportPage = template.Must(template.New("report").Parse(reportSource))

// report is the page's data, in the order in which it is read.
type report struct {
	*Result
	Verdict, At, Share string
	Outcomes           []outcome
	Tables             []table
	Compared           []string // shadows Summary.Compared, a number
}

// outcome is a share of all records.
type outcome struct {
	Class, Name, Count, Share, Note string
	Width                           template.CSS
}

// table is what differs in one field, or in one way as records.
type table struct {
	ID, Name, Count, How string
	Values               bool // differing values, and not whole records
	Bar                  template.CSS
	Rows                 []shownRow
	More                 string
}

type shownRow struct {
	Key, How                   string
	Source, Target             []span
	SourceLines, TargetLines   string
	SourceBlank, TargetBlank   bool
	SourceNumber, TargetNumber string
}

// HTML writes a page that needs nothing else: no network, no script.
func (r *Result) HTML(w io.Writer, at time.Time) error {
	page := &report{Result: r, At: at.Format("2 January 2006, 15:04 MST"), Share: r.EqualShare(), Verdict: r.verdict()}
	page.Outcomes = r.outcomes()
	for i, f := range r.ByField() {
		if f.Different > 0 {
			page.Tables = append(page.Tables, r.fieldTable(i, f))
		}
	}
	page.Tables = append(page.Tables, r.recordTables()...)
	for _, f := range r.Fields {
		page.Compared = append(page.Compared, f.describe())
	}
	return reportPage.Execute(w, page)
}

func (r *Result) verdict() string {
	switch {
	case r.Same():
		return "Both sides are equal"
	case r.Equal == r.Records:
		return "Every record that could be compared is equal"
	}
	n := r.Records - r.Equal
	if n == 1 {
		return "1 record is not equal"
	}
	return count(n) + " records are not equal"
}

func (r *Result) outcomes() []outcome {
	both := r.Records - r.Compared - r.MissingInTarget - r.MissingInSource
	list := []outcome{
		{Class: "equal", Name: "Equal", Note: "one row on each side, all compared fields the same", Count: count(r.Equal)},
		{Class: "different", Name: "Different", Note: "one field or more differs", Count: count(r.Different)},
		{Class: "target", Name: "Missing in target", Note: "only the source has the key", Count: count(r.MissingInTarget)},
		{Class: "source", Name: "Missing in source", Note: "only the target has the key", Count: count(r.MissingInSource)},
		{Class: "duplicate", Name: "Duplicate", Note: "several rows hold the key, so they were not paired", Count: count(both)},
	}
	for i, n := range []uint64{r.Equal, r.Different, r.MissingInTarget, r.MissingInSource, both} {
		list[i].Share = share(n, r.Records)
		list[i].Width = width(n, r.Records)
	}
	return list
}

// describe says how a pair of columns was compared.
func (f ComparedField) describe() string {
	text := f.Source
	if f.Source != f.Target {
		text += " = " + f.Target
	}
	if f.Kind != "exact" {
		text += " (as " + f.Kind + ")"
	}
	return text
}

func (r *Result) fieldTable(i int, f compare.FieldCount) table {
	t := table{
		ID: fmt.Sprintf("field-%d", i), Name: f.Name, Count: count(f.Different), How: how(f.Differences), Values: true,
		Bar: width(f.Different, r.ByField()[0].Different),
	}
	return t.with(r.Examples.lists[[2]string{event.ValueMismatch, f.Name}], f.Different)
}

func (r *Result) recordTables() (tables []table) {
	for _, k := range []struct {
		kind, name string
		n          uint64
	}{
		{event.MissingInTarget, "Missing in target", r.MissingInTarget},
		{event.MissingInSource, "Missing in source", r.MissingInSource},
		{event.Duplicate, "Duplicate keys", r.Duplicate},
	} {
		if k.n > 0 {
			t := table{ID: k.kind, Name: k.name, Count: count(k.n)}
			tables = append(tables, t.with(r.Examples.lists[[2]string{k.kind, ""}], k.n))
		}
	}
	return tables
}

// with adds the examples.
func (t table) with(lines []line, of uint64) table {
	for i := range lines {
		l := &lines[i]
		row := shownRow{
			Key: l.RecordKey, How: strings.ReplaceAll(l.Difference, "_", " "),
			SourceLines: lineText(l.SourceLines), TargetLines: lineText(l.TargetLines),
		}
		if l.Kind == event.Duplicate {
			row.SourceNumber, row.TargetNumber = rowsText(*l.SourceValue), rowsText(*l.TargetValue)
		}
		if t.Values {
			row.SourceBlank, row.TargetBlank = blank(l.SourceValue), blank(l.TargetValue)
			row.Source, row.Target = contrast(l.SourceValue, l.TargetValue)
		}
		t.Rows = append(t.Rows, row)
	}
	if left := of - uint64(len(lines)); left > 0 {
		t.More = count(left)
	}
	return t
}

func rowsText(n string) string {
	if n == "1" {
		return "1 row"
	}
	return n + " rows"
}

func blank(s *string) bool { return s == nil || *s == "" }

func lineText(lines []uint64) string {
	if len(lines) == 0 {
		return ""
	}
	words := make([]string, len(lines))
	for i, n := range lines {
		words[i] = count(n)
	}
	name := "line "
	if len(lines) > 1 {
		name = "lines "
	}
	return name + strings.Join(words, ", ")
}

func share(n, of uint64) string {
	if of == 0 || n == 0 {
		return "0 %"
	}
	p := 100 * float64(n) / float64(of)
	switch {
	case n == of:
		return "100 %"
	case p < 0.01:
		return "< 0.01 %"
	case p > 99.99:
		return "> 99.99 %"
	}
	return fmt.Sprintf("%.2f %%", p)
}

// width is a share as a bar's length; what is there at all is seen.
func width(n, of uint64) template.CSS {
	if n == 0 || of == 0 {
		return "width:0"
	}
	return template.CSS(fmt.Sprintf("width:max(3px,%.3f%%)", 100*float64(n)/float64(of)))
}

// SourceRows and the like are numbers as the page writes them.
func (r *report) SourceRows() string  { return count(r.A.Rows) }
func (r *report) TargetRows() string  { return count(r.B.Rows) }
func (r *report) RecordCount() string { return count(r.Records) }
func (r *report) KeyText() string     { return strings.Join(r.Key, " and ") }
func (r *report) TookText() string    { return r.Took.Round(10 * time.Millisecond).String() }

// NoKeyText tells of the rows that were left out.
func (r *report) NoKeyText() string {
	if r.A.NoKey+r.B.NoKey == 0 {
		return ""
	}
	return fmt.Sprintf("Rows not compared, because their key is blank: %s of the source, %s of the target.", count(r.A.NoKey), count(r.B.NoKey))
}
