package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
)

// Next is one step of a runbook's escalation: who is told when nobody took a
// page for so long.
type Next struct {
	Priority string // P1, P2; empty = both
	After    time.Duration
	To       string // an address is written to, any other name stands in the message
}

// escalated is the furthest step that an alert has come to, nil while somebody
// may still take it, has taken it, or asked for silence.
func escalated(steps []Next, a *event.Alert, now time.Time) *Next {
	if a.Status != event.AlertFiring || a.Severity != event.Page || !mutedUntil(a, now).IsZero() {
		return nil
	}
	age := now.Sub(event.Time(a.Since).Std())
	var last *Next
	for i := range steps {
		s := &steps[i]
		if (s.Priority == "" || s.Priority == a.Priority) && s.To != "" && age >= s.After && (last == nil || s.After >= last.After) {
			last = s
		}
	}
	return last
}

// step is how far an alert has been escalated. Who was told once is told how it
// ends, too. What is no single integration's is everybody's.
func (n *Notifier) step(a *event.Alert, now time.Time) *Next {
	steps := n.o.Escalation[a.Integration]
	if a.Integration == "" {
		for _, id := range slices.Sorted(maps.Keys(n.o.Escalation)) {
			steps = append(steps, n.o.Escalation[id]...)
		}
	}
	if next := escalated(steps, a, now); next != nil {
		n.steps[a.ID] = next
	}
	return n.steps[a.ID]
}

// words of an escalation: the message must say why it comes again.
func (n *Next) words() string {
	return fmt.Sprintf("nobody took this for %s: next is %s", span(n.After), n.To)
}

func span(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

// addresses are all that somebody is written to, sorted.
func addresses(all map[string][]Next) (list []string) {
	for _, steps := range all {
		for _, s := range steps {
			if strings.Contains(s.To, "@") && !slices.Contains(list, s.To) {
				list = append(list, s.To)
			}
		}
	}
	slices.Sort(list)
	return list
}
