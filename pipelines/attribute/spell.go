package attribute

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// judgeLine judges every open spell of a line, and closes those that are over.
func (a *Attribute) judgeLine(ctx stream.Ctx, key string, views map[string]*view, out *stream.Out) {
	l := a.lines.Change(key)
	for i := range l.Spells {
		s := &l.Spells[i]
		if over(l, s, ctx.Now) {
			a.close(ctx, l, s, out)
			s.N = 0
			continue
		}
		if s.Last+fresh >= ctx.Now && a.worth(l, s) {
			a.judgeSpell(ctx, l, s, a.breadth(l, s.Class, ctx.Now, views), out)
		}
	}
	l.Spells = slices.DeleteFunc(l.Spells, func(s Spell) bool { return s.N == 0 })
}

// over: the failures stopped, and calls succeed or nobody calls any more.
func over(l *Line, s *Spell, now event.Time) bool {
	if s.Last+quiet > now {
		return false
	}
	return l.OK > s.Last || s.Last+forgotten <= now
}

// worth: data errors are looked at only where a change of ours may have caused
// a surge of them, or where they look like one; otherwise each explains itself.
func (a *Attribute) worth(l *Line, s *Spell) bool {
	switch s.Class {
	case event.ClassAuth:
		return true
	case event.ClassVendorOutage, event.ClassNetwork:
		return s.N >= outageCalls || s.Last-s.Start >= 30*event.Second
	}
	if looksBroken(l, s) {
		return true
	}
	_, changed := a.changed(l, s)
	return changed && s.N >= surge && float64(s.N) >= surgeShare*float64(s.N+s.OK)
}

func (a *Attribute) judgeSpell(ctx stream.Ctx, l *Line, s *Spell, v *breadth, out *stream.Out) {
	j := judge(s, v, a.clues(l, s, v, ctx.Now))
	j.decided = j.decided && !a.awaits(l, s, ctx.Now)
	said := j.told(s, l)
	lean := said.Attribution + "/" + said.Recoverability
	if lean != s.Leaning {
		s.Leaning, s.Since = lean, ctx.Now
	}
	switch {
	case said.Decided && ctx.Now-s.Since < settles:
		return // it may be the noise of a moment
	case said.Decided:
	case s.Class != event.ClassAuth && s.Said.Revision == 0:
		return // nobody would disconnect: nothing to warn of
	case ctx.Now-s.Start < patience || s.Said.Decided && ctx.Now-s.Since < recent:
		return // a verdict is not taken back for a moment's doubt
	}
	if s.Said.Revision > 0 && said.Attribution == s.Said.Attribution && said.Recoverability == s.Said.Recoverability &&
		said.Decided == s.Said.Decided {
		return
	}
	said.Revision, said.DecidedAt = s.Said.Revision+1, s.Said.DecidedAt
	if said.Decided {
		said.DecidedAt = ctx.Now
	}
	s.Said = said
	a.say(ctx, l, s, 0, out)
}

// awaits: our own credential is tried regularly, and soon will be; who can ask
// a witness does not judge without.
func (a *Attribute) awaits(l *Line, s *Spell, now event.Time) bool {
	if s.Class != event.ClassAuth || now >= s.Start+witnessWait {
		return false
	}
	n := a.note(event.SignalProbe, l, l.Provider)
	return n != nil && n.At+recent >= s.Start && n.At < s.Start
}

// close tells the end of a spell that was told of. How it ended may decide
// what was undecided until then.
func (a *Attribute) close(ctx stream.Ctx, l *Line, s *Spell, out *stream.Out) {
	if s.Said.Revision == 0 {
		return
	}
	if s.Class == event.ClassAuth && !s.Said.Decided && l.OK > s.Last {
		a.healed(ctx, l, s)
	}
	s.Said.Revision++
	a.say(ctx, l, s, s.Last+1, out)
}

func (a *Attribute) healed(ctx stream.Ctx, l *Line, s *Spell) {
	credential := a.note("credential", l, l.Provider)
	by, why := event.ByVendor, "it ended with nobody renewing anything"
	switch {
	case credential != nil && credential.At >= s.Start:
		by, why = event.ByCustomer, "it ended when the credential was renewed"
	case l.RefusedN > 0:
		by, why = event.ByUnknown, "it ended; whether anybody reconnected is not known"
	case l.RefreshOK >= s.Start:
		by, why = event.ByPipeline, "it ended with a refresh: the access token had lapsed"
	}
	s.Said.Evidence = why + "; before: " + s.Said.Evidence
	if by == event.ByUnknown {
		return
	}
	s.Said.Attribution, s.Said.Decided, s.Said.Confidence, s.Said.Scope = by, true, 0.9, event.ScopeToken
	s.Said.DecidedAt = ctx.Now
}

// say writes the verdict as it stands.
func (a *Attribute) say(ctx stream.Ctx, l *Line, s *Spell, end event.Time, out *stream.Out) {
	out.Emit(topic.Verdicts, l.Integration, &event.CauseVerdict{
		ID:     event.CauseVerdictID(l.Tenant, l.Integration, l.Provider, l.Token, s.Class, s.Start),
		Tenant: l.Tenant, Integration: l.Integration, Provider: l.Provider, Token: l.Token, Class: s.Class,
		Attribution: s.Said.Attribution, Recoverability: s.Said.Recoverability, Decided: s.Said.Decided,
		Confidence: s.Said.Confidence, Evidence: s.Said.Evidence, FirstStep: firstStep(s.Class, &s.Said), Scope: s.Said.Scope,
		Failures: s.N, Start: s.Start, End: end, DecidedAt: s.Said.DecidedAt, Revision: s.Said.Revision, Version: ctx.Version,
	})
}
