package attribute

import "plumbline.dev/schemas/event"

// signal keeps the last of each kind that may explain failures, under whom it
// is about: an empty tenant or integration is everybody's.
func (a *Attribute) signal(s *event.Signal) {
	at := s.StartedAt
	switch s.Kind {
	case event.SignalProbe:
		a.probe(s)
	case event.SignalVendorIncident:
		n := a.notes.Change(noteKey(s.Kind, s.Tenant, "", s.System))
		n.At, n.Until, n.Summary = at, s.EndedAt, s.Summary
	case event.SignalDeploy:
		n := a.notes.Change(noteKey(s.Kind, s.Tenant, s.Integration, ""))
		n.At, n.Summary = at, s.Summary
	case event.SignalTokenRotation, event.SignalScopeChange:
		n := a.notes.Change(noteKey("credential", s.Tenant, s.Integration, s.System))
		n.At, n.Summary = at, s.Kind
	}
}

// probe is what our own read-only credential met at a system.
func (a *Attribute) probe(s *event.Signal) {
	result, ok := event.Find(s.Detail, "result")
	if !ok || s.System == "" {
		return
	}
	n := a.notes.Change(noteKey(s.Kind, s.Tenant, "", s.System))
	if s.StartedAt <= n.At {
		return // heard already: each integration of the tenant gets a copy
	}
	n.Prev = 0
	if n.Result == result.Text {
		n.Prev = n.At
	}
	n.At, n.Result = s.StartedAt, result.Text
}

func noteKey(kind, tenant, integration, system string) string {
	return kind + "\x1f" + tenant + "\x1f" + integration + "\x1f" + system
}

// note is the latest that speaks about the line, from its own integration, its
// tenant, or everybody.
func (a *Attribute) note(kind string, l *Line, system string) *Note {
	var last *Note
	for _, key := range [...]string{
		noteKey(kind, l.Tenant, l.Integration, system), noteKey(kind, l.Tenant, "", system), noteKey(kind, "", "", system),
		noteKey(kind, "", l.Integration, system), noteKey(kind, l.Tenant, l.Integration, ""),
		noteKey(kind, "", l.Integration, ""), noteKey(kind, l.Tenant, "", ""), noteKey(kind, "", "", ""),
	} {
		if n := a.notes.Get(key); n != nil && (last == nil || n.At > last.At) {
			last = n
		}
	}
	return last
}
