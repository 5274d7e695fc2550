package attribute

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// judged are the classes whose spells are kept. A rate limit explains itself.
var judged = []string{
	event.ClassAuth, event.ClassVendorOutage, event.ClassNetwork, event.ClassSchema, event.ClassDuplicate, event.ClassOther,
}

// partial adds one second of a line's calls.
func (a *Attribute) partial(p *event.Partial) {
	if p.Provider == "" || len(p.Attempts)+len(p.Failures) == 0 {
		return
	}
	l := a.lines.Change(lineKey(p.Tenant, p.Integration, p.Provider, p.Token))
	l.Tenant, l.Integration, l.Provider, l.Token = p.Tenant, p.Integration, p.Provider, p.Token
	l.Seen = max(l.Seen, p.Second)
	// Failures first: within one second, a success beside a failure is no recovery.
	for i := range p.Failures {
		if f := &p.Failures[i]; f.Origin != event.OriginInferred {
			l.failed(p, f)
		}
	}
	for i := range p.Attempts {
		if c := &p.Attempts[i]; c.Outcome == event.OutcomeOK && c.N > 0 {
			l.succeeded(p, c)
		}
	}
}

func (l *Line) failed(p *event.Partial, f *event.FailureCount) {
	if f.Operation == event.OpAuthRefresh {
		l.refreshFailed(p.Second, f)
	}
	if !slices.Contains(judged, f.Class) {
		return
	}
	s := l.spell(f.Class)
	if s == nil {
		start := p.Second
		if f.First > 0 && f.First < start && start-f.First <= event.Hour {
			start = f.First
		}
		l.Spells = append(l.Spells, Spell{Class: f.Class, Start: start, Shape: Shape{Before: l.OKs, LastOK: l.OK}})
		s = &l.Spells[len(l.Spells)-1]
	}
	s.Last, s.N = max(s.Last, p.Second), s.N+f.N
	s.Shape.add(f)
	switch f.Attribution {
	case event.ByCustomer:
		s.Customer += f.N
	case event.ByVendor:
		s.Vendor += f.N
	}
	if f.Recoverability == event.Permanent {
		s.Dead += f.N
	}
	if f.Operation == event.OpAuthRefresh {
		return
	}
	pl := l.place(p.Object, f.Operation)
	if pl.Healed && l.RefreshOK < pl.Bad {
		s.Flaps++ // nobody renewed the token: it works now and then
	}
	pl.Bad, pl.Healed = max(pl.Bad, p.Second), false
}

func (l *Line) refreshFailed(at event.Time, f *event.FailureCount) {
	if f.Class != event.ClassAuth || f.Recoverability != event.Permanent {
		l.RefreshDown = max(l.RefreshDown, at)
		return
	}
	if l.RefusedN == 0 {
		l.Refused = at
	}
	l.RefusedLast, l.RefusedN = max(l.RefusedLast, at), l.RefusedN+f.N
}

func (l *Line) succeeded(p *event.Partial, c *event.AttemptCount) {
	if c.Operation == event.OpAuthRefresh {
		l.RefreshOK, l.Refused, l.RefusedLast, l.RefusedN = max(l.RefreshOK, p.Second), 0, 0, 0
		return
	}
	l.OK, l.OKs = max(l.OK, p.Second), l.OKs+c.N
	for i := range l.Spells {
		l.Spells[i].OK += c.N
	}
	pl := l.place(p.Object, c.Operation)
	pl.OK = max(pl.OK, p.Second)
	if pl.Bad > 0 && pl.Bad < p.Second {
		pl.Healed = true
	}
}

func (l *Line) spell(class string) *Spell {
	for i := range l.Spells {
		if l.Spells[i].Class == class {
			return &l.Spells[i]
		}
	}
	return nil
}

// place finds a kind of call, in the room of the one used least recently if
// there are too many.
func (l *Line) place(object, operation string) *Place {
	oldest := 0
	for i := range l.Places {
		pl := &l.Places[i]
		if pl.Object == object && pl.Operation == operation {
			return pl
		}
		if max(pl.OK, pl.Bad) < max(l.Places[oldest].OK, l.Places[oldest].Bad) {
			oldest = i
		}
	}
	if len(l.Places) < maxPlaces {
		l.Places = append(l.Places, Place{Object: object, Operation: operation})
		return &l.Places[len(l.Places)-1]
	}
	l.Places[oldest] = Place{Object: object, Operation: operation}
	return &l.Places[oldest]
}
