package runbook

import (
	"fmt"
	"slices"
	"time"

	"plumbline.dev/schemas/event"
)

// fresh is how long a review or an exercise counts.
const fresh = 90 * 24 * time.Hour

// Lint lists what is missing, in the order of the file.
func (r *Runbook) Lint(now time.Time) []string {
	var l lint
	l.filled("integration", r.Integration)
	l.want(len(r.Systems) >= 2, "systems: name both ends, each with its account")
	for _, s := range r.Systems {
		l.want(s.Name != "" && s.Account != "", "systems: %s has no account", or(s.Name, "one"))
	}
	l.filled("direction", r.Direction)
	l.want(len(r.Objects) > 0, "objects: none is named")
	for _, x := range []struct{ name, v string }{
		{"owner", r.Owner}, {"backup", r.Backup}, {"channel", r.Channel}, {"business_impact", r.Impact},
	} {
		l.filled(x.name, x.v)
	}
	l.want(r.Backup == "" || r.Backup != r.Owner, "backup: is the owner; name somebody else")
	r.lintObjects(&l)
	r.lintSteps(&l)
	r.lintEscalation(&l)
	r.lintCredentials(&l)
	l.filled("token_revocation", r.Revocation)
	l.want(positive(r.Activity), "anomalous_api_activity: no threshold is set, like calls_an_hour: 5000")
	l.want(len(r.VendorStatus) > 0, "vendor_status: no status page is named")
	for _, s := range r.Systems {
		l.want(r.Support[s.Name] != "", "support: how to reach %s is not said", or(s.Name, "the vendor"))
	}
	l.filled("sync_health_notifications", r.Notifications)
	l.want(r.ResyncLimit > 0, "bulk_resync_limit: how many records may be re-synced at once is not said")
	l.filled("picklist_validation", r.PicklistValidation)
	l.date("last_reviewed", r.Reviewed, now)
	l.date("last_exercised", r.Exercised, now)
	return l.gaps
}

func (r *Runbook) lintObjects(l *lint) {
	for _, o := range r.Objects {
		c, ok := r.Critical[o]
		l.want(ok && len(c.Fields)+len(c.Map) > 0, "critical_fields: %s has none", o)
		l.want(!ok || len(c.Key) > 0, "critical_fields: %s has no key", o)
	}
}

func (r *Runbook) lintSteps(l *lint) {
	for _, class := range event.Classes {
		l.want(len(r.Steps[class]) > 0, "steps: there is none for %s", class)
	}
	for _, name := range sorted(r.Steps) {
		for i, s := range r.Steps[name] {
			l.want(s.Do != "" || s.Query != "", "steps: %s, step %d says neither what to do nor what to ask", name, i+1)
			l.want(s.Expect == "" || s.Query != "", "steps: %s, step %d expects an answer and asks nothing", name, i+1)
		}
	}
}

func (r *Runbook) lintEscalation(l *lint) {
	for _, p := range []string{event.P1, event.P2} {
		ok := slices.ContainsFunc(r.Escalation, func(e Escalation) bool {
			return (e.Priority == "" || e.Priority == p) && e.To != "" && e.After > 0
		})
		l.want(ok, "escalation: nobody is next for %s, or it is not said after how long", p)
	}
}

func (r *Runbook) lintCredentials(l *lint) {
	l.want(len(r.Credentials) > 0, "credentials: none is listed")
	for i, c := range r.Credentials {
		name := or(c.System, fmt.Sprint(i+1))
		l.want(c.Where != "", "credentials: where that of %s is kept is not said", name)
		l.want(c.Scopes != "", "credentials: the scopes of %s are not said", name)
		l.want(c.Owner != "", "credentials: that of %s has no owner", name)
		l.want(c.Rotate != "", "credentials: when that of %s is rotated is not said", name)
	}
}

type lint struct{ gaps []string }

func (l *lint) want(ok bool, gap string, args ...any) {
	if !ok {
		l.gaps = append(l.gaps, fmt.Sprintf(gap, args...))
	}
}

func (l *lint) filled(name, v string) { l.want(v != "", "%s: is empty", name) }

func (l *lint) date(name, v string, now time.Time) {
	at, err := time.Parse(time.DateOnly, v)
	switch {
	case v == "":
		l.want(false, "%s: never", name)
	case err != nil:
		l.want(false, "%s: %q is no date like 2026-01-31", name, v)
	default:
		l.want(now.Sub(at) <= fresh, "%s: %s is more than 90 days ago", name, v)
	}
}

func positive(m map[string]float64) bool {
	for _, v := range m {
		if v > 0 {
			return true
		}
	}
	return false
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}
