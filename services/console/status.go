package console

// Status is a KPI's status with its words; colour never stands alone.
type Status struct {
	Key  string // ok, warning, breach, unknown: names the icon and the colour
	Word string
}

var statuses = map[string]Status{
	"ok":      {"ok", "On target"},
	"warning": {"warning", "Warning"},
	"breach":  {"breach", "Target missed"},
	"unknown": {"unknown", "To do"},
}

// statusOf takes what the views say; a word this version does not know is
// not measured.
func statusOf(key string) Status {
	if s, ok := statuses[key]; ok {
		return s
	}
	return statuses["unknown"]
}

var severities = map[string]string{"page": "page now", "ticket": "ticket"}

// rank orders the worst first. Unknown stands before ok: nobody may rest on
// what is not measured; and of the unknown, changes that wait unseen are worse
// than a quiet night.
func rank(r kpiRow) int {
	n := map[string]int{"breach": 0, "warning": 10, "unknown": 20, "ok": 30}[statusOf(r.Status).Key]
	if r.Severity != "page" {
		n += 5
	}
	if statusOf(r.Status).Key == "unknown" && r.Reason != "blind" {
		n++
		if r.Reason != "not_observed" {
			n++
		}
	}
	return n
}

// successTodo says what is missing for KPI 1, as something to do.
func successTodo(r SuccessRow) string {
	switch r.Reason {
	case "no_data":
		if r.Basis == "records" {
			return "No change was due in this window. If records do change, check that the source sends them."
		}
		return "No write attempt was reported in this window. Let the sync worker send its attempts to /v1/attempts."
	case "low_sample":
		return "Too few to judge: " + r.Detail + ", 30 are needed. A longer window may hold them."
	case "blind":
		return plural(r.WaitingChanges, "change") + " wait and no attempt was reported. Check that the sync runs, and that it reports to /v1/attempts."
	case "not_observed":
		return "Nobody looks at the target. Give Plumbline read access to it, so that it sees what arrived."
	}
	return other(r.kpiRow)
}

// latencyTodo says what is missing for KPI 2. Hours are those its baseline has.
func latencyTodo(r LatencyRow, hours uint64) string {
	switch r.Reason {
	case "no_data":
		return "No change was due in this window. If records do change, check that the source sends them."
	case "low_sample":
		return "Too few to judge: " + r.Detail + ", 30 are needed. A longer window may hold them."
	case "learning":
		return "Learning: " + number(min(hours, 3)) + " of 3 hours. Until then nobody knows what is normal here. Target met so far."
	case "not_observed":
		if r.Detail != "" {
			return capital(r.Detail) + ". Set the clock of the system that is off."
		}
		return "Nobody looks at the target. Give Plumbline read access to it, so that it sees when changes arrive."
	}
	return other(r.kpiRow)
}

func other(r kpiRow) string {
	if r.Detail != "" {
		return capital(r.Detail)
	}
	return "Cannot be measured (" + r.Reason + ")."
}
