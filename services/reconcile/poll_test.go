package reconcile

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/crm"
	crmsim "plumbline.dev/services/simulate/crm"
)

// pollOf finds the round that polls a native kind and prepares it, as its loop would.
func pollOf(t *testing.T, r *Role, native string) *round {
	t.Helper()
	for _, x := range r.planRounds() {
		if slices.ContainsFunc(x.polls, func(p *poll) bool { return p.native == native }) {
			require.NoError(t, x.learn(t.Context()))
			return x
		}
	}
	t.Fatalf("nobody polls %s", native)
	return nil
}

// now looks whether or not it is time to.
func (x *round) now(ctx context.Context) error {
	for _, p := range x.polls {
		p.next = time.Time{}
	}
	return x.once(ctx)
}

func ms() int64 { return time.Now().UnixMilli() }

// TestPollTellsWhatChanged: the fields that did, once, under an id that an
// overlapping or repeated poll makes again.
func TestPollTellsWhatChanged(t *testing.T) {
	w := newWorld(t)
	s, c := w.pair(1)
	w.source.Update(s, map[string]string{"city": "Oslo"}, "", ms())
	r := w.role()
	source, target := pollOf(t, r, "contact"), pollOf(t, r, "Contact")

	require.NoError(t, source.now(t.Context()))
	out := w.produced.take()
	changes := of[*event.Change](out)
	require.Len(t, changes, 1)
	require.Equal(t, event.OpUpdate, changes[0].Operation, "it is older than the first look")
	require.Len(t, changes[0].Fields, 9, "nothing was known: it may be any field")
	email, _ := event.Find(changes[0].Fields, "email")
	require.Equal(t, event.KindHash, email.Kind, "the field policy holds here too")
	require.Len(t, of[*event.Observation](out), 1)

	require.NoError(t, source.now(t.Context()))
	require.Empty(t, w.produced.take(), "the overlap tells nothing twice")

	w.source.Update(s, map[string]string{"city": "Bergen"}, "", s.Modified+5)
	require.NoError(t, source.now(t.Context()))
	changes = of[*event.Change](w.produced.take())
	require.Len(t, changes, 1)
	require.Len(t, changes[0].Fields, 1)
	require.Equal(t, "city", changes[0].Fields[0].Name)
	require.EqualValues(t, s.Modified, changes[0].ChangedAt)

	w.target.Update(c, map[string]string{"MailingCity": "Bergen"}, "005SYNC", ms())
	require.NoError(t, target.now(t.Context()))
	seen := of[*event.Observation](w.produced.take())
	require.Len(t, seen, 1)
	require.Equal(t, s.ID, seen[0].ExternalID, "the record it is the copy of")
	require.Equal(t, event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"}, seen[0].Writer)
	require.GreaterOrEqual(t, seen[0].ResolutionMS, int64(60_000))
	require.True(t, seen[0].Whole)

	w.target.Delete(c, "005HUMAN", ms()+10)
	require.NoError(t, target.now(t.Context()))
	seen = of[*event.Observation](w.produced.take())
	require.Len(t, seen, 1)
	require.True(t, seen[0].Missing)

	fresh := w.source.Insert(map[string]string{"email": "new@example.com"}, "", "", ms()+20)
	again := w.role() // a new process
	source = pollOf(t, again, "contact")
	require.NoError(t, source.now(t.Context()))
	changes = of[*event.Change](w.produced.take())
	require.Len(t, changes, 1)
	require.Equal(t, event.OpCreate, changes[0].Operation)
	require.Equal(t, fresh.ID, changes[0].RecordID)
}

// TestACrashBetweenTellingAndRemembering makes the same change again, under
// the same id.
func TestACrashBetweenTellingAndRemembering(t *testing.T) {
	w := newWorld(t)
	s, _ := w.pair(1)
	w.source.Update(s, map[string]string{"city": "Oslo"}, "", ms())
	r := w.role(func(o *Options) { o.Producer = forgetful{w.produced} })
	require.ErrorIs(t, pollOf(t, r, "contact").once(t.Context()), errLost)
	first := of[*event.Change](w.produced.take())
	require.NoError(t, pollOf(t, w.role(), "contact").once(t.Context()))
	second := of[*event.Change](w.produced.take())
	require.Equal(t, first[0].ID, second[0].ID)
	require.Equal(t, first[0].Fields, second[0].Fields)
}

var errLost = errors.New("acknowledgement lost")

// forgetful writes, and says that it did not.
type forgetful struct{ to Producer }

func (f forgetful) Produce(ctx context.Context, m ...bus.Message) error {
	return errors.Join(f.to.Produce(ctx, m...), errLost)
}

func TestAHookedSourceTellsItsChangesItself(t *testing.T) {
	w := newWorld(t)
	w.cfg.Connections[0].Observe = []string{"hook", "poll"}
	s, _ := w.pair(1)
	w.source.Update(s, map[string]string{"city": "Oslo"}, "", ms())
	require.NoError(t, pollOf(t, w.role(), "contact").once(t.Context()))
	out := w.produced.take()
	require.Empty(t, of[*event.Change](out))
	require.Len(t, of[*event.Observation](out), 1)
}

// TestObjectsArePolledTogether: one call asks for both kinds, and one whose
// fields are gone does not keep the other waiting.
func TestObjectsArePolledTogether(t *testing.T) {
	w := newWorld(t)
	w.leads = crmsim.NewTable("Lead", []crmsim.Field{{Name: "Email", Type: "email"}, {Name: "LastName"}}, crmsim.SalesforceID("00Q"))
	w.serve("[Lead, Contact]")
	_, c := w.pair(1)
	clock := &handClock{now: time.Now()}
	at := func() int64 { return clock.now.UnixMilli() }
	lead := w.leads.Insert(map[string]string{"Email": "lead@example.com", "LastName": "Ek"}, "", "005SYNC", at())
	r := w.role(func(o *Options) { o.Clock = clock })
	x := pollOf(t, r, "Contact")
	require.Len(t, x.polls, 2)
	calls := 0
	look := func(after time.Duration) (ids []string) {
		clock.now = clock.now.Add(after)
		calls, w.during = 0, func() { calls++ }
		_ = x.once(t.Context())
		for _, o := range of[*event.Observation](w.produced.take()) {
			ids = append(ids, o.RecordID)
		}
		return ids
	}
	w.target.Update(c, map[string]string{"LastName": "Berg"}, "005HUMAN", at())
	require.ElementsMatch(t, []string{c.ID, lead.ID}, look(time.Minute))
	w.leads.Update(lead, map[string]string{"LastName": "Lind"}, "005HUMAN", at())
	require.Equal(t, []string{lead.ID}, look(time.Minute))
	look(time.Minute)
	require.Equal(t, 1, calls, "nothing new: one call for both")

	w.leads.Fields = w.leads.Fields[:1]
	w.target.Update(c, map[string]string{"LastName": "Holm"}, "005HUMAN", at())
	require.Equal(t, []string{c.ID}, look(time.Minute))
	w.target.Update(c, map[string]string{"LastName": "Dahl"}, "005HUMAN", at())
	require.Equal(t, []string{c.ID}, look(time.Minute), "which holds nobody up")
	require.Equal(t, clock.now.Add(time.Minute), x.next())

	w.refuse(503)
	clock.now = clock.now.Add(time.Minute)
	require.Error(t, x.once(t.Context()))
	require.LessOrEqual(t, x.next().Sub(clock.now), 30*time.Second, "an outage is over soon, or not")
	w.refuse(0)
	w.target.Update(c, map[string]string{"LastName": "Moe"}, "005HUMAN", at())
	require.Empty(t, look(10*time.Second), "until then nobody is asked")
	require.Zero(t, calls)
	require.Equal(t, []string{c.ID}, look(20*time.Second))
}

func TestLatenessIsLearned(t *testing.T) {
	var l lateness
	require.Equal(t, leastOverlap, l.overlap())
	minute := event.Time(event.Minute)
	l.ended(100 * minute)
	require.True(t, l.news("a", 101*minute), "in time")
	require.Equal(t, leastOverlap, l.overlap())
	require.False(t, l.news("a", 101*minute))
	require.True(t, l.news("b", 93*minute), "seven minutes before the poll that did not show it")
	require.Equal(t, 14*time.Minute, l.overlap())
	for range 200 {
		l.ended(200 * minute)
	}
	require.Equal(t, leastOverlap, l.overlap(), "and forgotten")
	l.news("c", 1)
	require.Equal(t, mostOverlap, l.overlap(), "bounded")
}

// TestASimulatedDayStaysWithinTheBudget: sixty calls a day are ours, and
// polls, checks, probes and comparisons want thousands.
func TestASimulatedDayStaysWithinTheBudget(t *testing.T) {
	w := newWorld(t, 1200)
	for i := range 450 {
		w.pair(i)
	}
	calls := 0
	w.during = func() { calls++ }
	for i := range w.cfg.Connections {
		w.cfg.Connections[i].CallShare = 0.05
	}
	clock := &handClock{now: time.Now()}
	r := w.role(func(o *Options) { o.Clock = clock })
	require.NoError(t, r.price(t.Context(), r.planRounds()))
	source, target := pollOf(t, r, "contact"), pollOf(t, r, "Contact")
	budget := 0
	for minute := 0; minute < 24*60; minute += 6 { // seldom enough to be quick, often enough to want too much
		clock.now = clock.now.Add(6 * time.Minute)
		for _, p := range []*round{source, target} {
			if err := p.once(t.Context()); crm.KindOf(err) == crm.KindBudget {
				budget++
			}
		}
		if minute%60 == 0 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_ = r.Answer(ctx, []*event.Check{{
				ID: "k", Integration: "hs-sf", Object: "contact", RecordKey: "1000", SourceID: "1000", Reason: event.CheckReadback, AskedAt: 1,
			}})
			cancel()
			for _, a := range r.accounts {
				_ = r.probe(t.Context(), a)
			}
		}
	}
	require.Positive(t, budget, "it was wanted more often")
	require.LessOrEqual(t, calls, 2*60+2, "two accounts, and two logins")
	require.Greater(t, calls, 60)
}

// handClock moves only by hand; nobody sleeps by it for long.
type handClock struct{ now time.Time }

func (h *handClock) Now() time.Time                     { return h.now }
func (h *handClock) Wall(d time.Duration) time.Duration { return d }
func (h *handClock) Sleep(ctx context.Context, d time.Duration) error {
	h.now = h.now.Add(d)
	return ctx.Err()
}
