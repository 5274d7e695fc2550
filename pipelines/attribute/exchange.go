package attribute

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// A partition sees its own tenants. So each tenant tells what it fails in, under
// one key, and the partition that hears all tells those who fail how many others
// do. Both only when something changed; a sign of life now and then.

const stillThere = 4 * event.Minute

// tell says in which classes each tenant of this partition fails just now.
func (a *Attribute) tell(ctx stream.Ctx, out *stream.Out) {
	now := map[string]*Told{}
	for _, key := range a.lines.Keys() {
		l := a.lines.Get(key)
		if l.Seen+2*recent < ctx.Now {
			continue
		}
		k := l.Tenant + "\x1f" + l.Provider
		t := now[k]
		if t == nil {
			t = &Told{Tenant: l.Tenant, Provider: l.Provider}
			now[k] = t
		}
		for i := range l.Spells {
			if s := &l.Spells[i]; s.Last+recent >= ctx.Now && !slices.Contains(t.Failing, s.Class) {
				t.Failing = append(t.Failing, s.Class)
			}
		}
	}
	for _, k := range sortedKeys(now) {
		t, was := now[k], a.told.Get(k)
		slices.Sort(t.Failing)
		if was != nil && slices.Equal(was.Failing, t.Failing) && was.At+stillThere > ctx.Now {
			continue
		}
		t.At = ctx.Now
		*a.told.Change(k) = *t
		out.Emit(topic.Partials, event.BreadthKey, &event.Breadth{
			Tenant: t.Tenant, Provider: t.Provider, At: ctx.Now, Failing: slices.Clone(t.Failing),
		})
	}
	for _, k := range a.told.Keys() {
		if now[k] == nil {
			a.told.Delete(k)
		}
	}
}

// hear takes what another partition tells.
func (a *Attribute) hear(b *event.Breadth) {
	key := b.Provider + "\x1f" + b.Tenant
	if b.Told {
		t := a.answers.Change(key)
		t.Tenant, t.Provider, t.At, t.Others, t.Trouble, t.Alike = b.Tenant, b.Provider, b.At, b.Others, b.Trouble, b.Alike
		return
	}
	t := a.heard.Change(key)
	if !slices.Equal(t.Failing, b.Failing) || t.At == 0 {
		t.Failing, t.News = b.Failing, true
	}
	t.Asks = len(b.Failing) > 0
	t.Tenant, t.Provider, t.At = b.Tenant, b.Provider, b.At
}

// answer tells tenants that fail what the others do, once it changed.
func (a *Attribute) answer(ctx stream.Ctx, out *stream.Out) {
	keys := slices.Clone(a.heard.Keys())
	for len(keys) > 0 {
		n := 1
		provider := a.heard.Get(keys[0]).Provider
		for n < len(keys) && a.heard.Get(keys[n]).Provider == provider {
			n++
		}
		a.answerOne(ctx, keys[:n], out)
		keys = keys[n:]
	}
}

// answerOne is about one provider.
func (a *Attribute) answerOne(ctx stream.Ctx, keys []string, out *stream.Out) {
	count, trouble, all := map[string]int64{}, int64(0), int64(0)
	news, asked := false, false
	for _, k := range keys {
		t := a.heard.Get(k)
		if t.At+2*recent < ctx.Now {
			a.heard.Delete(k)
			news = true
			continue
		}
		news, asked = news || t.News, asked || t.Asks
		all++
		if troubled(t.Failing) {
			trouble++
		}
		for _, c := range t.Failing {
			count[c]++
		}
	}
	if !news && !asked {
		return
	}
	for _, k := range keys {
		t := a.heard.Get(k)
		if t == nil {
			continue
		}
		asks := t.Asks
		if t.News || asks {
			t = a.heard.Change(k)
			t.News, t.Asks = false, false
		}
		if len(t.Failing) > 0 && (news || asks) {
			out.Emit(topic.Partials, t.Tenant, othersOf(t, count, trouble, all, ctx.Now))
		}
	}
}

func othersOf(t *Told, count map[string]int64, trouble, all int64, now event.Time) *event.Breadth {
	b := &event.Breadth{Tenant: t.Tenant, Provider: t.Provider, At: now, Told: true, Others: all - 1, Trouble: trouble}
	if troubled(t.Failing) {
		b.Trouble--
	}
	for _, c := range event.Classes {
		n := count[c]
		if slices.Contains(t.Failing, c) {
			n--
		}
		if n > 0 {
			b.Alike = append(b.Alike, event.ClassCount{Class: c, N: n})
		}
	}
	return b
}

// troubled: in a way that an outage may explain.
func troubled(failing []string) bool {
	return slices.ContainsFunc(failing, func(c string) bool {
		return c == event.ClassAuth || c == event.ClassVendorOutage || c == event.ClassNetwork
	})
}

// others counts the other tenants that use the line's provider, from what
// this tenant was told; false where it is alone, or was told nothing lately.
func (a *Attribute) others(l *Line, class string, now event.Time) (n, alike, otherwise int, ok bool) {
	t := a.answers.Get(l.Provider + "\x1f" + l.Tenant)
	if t == nil || t.Others == 0 || t.At+2*stillThere < now {
		return 0, 0, 0, false
	}
	for i := range t.Alike {
		if t.Alike[i].Class == class {
			alike = int(t.Alike[i].N)
		}
	}
	otherwise = int(t.Trouble)
	if troubled([]string{class}) {
		otherwise -= alike
	}
	return int(t.Others), alike, max(otherwise, 0), true
}
