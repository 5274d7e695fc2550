package drift

import (
	"fmt"
	"math"
	"strings"

	"plumbline.dev/schemas/event"
)

// words is a candidate in a few words.
func (c *Candidate) words() string {
	if c.What != "" && c.Kind != event.SignalBulkImport && c.Kind != event.SignalAgentRun {
		return strings.ReplaceAll(c.Kind, "_", " ") + ": " + c.What
	}
	who := c.By.ID
	if c.By.Run != "" {
		who += " (" + c.By.Run + ")"
	}
	what := map[bool]string{true: "import by ", false: "edits by " + c.By.Kind + " "}[c.Kind == event.SignalBulkImport] + who
	if c.What != "" {
		what += ": " + c.What
	}
	return what
}

// step is what to do first about a kind of cause.
func (c *Candidate) step() string {
	if c.Step != "" {
		return c.Step
	}
	switch c.Kind {
	case event.SignalPicklistChange:
		return "put the value back or map it to one that is there, then resync the records listed"
	case event.SignalSchemaChange, event.SignalMappingChange:
		return "compare the map with the current schema, update the mapping, then resync the records listed"
	case event.SignalDeploy:
		return "roll the deploy back or mend it, then resync the records listed"
	case event.SignalTokenRotation, event.SignalScopeChange:
		return "reconnect with a credential that may write these fields, then resync the records listed"
	case event.SignalAgentRun:
		return "stop the agent, then plan how to take back what it wrote: plumbline agent revert"
	case event.SignalBulkImport:
		return "check the import's file against the map, then resync the records listed"
	case event.SignalQuota:
		return "raise or free the allocation, then resync the records listed"
	}
	return "wait until it is over, then resync the records listed"
}

// sentence says it so that a person can act on it.
func sentence(x *event.Explanation) string {
	where := x.Object
	switch {
	case x.Object == "":
		where = x.Integration
	case x.Field != "":
		where += "." + x.Field
	}
	if x.Kind == event.CauseUnexplained {
		return fmt.Sprintf("%d of %d %s divergences are unexplained: none of %d known events fits in field and time", x.Divergences, x.Of, where, x.Exposed)
	}
	s := fmt.Sprintf("%d of %d %s divergences ", x.Divergences, x.Of, where)
	switch lag := (x.FirstAt - x.CauseAt) / event.Minute; {
	case x.By != (event.Actor{}):
		s += "are " + x.Cause
	case lag < 1:
		s += "began with " + x.Cause
	default:
		s += fmt.Sprintf("began %d min after %s", lag, x.Cause)
	}
	if 2*x.Witnesses >= x.Divergences && x.Witnesses > 0 {
		return s + fmt.Sprintf(" (%s); so it answered to %d of these writes", x.CauseAt.Std().Format("15:04 UTC on 2 Jan"), x.Witnesses)
	}
	return s + fmt.Sprintf(" (%s); %s times the risk elsewhere (%s to %s)", x.CauseAt.Std().Format("15:04 UTC on 2 Jan"), plain(x.Ratio), plain(x.Low), plain(x.High))
}

// rows is the SQL that lists what an explanation is about.
func rows(x *event.Explanation) string {
	q := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }
	at := func(t event.Time) string { return "fromUnixTimestamp64Milli(" + fmt.Sprint(int64(t)) + ", 'UTC')" }
	sql := "SELECT * FROM plumbline.divergences WHERE integration = " + q(x.Integration)
	if x.Object != "" {
		sql += " AND object = " + q(x.Object)
	}
	if x.Field != "" {
		sql += " AND (field = " + q(x.Field) + " OR refused_field = " + q(x.Field) + ")"
	}
	sql += " AND NOT pre_existing AND confirmed_at IS NOT NULL AND began_at >= " + at(x.From)
	if x.To != 0 {
		sql += " AND began_at < " + at(x.To)
	}
	if x.By != (event.Actor{}) {
		sql += " AND changed_by = " + q(x.By.Kind+":"+x.By.ID)
	}
	return sql
}

func round(f float64) float64 {
	if f >= 100 {
		return math.Round(f)
	}
	return math.Round(10*f) / 10
}

func plain(f float64) string {
	if f >= 10 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.1f", f)
}
