package attribute

import (
	"fmt"
	"slices"

	"plumbline.dev/schemas/event"
)

// clue is one piece of evidence: what it adds to the three scores, in log odds,
// and what it says in words.
type clue struct {
	vendor, customer, pipeline float64
	words                      string
	warrants                   bool // a second witness against the customer: without one, nothing is told as their fault
	clears                     bool // while it stands, nothing is
}

// prior is what a class suggests before anything else is known.
func prior(class string) clue {
	switch class {
	case event.ClassAuth:
		return clue{vendor: -1, pipeline: -1.5}
	case event.ClassVendorOutage:
		return clue{vendor: 2, customer: -3, pipeline: -1}
	case event.ClassNetwork:
		return clue{customer: -1}
	}
	return clue{vendor: -2, pipeline: -0.5}
}

// clues collects what is known about a spell.
func (a *Attribute) clues(l *Line, s *Spell, v *breadth, now event.Time) []clue {
	var list []clue
	add := func(c clue, ok bool) {
		if ok {
			list = append(list, c)
		}
	}
	add(a.probed(l, s, now))
	if s.Class == event.ClassAuth {
		add(refreshed(l, s))
		add(refused(l, s))
		add(flapping(s))
		add(elsewhere(l, s))
	}
	add(answers(s))
	add(mixed(l, s, now))
	add(others(l, s, v))
	add(a.otherProviders(l, s, now))
	add(a.changed(l, s))
	add(a.broken(l, s, v))
	add(a.statusPage(l, s))
	return list
}

// probed: our own read-only credential at the same system.
func (a *Attribute) probed(l *Line, s *Spell, now event.Time) (clue, bool) {
	n := a.note(event.SignalProbe, l, l.Provider)
	if n == nil || n.At+recent < now || n.At < s.Start {
		return clue{}, false
	}
	if n.Result == event.ProbeOK && s.Last < n.At && (n.Prev < s.Start || s.Last < n.Prev) {
		return clue{}, false // one that works counts only if the failures went on after it
	}
	if n.Result == event.ProbeOK && l.intermittent(s) { // what works now and then may work just now
		return clue{-0.5, 0.5, 0.3, "our own read-only credential works there", false, false}, true
	}
	switch n.Result {
	case event.ProbeOK:
		if dataErrors(s.Class) { // it reads: of what is written it tells that the vendor is well
			return clue{-1.2, 0, 0.2, "our own read-only credential works there", false, false}, true
		}
		return clue{-4, 2, 1, "our own read-only credential works there", true, false}, true
	case event.ProbeAuth:
		return clue{1.5, 0.8, -2, "our own read-only credential is refused too: the vendor, or the whole account", false, true}, true
	case event.ProbeOutage:
		return clue{4, -1.5, -1.5, "our own read-only credential meets the vendor's failure too", false, true}, true
	case event.ProbeNetwork:
		return clue{1, -0.5, 0.5, "our own probe gets no answer either", false, true}, true
	}
	return clue{}, false
}

// intermittent: calls of a kind that fails also succeeded since it began, and
// failed again.
func (l *Line) intermittent(s *Spell) bool {
	return s.Flaps > 0 || slices.ContainsFunc(l.Places, func(pl Place) bool { return pl.OK > s.Start && pl.OK < pl.Bad })
}

// refreshed: what the login host said to a refresh, other than a refusal.
func refreshed(l *Line, s *Spell) (clue, bool) {
	switch {
	case l.RefreshDown >= s.Start:
		return clue{2.5, -0.5, -0.5, "the login host is disturbed too", false, true}, true
	case l.RefreshOK >= s.Start && s.Last > l.RefreshOK:
		return clue{1.2, 0.9, 0, "a token fresh from a refresh is refused too", false, false}, true
	}
	return clue{}, false
}

// refused: the grant itself was refused, and how long that has been so.
func refused(l *Line, s *Spell) (clue, bool) {
	if l.RefusedN == 0 || l.RefusedLast+event.Minute < s.Start {
		return clue{}, false
	}
	if lasts := l.RefusedLast - l.Refused; l.RefusedN >= 3 && lasts >= 10*event.Minute {
		words := fmt.Sprintf("the refresh was refused %d times over %d min", l.RefusedN, lasts/event.Minute)
		return clue{-0.5, 3, -0.5, words, lasts >= longOutage, false}, true
	}
	return clue{0, 2, 0, "the refresh was refused", false, false}, true
}

// flapping: a dead grant does not come back to life.
func flapping(s *Spell) (clue, bool) {
	if s.Flaps < 2 {
		return clue{}, false
	}
	return clue{2.5, -2.5, 0, fmt.Sprintf("the same calls succeeded in between, %d times, with nobody renewing the token", s.Flaps), false, true}, true
}

// elsewhere: other calls with the same token work while these fail.
func elsewhere(l *Line, s *Spell) (clue, bool) {
	works, fails := "", ""
	for i := range l.Places {
		pl := &l.Places[i]
		switch {
		case pl.Bad >= s.Start && !pl.Healed:
			fails = pl.Object + " " + pl.Operation
		case pl.OK > s.Start && pl.Bad < s.Start && pl.OK+recent >= s.Last:
			works = pl.Object + " " + pl.Operation
		}
	}
	if works == "" || fails == "" {
		return clue{}, false
	}
	words := fmt.Sprintf("with the same token %s works while %s fails", works, fails)
	named := 2*s.Customer > s.N && 2*s.Dead > s.N
	return clue{-0.8, 1.8, 0.3, words, named && s.Last-s.Start >= 10*event.Minute, false}, true
}

// answers: what most of the answers say themselves.
func answers(s *Spell) (clue, bool) {
	switch {
	case 2*s.Vendor > s.N:
		return clue{1.5, -0.5, -0.5, "the answers name a failure of the vendor's", false, false}, true
	case 2*s.Customer > s.N && 2*s.Dead > s.N && dataErrors(s.Class):
		return clue{-0.2, 1, 0, "the answers name something of the customer's", false, false}, true
	case 2*s.Customer > s.N && 2*s.Dead > s.N:
		return clue{-0.2, 1, 0, "the answers name a missing permission or a dead grant", false, false}, true
	}
	return clue{}, false
}

// mixed: other kinds of trouble with the same provider come along.
func mixed(l *Line, s *Spell, now event.Time) (clue, bool) {
	for i := range l.Spells {
		o := &l.Spells[i]
		outage := o.Class == event.ClassVendorOutage || o.Class == event.ClassNetwork
		if o.Class != s.Class && outage && o.Last+recent >= now && o.Last >= s.Start-recent {
			return clue{2, -0.5, 0.2, "5xx answers or timeouts come along with it", false, true}, true
		}
	}
	return clue{}, false
}

// others: how many customers, or tokens, fail alike.
func others(l *Line, s *Spell, v *breadth) (clue, bool) {
	if v.n == 0 {
		return clue{}, false
	}
	n, alike, otherwise, who := v.n, v.alike, v.otherwise, v.who
	x := v.odds()
	if alike+otherwise == 0 && dataErrors(s.Class) { // a change of ours need not reach them
		return clue{x, 0, 0, fmt.Sprintf("the %d other %s at %s are fine", n, who, l.Provider), false, false}, true
	}
	if alike+otherwise == 0 {
		return clue{x, 0, x * 0.7, fmt.Sprintf("the %d other %s at %s are fine", n, who, l.Provider), n >= 3, false}, true
	}
	words := fmt.Sprintf("%d of %d other %s at %s fail too", alike+otherwise, n, who, l.Provider)
	return clue{x, 0, x * 0.7, words, false, alike+otherwise > 1 || 4*(alike+otherwise) >= n}, true
}

// otherProviders: the same integration, or tenant, fails alike elsewhere: what
// they have in common is us.
func (a *Attribute) otherProviders(l *Line, s *Spell, now event.Time) (clue, bool) {
	for _, key := range a.lines.Keys() {
		o := a.lines.Get(key)
		if o.Provider == l.Provider || o.Tenant != l.Tenant {
			continue
		}
		if other := o.spell(s.Class); other != nil && other.Last+recent >= now && gap(other.Start, s.Start) <= recent {
			return clue{-2, -0.5, 2.5, fmt.Sprintf("calls to %s began to fail alike at the same time", o.Provider), false, true}, true
		}
	}
	return clue{}, false
}

// changed: a deploy, a rotation or another scope shortly before.
func (a *Attribute) changed(l *Line, s *Spell) (clue, bool) {
	near := func(n *Note) bool { return n != nil && n.At <= s.Start+event.Minute && n.At+before >= s.Start }
	if n := a.note(event.SignalDeploy, l, ""); near(n) {
		return clue{-1, -1, 4, fmt.Sprintf("it began %s a deploy", distance(n.At, s.Start)), false, true}, true
	}
	if n := a.note("credential", l, l.Provider); near(n) {
		what := "the token was rotated"
		if n.Summary == event.SignalScopeChange {
			what = "the token's scope was changed"
		}
		return clue{-1, 2.2, 0.5, fmt.Sprintf("it began %s %s", distance(n.At, s.Start), what), true, false}, true
	}
	return clue{}, false
}

// statusPage corroborates; its silence means nothing.
func (a *Attribute) statusPage(l *Line, s *Spell) (clue, bool) {
	n := a.note(event.SignalVendorIncident, l, l.Provider)
	if n == nil || n.At > s.Last+before || n.Until > 0 && n.Until < s.Start {
		return clue{}, false
	}
	return clue{1.2, 0, 0, "the vendor's status page reports an incident", false, false}, true
}

func gap(a, b event.Time) event.Time { return max(a-b, b-a) }

// distance tells how long after its cause something began.
func distance(cause, effect event.Time) string {
	if m := (effect - cause) / event.Minute; m > 0 {
		return fmt.Sprintf("%d min after", m)
	}
	return "right after"
}
