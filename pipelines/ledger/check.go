package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// wonder asks what a system holds. Questions of one moment are one question.
func (f *folding) wonder(reason, side, subject string, fields []string) {
	if f.ask == nil {
		in := f.m.integration
		f.ask = &event.Check{
			ID: event.Hash("check", in.ID, f.m.object.Name, f.key, reason, f.clock.String()), Tenant: in.Tenant, Integration: in.ID,
			Object: f.m.object.Name, RecordKey: f.key, Side: side, SourceID: f.key, TargetID: f.r.TargetID, Reason: reason,
			Subject: subject, AskedAt: f.clock, Fields: fields, Version: f.ctx.Version,
		}
		if isOrphan(f.key) {
			f.ask.SourceID = ""
		}
		return
	}
	if f.ask.Side != side {
		f.ask.Side = ""
	}
	if len(fields) == 0 || len(f.ask.Fields) == 0 {
		f.ask.Fields = nil // all of them
		return
	}
	for _, name := range fields {
		if !slices.Contains(f.ask.Fields, name) {
			f.ask.Fields = append(f.ask.Fields, name)
		}
	}
}

// edited notes what people wrote in the target while nobody knows what the
// source holds: it is asked for, once the sync has had the time to react.
func (f *folding) edited(name string, source, target held, e *Evidence) {
	at := slices.Index(f.r.Edits, name)
	switch {
	case at >= 0 && source.known && target.known:
		if f.r.Edits = slices.Delete(f.r.Edits, at, at+1); len(f.r.Edits) == 0 {
			f.r.Edited, f.r.EditsAsk = 0, false
		}
	case at >= 0 || e.Source || source.known || f.m.integration.Bidirectional || f.before(target) || isOrphan(f.key):
	case !f.m.others(event.Target, target.writer) || f.m.stands(name, target.value):
	default:
		f.r.Edits, f.r.EditsAsk = append(f.r.Edits, name), false
		f.r.Edited = max(f.r.Edited, target.moved+f.p.deadline, f.clock+lateGrace)
	}
}

// editsDue asks about them, and waits for an answer, though not for ever.
func (f *folding) editsDue() {
	switch {
	case f.r.Edited == 0 || max(f.r.Edited, f.r.Asked+askEvery) > f.ctx.Now:
	case f.r.EditsAsk:
		f.r.Edited, f.r.Edits, f.r.EditsAsk = 0, nil, false
	default:
		f.wonder(event.CheckConfirm, "", "", slices.Clone(f.r.Edits))
		f.r.Edited, f.r.EditsAsk = f.ctx.Now+event.Hour, true
	}
}

// flush sends the question, if there is one.
func (f *folding) flush() {
	if f.ask == nil {
		return
	}
	f.r.Asked = f.clock
	f.out.Emit(topic.Checks, f.whole, f.ask)
}

// click takes what a person decided about the record.
func (f *folding) click(c *event.Click) {
	if f.m == nil {
		return
	}
	if c.Kind == event.ClickRecheck {
		f.wonder(event.CheckRunbook, "", c.Subject, nil)
		f.flush()
		return
	}
	for i := range f.r.Gaps {
		g := &f.r.Gaps[i]
		if g.D.ID != c.Subject {
			continue
		}
		switch {
		case c.Kind == event.ClickAccept && (c.Until == 0 || c.Until > f.clock):
			f.update(g, func() {
				g.D.State, g.D.AcceptedBy, g.D.AcceptedReason, g.D.AcceptedUntil = event.DivergenceAccepted, c.By, c.Reason, c.Until
				g.Due = c.Until
			})
		case c.Kind == event.ClickReopen && g.D.State == event.DivergenceAccepted:
			f.update(g, func() {
				g.D.State, g.D.AcceptedBy, g.D.AcceptedReason, g.D.AcceptedUntil = event.DivergenceConfirmed, "", "", 0
				g.Due = 0
			})
		}
	}
}
