package agent

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
)

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Operator: func(*streamtest.Scenario) (stream.Operator, error) { return NewTally(), nil },
	})
}

// Killed anywhere and restored, both operators say the same bytes.
func TestRestoredGoesOnTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed, cut := rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(1, 40).Draw(rt, "cut")
		facts := randomFacts(seed)
		plain := played(rt, facts, len(facts)+1)
		require.NotEmpty(rt, plain)
		require.Equal(rt, plain, played(rt, facts, cut))
	})
}

func randomFacts(seed uint64) []event.Event {
	rng := rand.New(rand.NewPCG(seed, 0))
	now := event.Time(1_767_225_600_000)
	actors := []event.Actor{ana, enricher, {Kind: event.ActorAutomation, ID: "flow"}, {Kind: event.ActorAgent, ID: "other"}}
	var out []event.Event
	for i := range 200 {
		if rng.IntN(4) == 0 {
			now += event.Time(rng.IntN(90_000))
			out = append(out, &event.Tick{At: now})
			continue
		}
		out = append(out, &event.Change{
			ID: fmt.Sprint(i), Tenant: "t1", Integration: "hs-sf", Side: event.Source, System: "hubspot", Object: "contact",
			RecordKey: fmt.Sprint(rng.IntN(5)), Operation: event.OpUpdate, ChangedAt: now, ReceivedAt: now,
			Actor:  actors[rng.IntN(len(actors))],
			Fields: []event.Field{{Name: fmt.Sprint("f", rng.IntN(3)), Value: event.Value{Text: fmt.Sprint(rng.IntN(3))}}},
		})
	}
	return append(out, &event.Tick{At: now + event.Minute})
}

// played folds facts into the bytes of what comes out; every cut-th fact the
// operators are thrown away and loaded again.
func played(t require.TestingT, facts []event.Event, cut int) []string {
	ops := []stream.Operator{NewTally(), NewWatch(nil)}
	logs := []map[string][]byte{{}, {}}
	var now event.Time
	var told []string
	for i, ev := range facts {
		var out stream.Out
		ctx := stream.Ctx{Now: now, Version: uint64(i)}
		switch e := ev.(type) {
		case *event.Tick:
			now = e.At
			ctx.Now = now
			ops[0].Tick(ctx, &out)
			activities := out.List
			out = stream.Out{}
			ops[1].Tick(ctx, &out)
			for _, a := range activities {
				ops[1].Step(ctx, "t1", a.Event, &out)
				told = append(told, encoded(t, a.Event))
			}
			for _, s := range out.List {
				told = append(told, encoded(t, s.Event))
			}
		case *event.Change:
			ops[0].Step(ctx, e.RecordKey, e, &out)
		}
		if i%cut == cut-1 {
			ops = []stream.Operator{reload(t, ops[0], logs[0], NewTally()), reload(t, ops[1], logs[1], NewWatch(nil))}
		}
	}
	return told
}

func reload(t require.TestingT, old stream.Operator, log map[string][]byte, fresh stream.Operator) stream.Operator {
	require.NoError(t, old.Save(func(key string, value []byte) error {
		if value == nil {
			delete(log, key)
			return nil
		}
		log[strings.Clone(key)] = append([]byte(nil), value...)
		return nil
	}))
	for key, value := range log {
		require.NoError(t, fresh.Load(key, value))
	}
	return fresh
}

func encoded(t require.TestingT, ev event.Event) string {
	b, err := event.Encode(nil, ev)
	require.NoError(t, err)
	return string(b)
}
