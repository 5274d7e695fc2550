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

// flush sends the question, if there is one.
func (f *folding) flush() {
	if f.ask == nil {
		return
	}
	f.r.Asked = f.clock
	f.out.Emit(topic.Checks, f.topicKey(), f.ask)
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
