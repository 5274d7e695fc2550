package evaluate

import (
	"fmt"
	"io"
	"strings"
)

// CauseTable sums what was named over the seeds of each scenario.
type CauseTable struct {
	names []string
	sums  map[string]*causeSum
}

type causeSum struct {
	seeds, clean                       int // clean: nothing was blamed that did nothing
	first, named, rows, silent, blamed Row
}

// Add adds a run of a scenario.
func (t *CauseTable) Add(name string, rows []Row) {
	if t.sums == nil {
		t.sums = map[string]*causeSum{}
	}
	c := t.sums[name]
	if c == nil {
		c = &causeSum{}
		t.names, t.sums[name] = append(t.names, name), c
	}
	c.seeds++
	for row, sum := range map[string]*Row{
		"faults named first": &c.first, "faults named": &c.named, "top 1": &c.rows, "unexplained where nothing tells": &c.silent,
		"blamed without cause": &c.blamed,
	} {
		r := find(rows, GroupCauses, row)
		sum.Hits, sum.Of = sum.Hits+r.Hits, sum.Of+r.Of
	}
	if r := find(rows, GroupCauses, "blamed without cause"); r.Measured && r.Hits == 0 {
		c.clean++
	}
}

// Print writes it as Markdown.
func (t *CauseTable) Print(out io.Writer) error {
	var text strings.Builder
	text.WriteString("| scenario | seeds | named first | named at all | differences with the right cause first | unexplained where nothing tells | seeds that blame nothing else | wrongly blamed |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|\n")
	of := func(r Row) string {
		if r.Of == 0 {
			return "-"
		}
		return fmt.Sprintf("%d of %d (%s)", r.Hits, r.Of, percent(float64(r.Hits)/float64(r.Of)))
	}
	for _, name := range t.names {
		c := t.sums[name]
		fmt.Fprintf(&text, "| %s | %d | %s | %s | %s | %s | %d | %d |\n",
			name, c.seeds, of(c.first), of(c.named), of(c.rows), of(c.silent), c.clean, c.blamed.Hits)
	}
	_, err := io.WriteString(out, text.String())
	return err
}
