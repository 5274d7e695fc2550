package notify

import (
	"fmt"
	"strings"
	"time"
)

// kpiWords are the KPIs in their order.
var kpiWords = []struct{ name, words string }{
	{"success", "sync success"}, {"latency", "latency p95"}, {"mttr", "time to repair"}, {"drift", "drift (30 d)"}, {"coverage", "coverage"},
}

const (
	shownIntegrations = 8
	shownOpen         = 6
	shownDue          = 8
)

// headline is the subject: the number that no dashboard of theirs shows.
func (w *week) headline() string {
	var silent uint64
	for _, s := range w.silent {
		silent += s.N
	}
	return fmt.Sprintf("Week to %s, %s: %s silently failed, %s open", w.to.Format("2 January"), w.tenant,
		number(int(silent), "record"), number(len(w.open), "incident")) //nolint:gosec // a count of records
}

// text is the letter.
func (w *week) text(console string) string {
	var b strings.Builder
	w.silently(&b)
	w.stake(&b)
	list := w.integrations()
	for i, id := range list {
		if i == shownIntegrations {
			fmt.Fprintf(&b, "\n%s more are in the console.\n", number(len(list)-i, "integration"))
			break
		}
		word := ""
		if i == 0 && len(list) > 1 {
			word = " (the worst)"
		}
		fmt.Fprintf(&b, "\n%s%s\n", id, word)
		w.five(&b, id)
	}
	w.incidents(&b)
	w.rest(&b)
	fmt.Fprintf(&b, "\nConsole: %s\n", console)
	return b.String()
}

func (w *week) silently(b *strings.Builder) {
	if len(w.silent) == 0 {
		b.WriteString("Silently failed: nothing that is known of.\n")
		return
	}
	b.WriteString("Silently failed (reported as synced, and still not equal):\n")
	for _, s := range w.silent {
		fmt.Fprintf(b, "- %s: %s\n", s.Integration, number(int(s.N), s.Object)) //nolint:gosec // a count of records
	}
}

// stake is what differs in money, where anybody knows.
func (w *week) stake(b *strings.Builder) {
	if len(w.money) == 0 {
		return
	}
	b.WriteString("\nAt stake:\n")
	for _, m := range w.money {
		fmt.Fprintf(b, "- %s: %s\n", m.Integration, m.Sentence)
	}
}

// five are the KPIs of an integration, this week against the week before.
func (w *week) five(b *strings.Builder, id string) {
	at := map[string]kpiRow{}
	for _, k := range w.kpis {
		if k.Integration == id {
			at[fmt.Sprint(k.KPI, k.Before)] = k
		}
	}
	for _, k := range kpiWords {
		now, before := at[k.name+"false"], at[k.name+"true"]
		line := fmt.Sprintf("- %s: %s", k.words, now.value())
		if now.Status == "breach" || now.Status == "warning" {
			line += ", " + now.Status
		}
		if before.Value != nil {
			line += fmt.Sprintf("; the week before %s", before.value())
		}
		b.WriteString(line + "\n")
	}
}

// value writes a KPI's number, or why there is none.
func (k kpiRow) value() string {
	if k.Value == nil {
		reason := strings.ReplaceAll(k.Reason, "_", " ")
		switch {
		case k.KPI == "mttr":
			return "no incidents"
		case reason == "":
			reason = "no data"
		}
		return "not known (" + reason + ")"
	}
	sign := ""
	if k.AtLeast {
		sign = "≥ "
	}
	switch k.KPI {
	case "latency", "mttr":
		return sign + roughly(time.Duration(*k.Value)*time.Millisecond)
	}
	return fmt.Sprintf("%s%.2f %%", sign, 100**k.Value)
}

// roughly is a span as a person says it.
func roughly(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%.1f d", d.Hours()/24)
	case d >= time.Hour:
		return fmt.Sprintf("%.1f h", d.Hours())
	case d >= time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func (w *week) incidents(b *strings.Builder) {
	if len(w.open) == 0 {
		b.WriteString("\nNo incident is open.\n")
		return
	}
	b.WriteString("\nOpen incidents:\n")
	for i, o := range w.open {
		if i == shownOpen {
			fmt.Fprintf(b, "- and %d more\n", len(w.open)-i)
			return
		}
		who := "nobody has it"
		if o.Taken != "" {
			who = o.Taken + " has it"
		}
		fmt.Fprintf(b, "- %s %s, open for %s, %s: %s\n", o.Priority, o.Integration, roughly(w.to.Sub(o.Since)), who, o.Title)
	}
}

// rest is what to do something about: causes, surface, checklist.
func (w *week) rest(b *strings.Builder) {
	if len(w.causes) > 0 {
		b.WriteString("\nWhat makes records differ:\n")
		for _, c := range w.causes {
			fmt.Fprintf(b, "- %s: %s, %s\n", c.Integration, c.Cause, number(int(c.N), "record")) //nolint:gosec // a count of records
		}
	}
	if len(w.surface) > 0 {
		b.WriteString("\nFields with more than one writer:\n")
		for _, s := range w.surface {
			fmt.Fprintf(b, "- %s, %s: %s with %s\n", s.Integration, s.System, number(int(s.Fields), "field"), strings.Join(first(s.With), ", ")) //nolint:gosec // few
		}
	}
	if len(w.due) == 0 {
		return
	}
	b.WriteString("\nTo look at (plumbline runbook checklist):\n")
	for i, d := range w.due {
		if i == shownDue {
			fmt.Fprintf(b, "- and %d more\n", len(w.due)-i)
			return
		}
		line := fmt.Sprintf("- %s: %s", d.Every, d.Title)
		if d.Found != "" && d.State == "attention" {
			line += ": " + d.Found
		}
		b.WriteString(line + "\n")
	}
}

func first(list []string) []string { return list[:min(len(list), 3)] }

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
