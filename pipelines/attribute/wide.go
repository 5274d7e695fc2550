package attribute

import (
	"fmt"
	"maps"
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// wideLines is how many lines have to be down for a verdict about a provider.
const wideLines = 2

// judgeWide tells a tenant of a provider as a whole, once for all of its lines:
// opened by several that were decided alike, ended with the last of them.
func (a *Attribute) judgeWide(ctx stream.Ctx, out *stream.Out) {
	down := map[string]*Wide{}
	for _, key := range a.lines.Keys() {
		l := a.lines.Get(key)
		for i := range l.Spells {
			s := &l.Spells[i]
			if !s.Said.Decided || s.Said.Attribution != event.ByVendor || s.Said.Scope != event.ScopeProvider {
				continue
			}
			key := l.Tenant + "\x1f" + l.Provider
			w := down[key]
			if w == nil {
				w = &Wide{Tenant: l.Tenant, Provider: l.Provider, Start: s.Start}
				down[key] = w
			}
			w.Start, w.Last, w.Lines = min(w.Start, s.Start), max(w.Last, s.Last), w.Lines+1
		}
	}
	for _, key := range sortedKeys(down) {
		if w := down[key]; w.Lines >= wideLines || a.wide.Get(key) != nil {
			a.wideOpen(ctx, key, w, out)
		}
	}
	for _, key := range a.wide.Keys() {
		if down[key] == nil {
			a.wideClose(ctx, key, out)
		}
	}
}

func (a *Attribute) wideOpen(ctx stream.Ctx, key string, seen *Wide, out *stream.Out) {
	was := a.wide.Get(key)
	if was != nil && was.Last == seen.Last && was.Lines >= seen.Lines {
		return
	}
	w := a.wide.Change(key)
	w.Tenant, w.Provider = seen.Tenant, seen.Provider
	first := w.Said.Revision == 0
	w.Last, w.Lines = max(w.Last, seen.Last), max(w.Lines, seen.Lines)
	if !first {
		return
	}
	w.Start = seen.Start
	w.Said = Said{
		Attribution: event.ByVendor, Recoverability: event.Temporary, Decided: true, Scope: event.ScopeProvider, DecidedAt: ctx.Now,
		Confidence: enough, Revision: 1, Evidence: fmt.Sprintf("%d integrations fail at %s together", seen.Lines, w.Provider),
	}
	sayWide(ctx, w, 0, out)
}

func (a *Attribute) wideClose(ctx stream.Ctx, key string, out *stream.Out) {
	w := *a.wide.Get(key)
	w.Said.Revision++
	w.Said.Evidence = fmt.Sprintf("%d integrations failed at %s together", w.Lines, w.Provider)
	sayWide(ctx, &w, w.Last+1, out)
	a.wide.Delete(key)
}

func sayWide(ctx stream.Ctx, w *Wide, end event.Time, out *stream.Out) {
	out.Emit(topic.Verdicts, w.Provider, &event.CauseVerdict{
		ID:     event.CauseVerdictID(w.Tenant, "", w.Provider, "", event.ClassVendorOutage, w.Start),
		Tenant: w.Tenant, Provider: w.Provider, Class: event.ClassVendorOutage, Attribution: w.Said.Attribution,
		Recoverability: w.Said.Recoverability, Decided: true, Confidence: w.Said.Confidence, Evidence: w.Said.Evidence,
		FirstStep: firstStep(event.ClassVendorOutage, &w.Said), Scope: w.Said.Scope, Failures: int64(w.Lines), Start: w.Start,
		End: end, DecidedAt: w.Said.DecidedAt, Revision: w.Said.Revision, Version: ctx.Version,
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
