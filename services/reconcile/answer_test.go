package reconcile

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

func check(n int, key, source, target, side string) *event.Check {
	return &event.Check{
		ID: fmt.Sprint("k", n), Integration: "hs-sf", Object: "contact", RecordKey: key, SourceID: source, TargetID: target, Side: side,
		Reason: event.CheckReadback, AskedAt: 1, Version: uint64(n),
	}
}

// TestChecksAreAnswered for what is there, what is gone on either side, what
// nobody has linked, and what is an orphan or not.
func TestChecksAreAnswered(t *testing.T) {
	w := newWorld(t)
	r := w.role()
	ask := func(c ...*event.Check) map[string]*event.Observation {
		require.NoError(t, r.Answer(t.Context(), c))
		out := map[string]*event.Observation{}
		for _, o := range of[*event.Observation](w.produced.take()) {
			require.Equal(t, event.FoundByReadback, o.FoundBy)
			out[o.Side+" "+o.RecordID] = o
		}
		return out
	}
	s, c := w.pair(1)
	got := ask(check(1, s.ID, s.ID, c.ID, ""))
	require.Len(t, got, 2)
	require.True(t, got["source "+s.ID].Whole)
	require.Equal(t, s.ID, got["target "+c.ID].ExternalID)

	got = ask(check(2, s.ID, s.ID, "", event.Target)) // nobody knows the copy: found by its key
	require.Len(t, got, 1)
	require.Equal(t, s.ID, got["target "+c.ID].ExternalID)

	w.target.Delete(c, "", ms())
	got = ask(check(3, s.ID, s.ID, c.ID, event.Target))
	require.True(t, got["target "+c.ID].Missing)
	require.Equal(t, s.ID, got["target "+c.ID].ExternalID)

	got = ask(check(4, s.ID, s.ID, "", event.Target))
	require.True(t, got["target "+event.MissingID(s.ID)].Missing, "%v", got)
	require.Equal(t, s.ID, got["target "+event.MissingID(s.ID)].ExternalID)

	anew := w.copy(s, ms()) // made again: the link moves
	got = ask(check(5, s.ID, s.ID, c.ID, event.Target))
	require.Equal(t, s.ID, got["target "+anew.ID].ExternalID)

	w.source.Delete(s, "", ms())
	got = ask(check(6, s.ID, s.ID, anew.ID, ""))
	require.True(t, got["source "+s.ID].Missing)
	require.False(t, got["target "+anew.ID].Missing)

	// Without a link either, its copy goes by the keys the source had; where nobody
	// ever saw it, that there is no copy cannot be said.
	s3, c3 := w.pair(3)
	ask(check(12, s3.ID, s3.ID, c3.ID, ""))
	w.source.Delete(s3, "", ms())
	got = ask(check(10, s3.ID, s3.ID, "", event.Target))
	require.Len(t, got, 1)
	require.False(t, got["target "+c3.ID].Missing)
	require.Equal(t, s3.ID, got["target "+c3.ID].ExternalID)
	require.Empty(t, ask(check(11, "999999", "999999", "", event.Target)))

	orphan := event.OrphanID(anew.ID)
	got = ask(check(7, orphan, "", anew.ID, ""))
	require.True(t, got["source "+orphan].Missing)
	require.Equal(t, orphan, got["target "+anew.ID].ExternalID)

	s2, c2 := w.pair(2)
	orphan = event.OrphanID(c2.ID)
	got = ask(check(8, orphan, "", c2.ID, ""))
	require.False(t, got["source "+orphan].Missing, "it has a source after all")
	require.Equal(t, s2.ID, got["target "+c2.ID].ExternalID)

	w.copy(s2, ms())
	got = ask(check(9, s2.ID, s2.ID, "", event.Target))
	require.Len(t, got, 1)
	require.Len(t, got["target "+c2.ID].Duplicates, 1)
	require.Empty(t, ask(&event.Check{Integration: "another", Object: "contact", RecordKey: "1", AskedAt: 1}))
}

// TestAShortBudgetAnswersASample: any part is as good as another, each record
// is asked for once, and the share is noted.
func TestAShortBudgetAnswersASample(t *testing.T) {
	w := newWorld(t, 4000)
	var checks []*event.Check
	for i := range 1500 {
		s, c := w.pair(i)
		checks = append(checks, check(i, s.ID, s.ID, c.ID, ""), check(i+5000, s.ID, s.ID, c.ID, "")) // asked twice
	}
	for i := range w.cfg.Connections {
		w.cfg.Connections[i].CallShare = 0.02 // 80 calls, of which checks have a good third
	}
	r := w.role()
	_, err := r.accounts["hs"].reader.Account(t.Context())
	require.NoError(t, err)
	for range 18 { // others have used most of it
		require.NoError(t, r.accounts["hs"].budget.Take(crm.In(t.Context(), crm.LaneCheck)))
	}
	require.NoError(t, r.Answer(t.Context(), checks))
	seen := map[string]bool{}
	for _, o := range of[*event.Observation](w.produced.take()) {
		if o.Side == event.Source {
			require.False(t, seen[o.RecordID])
			seen[o.RecordID] = true
		}
	}
	require.Greater(t, len(seen), 100)
	require.Less(t, len(seen), 1000)
	low := 0 // of the first half of the records
	for i := range 750 {
		if seen[w.source.Rows[i].ID] {
			low++
		}
	}
	require.InDelta(t, 0.5, float64(low)/float64(len(seen)), 0.12, "a uniform sample")
	for _, s := range r.accounts["sf"].budget.Spent() {
		if s.Lane == crm.LaneCheck {
			require.EqualValues(t, 1500, s.Asked)
			require.EqualValues(t, len(seen), s.Answered)
		}
	}
}

func TestProbesSayWhoseFaultItIs(t *testing.T) {
	a := &account{conn: &config.Connection{ID: "sf", System: "salesforce"}}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, event.ProbeOK},
		{&crm.Error{Kind: crm.KindAuth, Status: 401}, event.ProbeAuth},
		{&crm.Error{Kind: crm.KindScope, Status: 403}, event.ProbeAuth},
		{&crm.Error{Kind: crm.KindLimit, Status: 429}, event.ProbeLimit},
		{&crm.Error{Kind: crm.KindOutage, Status: 503}, event.ProbeOutage},
		{&crm.Error{Kind: crm.KindNetwork}, event.ProbeNetwork},
		{errors.New("odd"), event.ProbeOutage},
	} {
		s := probeSignal(a.conn, tt.err, 1000, 1234).Event.(*event.Signal)
		require.NoError(t, s.Validate())
		result, _ := event.Find(s.Detail, "result")
		require.Equal(t, tt.want, result.Text)
		require.Equal(t, "salesforce", s.System)
	}
}

func TestAMissedComparisonIsASignal(t *testing.T) {
	w := newWorld(t)
	r := w.role()
	r.missed(t.Context(), r.subjects[0], 1000, 9000, time.Hour, "Salesforce: no")
	r.missed(t.Context(), r.subjects[0], 1000, 9900, time.Hour, "Salesforce: no")
	out := of[*event.Signal](w.produced.take())
	require.Equal(t, event.SignalMissedRun, out[0].Kind)
	require.Equal(t, out[0].ID, out[1].ID, "one signal a missed run")
}
