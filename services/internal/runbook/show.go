package runbook

import (
	"fmt"
	"io"
	"slices"
	"time"

	"plumbline.dev/schemas/event"
)

// Show writes a runbook for a person in a hurry: who, then what to do. With a
// class or fingerprint, only the steps of that.
func (r *Runbook) Show(w io.Writer, what string) error {
	if what != "" {
		steps, ok := r.Steps[what]
		if !ok {
			return fmt.Errorf("the runbook of %s has no steps for %q: there are %v", r.Integration, what, sorted(r.Steps))
		}
		showSteps(w, what, steps)
		return nil
	}
	fmt.Fprintf(w, "%s (%s)\n", r.Integration, or(r.Direction, "direction not said"))
	fmt.Fprintf(w, "owner %s, backup %s, channel %s\n", or(r.Owner, "?"), or(r.Backup, "?"), or(r.Channel, "?"))
	if r.Impact != "" {
		fmt.Fprintf(w, "impact: %s\n", r.Impact)
	}
	for _, e := range r.Escalation {
		fmt.Fprintf(w, "escalation %s: after %s to %s\n", or(e.Priority, "P1, P2"), time.Duration(e.After), or(e.To, "?"))
	}
	for _, class := range event.Classes {
		showSteps(w, class, r.Steps[class])
	}
	for _, name := range sorted(r.Steps) {
		if !slices.Contains(event.Classes, name) {
			showSteps(w, name, r.Steps[name])
		}
	}
	if r.Revocation != "" {
		fmt.Fprintf(w, "\nrevoke a token\n  %s\n", r.Revocation)
	}
	return nil
}

func showSteps(w io.Writer, name string, steps []Step) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", name)
	for i, s := range steps {
		if s.Do != "" {
			fmt.Fprintf(w, "  %d. %s\n", i+1, s.Do)
		}
		if s.Query != "" {
			if s.Do == "" {
				fmt.Fprintf(w, "  %d. ask:\n", i+1)
			}
			fmt.Fprintf(w, "     %s\n", s.Query)
		}
		if s.Expect != "" {
			fmt.Fprintf(w, "     expected: %s\n", s.Expect)
		}
	}
}
