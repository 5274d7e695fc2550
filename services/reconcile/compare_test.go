package reconcile

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/simulate/crm"
)

// injure makes the n-th kind of divergence of a pair, and what a comparison
// should say of it.
func (w *world) injure(kind int, s, t *crm.Row) Example {
	e := Example{Kind: event.ValueMismatch, SourceID: s.ID, TargetID: t.ID}
	set := func(field, how string, source, target map[string]string) Example {
		w.source.Update(s, source, "", old+2)
		w.target.Update(t, target, "005HUMAN", old+3)
		e.Field, e.How = field, how
		return e
	}
	switch kind {
	case 0: // never written
		w.target.Delete(t, "", old)
		return Example{Kind: event.MissingInTarget, SourceID: s.ID}
	case 1: // deleted in the source only
		w.source.Delete(s, "", old)
		return Example{Kind: event.MissingInSource, TargetID: t.ID}
	case 2: // the silent patterns: blanked, cut, rounded, re-coded, re-owned, typed over
		return set("city", value.BlankInTarget, nil, map[string]string{"MailingCity": ""})
	case 3:
		return set("city", value.BlankInSource, map[string]string{"city": ""}, nil)
	case 4:
		return set("lastname", value.Truncated, nil, map[string]string{"LastName": "Lindgren th"})
	case 5:
		return set("lastname", value.FormatOnly, nil, map[string]string{"LastName": s.Values["lastname"] + "."})
	case 6:
		return set("score", value.Coerced, nil, map[string]string{"Score__c": s.Values["score"][:len(s.Values["score"])-3]})
	case 7:
		other := "Lead"
		if s.Values["stage"] == "lead" {
			other = "Customer"
		}
		return set("stage", value.PicklistDiff, nil, map[string]string{"Stage__c": other})
	case 8:
		return set("owner", value.PicklistDiff, nil, map[string]string{"OwnerId": "005NOBODY"})
	case 9:
		return set("email", value.Other, nil, map[string]string{"Email": "somebody@example.org"})
	case 10: // acknowledged and dropped: the copy is older than the change
		w.source.Update(s, map[string]string{"city": "Utrecht"}, "", old+int64(time.Hour/time.Millisecond))
		e.Kind, e.Field, e.How = event.Stale, "city", value.Other
		return e
	case 11: // the zone was dropped: the same clock, another instant
		return set("signed", value.Coerced, nil, map[string]string{"Signed__c": "2026-03-02T04:00:00Z"})
	case 12: // another currency, the number converted
		return set("score", value.Other, nil, map[string]string{"Score__c": "1" + s.Values["score"]})
	case 13:
		return set("topics", value.Coerced, nil, map[string]string{"Topics__c": "offers;news"})
	}
	w.copy(s, old+5) // a second copy
	return Example{Kind: event.Duplicate, SourceID: s.ID}
}

const injuries = 15

func plain(list []Example) []string {
	out := make([]string, len(list))
	for i, e := range list {
		if e.Kind == event.Duplicate {
			e.TargetID = ""
		}
		out[i] = fmt.Sprint(e.Kind, " ", e.SourceID, " ", e.TargetID, " ", e.Field, " ", e.How)
	}
	slices.Sort(out)
	return out
}

// TestEveryDivergenceIsFoundAndNoneInvented injects every kind at several
// rates, in a world that stands still and in one where both sides keep
// changing, records come and go, and pages drift.
func TestEveryDivergenceIsFoundAndNoneInvented(t *testing.T) {
	for _, rate := range []float64{0, 0.001, 0.01, 0.1} {
		for _, moving := range []bool{false, true} {
			t.Run(fmt.Sprintf("%g moving %t", rate, moving), func(t *testing.T) {
				w := newWorld(t)
				rng := rand.New(rand.NewPCG(7, uint64(rate*1000))) //nolint:gosec // repeatable on purpose
				const n = 700
				var want []Example
				var well []*crm.Row
				kind := rng.IntN(injuries)
				for i := range n {
					s, c := w.pair(i)
					if rng.Float64() < rate {
						want = append(want, w.injure(kind%injuries, s, c))
						kind++
					} else {
						well = append(well, s)
					}
				}
				if moving {
					w.during = w.traffic(rng, well)
				}
				res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
				require.NoError(t, err)
				require.Equal(t, plain(want), plain(res[0].Examples))
				if !moving {
					require.EqualValues(t, len(want), res[0].Diverging())
					require.Zero(t, res[0].InFlight)
				}
				for _, o := range of[*event.Observation](w.produced.take()) {
					require.Equal(t, event.FoundByReconcile, o.FoundBy)
					require.Equal(t, res[0].Run, o.Run)
				}
			})
		}
	}
}

// traffic saves, creates and deletes in the source before every answer; the
// sync follows a few answers later.
func (w *world) traffic(rng *rand.Rand, well []*crm.Row) func() {
	var later []func()
	count := 0
	return func() {
		now := time.Now().UnixMilli()
		count++
		for len(later) > 12 {
			later[0]()
			later = later[1:]
		}
		for range 3 {
			s := well[rng.IntN(len(well))]
			if s.Deleted {
				continue
			}
			city := fmt.Sprint("City ", count)
			w.source.Update(s, map[string]string{"city": city}, "", max(now, s.Modified+1))
			later = append(later, func() {
				if c := w.target.GetExternal(s.ID); c != nil {
					w.target.Update(c, map[string]string{"MailingCity": city}, "005SYNC", time.Now().UnixMilli())
				}
			})
		}
		fresh := w.source.Insert(map[string]string{"email": fmt.Sprintf("new%d@example.com", count), "city": "Oslo", "stage": "lead", "owner": "1"}, "", "", now)
		later = append(later, func() { w.copy(fresh, time.Now().UnixMilli()) })
		if gone := well[rng.IntN(len(well))]; count%5 == 0 && !gone.Deleted {
			w.source.Delete(gone, "", now)
			if c := w.target.GetExternal(gone.ID); c != nil {
				w.target.Delete(c, "005SYNC", now)
			}
		}
	}
}

// rare is for `make injuries`: a comparison of ten thousand takes seconds.
var rare = flag.Int("rare", 1, "how many kinds of divergence TestOneInTenThousand injects")

// TestOneInTenThousand: a single difference of any kind, anywhere, does not
// drown. What is injured heals before the next.
func TestOneInTenThousand(t *testing.T) {
	w := newWorld(t)
	const n = 10_000
	sources, copies := make([]*crm.Row, n), make([]*crm.Row, n)
	for i := range n {
		sources[i], copies[i] = w.pair(i)
	}
	kinds := append(rand.New(rand.NewPCG(11, 0)).Perm(injuries-1), injuries-1) //nolint:gosec // repeatable on purpose
	for _, kind := range kinds[:min(*rare, injuries)] {                        // the second copy is last: it does not heal
		at := rand.New(rand.NewPCG(11, uint64(kind))).IntN(n) //nolint:gosec // repeatable on purpose
		s, c := sources[at], copies[at]
		heal := kept(s, c)
		want := []Example{w.injure(kind, s, c)}
		res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
		require.NoError(t, err)
		require.Equal(t, plain(want), plain(res[0].Examples), "kind %d", kind)
		require.EqualValues(t, n-1, res[0].Equal, "kind %d", kind)
		heal()
	}
}

// TestOneInTenThousandThatMove: nor does it while everything around it changes.
func TestOneInTenThousandThatMove(t *testing.T) {
	for _, kind := range rand.New(rand.NewPCG(12, 0)).Perm(injuries)[:min(*rare, injuries)] { //nolint:gosec // repeatable on purpose
		w := newWorld(t)
		const n = 10_000
		rng := rand.New(rand.NewPCG(12, uint64(kind))) //nolint:gosec // repeatable on purpose
		at := rng.IntN(n)
		var want []Example
		var well []*crm.Row
		for i := range n {
			s, c := w.pair(i)
			if i == at {
				want = append(want, w.injure(kind, s, c))
			} else {
				well = append(well, s)
			}
		}
		w.during = w.traffic(rng, well)
		res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
		require.NoError(t, err)
		require.Equal(t, plain(want), plain(res[0].Examples), "kind %d", kind)
	}
}

// kept remembers rows as they are, and makes them so again.
func kept(rows ...*crm.Row) (heal func()) {
	was := make([]crm.Row, len(rows))
	for i, r := range rows {
		was[i] = *r
		was[i].Values = maps.Clone(r.Values)
	}
	return func() {
		for i, r := range rows {
			*r = was[i]
		}
	}
}

// TestWrongMatch: two copies that hold each other's key differ in what tells
// them apart, both of them; a merged-away record leaves its copy behind.
func TestWrongMatch(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		w.pair(i)
	}
	a, b := w.target.Rows[3], w.target.Rows[4]
	a.External, b.External = b.External, a.External
	w.source.Delete(w.source.Rows[9], "", old) // merged into another
	res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	swapped := map[string]bool{}
	for _, e := range res[0].Examples {
		if e.Kind == event.MissingInSource {
			require.Equal(t, w.target.Rows[9].ID, e.TargetID)
			continue
		}
		require.Equal(t, event.ValueMismatch, e.Kind)
		if e.Field == "email" {
			swapped[e.SourceID+" "+e.TargetID] = true
		}
	}
	require.Equal(t, map[string]bool{
		w.source.Rows[3].ID + " " + b.ID: true, w.source.Rows[4].ID + " " + a.ID: true,
	}, swapped)
	require.EqualValues(t, 2, res[0].Different)
	require.EqualValues(t, 1, res[0].MissingInSource)
}

// TestAKilledRunGoesOn: the second process reads the rest, and the result is
// the whole.
func TestAKilledRunGoesOn(t *testing.T) {
	w := newWorld(t)
	for i := range 1500 {
		s, c := w.pair(i)
		if i == 3 || i == 1400 {
			w.injure(2, s, c)
		}
	}
	ctx, kill := context.WithCancel(t.Context())
	calls := 0
	w.during = func() {
		if calls++; calls == 12 {
			kill()
		}
	}
	_, err := w.role().Once(ctx, "hs-sf", "contact", nil)
	require.ErrorIs(t, err, context.Canceled)
	before := calls
	w.during = func() { calls++ }
	res, err := w.role().Once(t.Context(), "hs-sf", "contact", nil)
	require.NoError(t, err)
	require.EqualValues(t, 1500, res[0].Source)
	require.EqualValues(t, 2, res[0].Different)
	require.Less(t, calls-before, 16+8, "what was read is not read again")
	found := of[*event.Reconciliation](w.produced.take())
	require.NotEmpty(t, found)
}
