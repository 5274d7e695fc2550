package evaluate

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// Print writes every row of one scenario.
func Print(out io.Writer, rows []Row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	group := ""
	for _, r := range rows {
		if r.Group != group {
			group = r.Group
			fmt.Fprintf(w, "%s\n", group)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", r.Name, r.Text(), r.Note)
	}
	return w.Flush()
}

// Table holds many scenarios, a line each.
type Table struct {
	names []string
	rows  [][]Row
}

// Add adds a scenario.
func (t *Table) Add(name string, rows []Row) {
	t.names, t.rows = append(t.names, name), append(t.rows, rows)
}

// Only are the rows of the single scenario.
func (t *Table) Only() []Row { return t.rows[0] }

// columns are what the table shows of all rows.
var columns = []struct{ head, group, name string }{
	{"silent P", GroupSilent, "precision"},
	{"silent R", GroupSilent, "recall"},
	{"p50 s", GroupSilent, "time to detect p50"},
	{"p95 s", GroupSilent, "time to detect p95"},
	{"list P", GroupListed, "precision"},
	{"list R", GroupListed, "recall"},
	{"diff P", GroupDivergences, "precision"},
	{"diff R", GroupDivergences, "recall"},
	{"p50 s", GroupDivergences, "time to detect p50"},
	{"kind", GroupDivergences, "kind right"},
	{"states", GroupDeliveries, "final state right"},
	{"known", GroupDeliveries, "known"},
	{"class", GroupFailures, "class right"},
	{"whose", GroupFailures, "attribution right"},
	{"cause 1", GroupCauses, "top 1"},
	{"named", GroupCauses, "faults named first"},
	{"blamed", GroupCauses, "blamed without cause"},
	{"unexpl.", GroupCauses, "unexplained where nothing tells"},
	{"incid.", GroupIncidents, "found"},
	{"opened", GroupIncidents, "opened"},
	{"false", GroupIncidents, "false ones"},
	{"onset s", GroupIncidents, "onset error p50"},
	{"KPI1 pp", GroupKPIs, "success rate error"},
	{"rec. pp", GroupKPIs, "record success error"},
	{"KPI2 %", GroupKPIs, "latency p95 error"},
	{"KPI3 %", GroupKPIs, "MTTR error"},
	{"KPI4 pp", GroupKPIs, "drift rate error"},
	{"KPI5 pp", GroupKPIs, "coverage error"},
	{"tripped", GroupAgents, "runaways tripped"},
	{"storms", GroupRetries, "storms seen"},
}

// Print writes the table as Markdown, and under it the sums over all
// scenarios. What is not measured is a dash.
func (t *Table) Print(out io.Writer) error {
	var b strings.Builder
	b.WriteString("| scenario |")
	for _, c := range columns {
		b.WriteString(" " + c.head + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)) + "\n")
	for i, name := range t.names {
		b.WriteString("| " + name + " |")
		for _, c := range columns {
			b.WriteString(" " + cell(find(t.rows[i], c.group, c.name)) + " |")
		}
		b.WriteByte('\n')
	}
	b.WriteString("| **all** |")
	for _, c := range columns {
		b.WriteString(" " + cell(t.sum(c.group, c.name)) + " |")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(out, b.String())
	return err
}

func find(rows []Row, group, name string) Row {
	for _, r := range rows {
		if r.Group == group && r.Name == name {
			return r
		}
	}
	return Row{}
}

// sum is a share over all scenarios; of what cannot be added, the worst.
func (t *Table) sum(group, name string) Row {
	var all Row
	for _, rows := range t.rows {
		r := find(rows, group, name)
		if !r.Measured {
			continue
		}
		all.Measured, all.Unit = true, r.Unit
		all.Hits, all.Of = all.Hits+r.Hits, all.Of+r.Of
		switch r.Unit {
		case Share:
			all.Value = float64(all.Hits) / float64(max(all.Of, 1))
		case Count:
			all.Value += r.Value
		default:
			all.Value = max(all.Value, r.Value)
		}
	}
	return all
}

func cell(r Row) string {
	switch {
	case !r.Measured:
		return "-"
	case r.Unit == Share:
		return percent(r.Value)
	case r.Unit == Relative:
		return fmt.Sprintf("%.0f", 100*r.Value)
	case r.Unit == Points:
		return fmt.Sprintf("%.1f", r.Value)
	}
	return fmt.Sprintf("%.0f", r.Value)
}

// percent never rounds up to 100 what is less: the bar is 99.9.
func percent(v float64) string {
	if v > 0.99 && v < 1 {
		return fmt.Sprintf("%.1f%%", math.Floor(1000*v)/10)
	}
	return fmt.Sprintf("%.0f%%", 100*v)
}
