package process

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
)

// classed stands in for a rule set that gives every failure one class.
func classed(class string) StageOptions {
	return StageOptions{Integrations: testIntegrations(), Enrich: func(a *event.Attempt) {
		a.Verdict = &event.Verdict{
			Class: class, Recoverability: event.Permanent, Attribution: event.ByCustomer, Rule: class, Fingerprint: class,
			Version: "test",
		}
	}}
}

// TestReplayShowsWhatRulesChange folds the same history with the same rules,
// and with others: the first differs in nothing, the second in the classes of
// all failures; neither writes a byte.
func TestReplayShowsWhatRulesChange(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := startBroker(t, "embedded")
	o := bus.Options{Brokers: []string{b.Addr()}}
	topics, err := bus.ApplyTopics(ctx, o, 2, 1)
	require.NoError(t, err)
	l, err := newLoad(b.Addr(), topics, 3)
	require.NoError(t, err)
	defer l.close()
	m := join(ctx, b.Addr(), "0")
	defer m.leave()
	from := l.clock
	for range 10 {
		l.burst(ctx, 20)
	}
	l.burst(ctx, 1)
	log, err := bus.NewChangelog(o)
	require.NoError(t, err)
	defer log.Close()
	require.NoError(t, awaitRest(ctx, log, topics))
	require.Eventually(t, func() bool {
		_, err := checkAll(ctx, log, topics, l)
		return err == nil
	}, 30*time.Second, 200*time.Millisecond)
	before, err := ends(ctx, log, topics)
	require.NoError(t, err)

	play := func(older, newer string) *Report {
		r, err := Replay(ctx, ReplayOptions{Bus: o, Topics: topics, From: from, Old: classed(older), New: classed(newer)})
		require.NoError(t, err)
		require.Greater(t, r.Facts, 200)
		return r
	}
	same := play(event.ClassSchema, event.ClassSchema)
	failures := same.Classes[event.ClassSchema][event.ClassSchema]
	require.Greater(t, failures, 20)
	require.Equal(t, map[string]map[string]int{event.ClassSchema: {event.ClassSchema: failures}}, same.Classes)
	for state, n := range same.Deliveries {
		require.Equal(t, n.Old, n.New, state)
	}
	require.NotZero(t, same.Deliveries[event.StateApplied].New)
	require.Empty(t, same.Gained)
	require.Empty(t, same.Lost)

	other := play(event.ClassSchema, event.ClassDuplicate)
	require.Equal(t, map[string]map[string]int{event.ClassSchema: {event.ClassDuplicate: failures}}, other.Classes)
	require.NotEmpty(t, other.Gained, "an incident of the new fingerprint")
	require.NotEmpty(t, other.Lost, "and none of the old")

	later, err := Replay(ctx, ReplayOptions{Bus: o, Topics: topics, From: l.clock + event.Hour, Old: classed(event.ClassSchema), New: classed(event.ClassDuplicate)})
	require.NoError(t, err)
	require.Empty(t, later.Classes, "what is before from is folded, not counted")

	after, err := ends(ctx, log, topics)
	require.NoError(t, err)
	require.Equal(t, before, after, "a replay touches nothing")
}
