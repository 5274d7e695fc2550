package incident

import (
	"fmt"
	"strings"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// title is what broke, in one line: it is written anew whenever something is
// told, as the members and the class of an incident change.
func (n *Incidents) title(c *Case) string {
	where := some(most(c.Members))
	switch c.I.Kind {
	case event.IncidentOfSilence:
		return "acknowledged and never taken: " + where
	case event.IncidentOfStalls:
		if in := n.integrations[c.I.Integration]; in != nil && in.Attempts == config.AttemptsNone {
			return "changes do not arrive in time: " + where // nobody tells whether they were tried
		}
		return "changes not even tried in time: " + where
	case event.IncidentOfDivergence:
		return "records differ: " + where
	}
	answer := ""
	if c.Answer != "" {
		answer = " (" + c.Answer + ")"
	}
	provider := c.I.Provider
	if provider == "" {
		provider = "the target"
	}
	switch c.I.Class {
	case event.ClassAuth:
		return provider + " refuses the credential" + answer + ": " + where
	case event.ClassVendorOutage:
		return provider + " is down" + answer + ": " + where
	case event.ClassNetwork:
		return provider + " cannot be reached" + answer + ": " + where
	case event.ClassRateLimit:
		return provider + " takes no more calls" + answer + ": " + where
	}
	return provider + " refuses " + where + " writes: " + strings.ReplaceAll(c.I.Class, "_", " ") + answer
}

// some are the first few of a list.
func some(names []string) string {
	const few = 3
	if len(names) <= few+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

func divergenceName(p *event.Partial, c *event.DivergenceCount) string {
	what := p.Object
	if c.Field != "" {
		what += "." + c.Field
	}
	what += " " + strings.ReplaceAll(c.Kind, "_", " ")
	if c.Difference != "" && c.Difference != "other" {
		what += " (" + strings.ReplaceAll(c.Difference, "_", " ") + ")"
	}
	return what
}

func silentName(p *event.Partial, c *event.FailureCount) string {
	what := p.Object
	if c.Code != "" && c.Code != "other" {
		what += " (" + strings.ReplaceAll(c.Code, "_", " ") + ")"
	}
	return what
}

// quoted is a text in a predicate.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
