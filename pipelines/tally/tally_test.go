package tally

import (
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

const start event.Time = 1_790_000_000_000

const perSecond = 1000

func integrations(n int) []config.Integration {
	out := make([]config.Integration, n)
	for i := range out {
		out[i].ID = fmt.Sprint("in-", i)
	}
	return out
}

// input is a step: a tick, or what the ledger says of a delivery.
func input(i, many int) event.Event {
	at := start + event.Time(i)
	if i%perSecond == 0 {
		return &event.Tick{At: at}
	}
	d := &event.Delivery{
		Tenant: config.DefaultTenant, Integration: fmt.Sprint("in-", i*7%many), Object: "contact", RecordKey: fmt.Sprint(i), State: event.StateObserved,
		ChangedAt: at, DueAt: at + event.Minute, UpdatedAt: at,
	}
	if i%400 == 1 {
		d.Was, d.State = event.StateObserved, event.StateStalled
	}
	return d
}

func feed(t *Tally, i, many int, out *stream.Out) {
	ctx := stream.Ctx{Now: start + event.Time(i/perSecond)*event.Second, Version: uint64(i)}
	if _, tick := input(i, many).(*event.Tick); tick {
		t.Tick(ctx, out)
		return
	}
	t.Step(ctx, "", input(i, many), out)
}

// told are the partials of a run of steps; after every cut-th the tally goes on
// in another one, from what it saved.
func told(t *testing.T, many, steps, cut int) (partials []event.Partial, bytes []string) {
	log := map[string][]byte{}
	keep := func(key string, value []byte) error {
		if value == nil {
			delete(log, key)
		} else {
			log[strings.Clone(key)] = []byte(string(value))
		}
		return nil
	}
	op := New(integrations(many))
	for i := range steps {
		var out stream.Out
		out.Begin(&stream.Record{Offset: int64(i)})
		feed(op, i, many, &out)
		for _, o := range out.List {
			b, err := event.Encode(nil, o.Event)
			require.NoError(t, err)
			bytes = append(bytes, string(b))
			if p, ok := o.Event.(*event.Partial); ok {
				partials = append(partials, *p)
			}
		}
		if i%cut == cut-1 {
			require.NoError(t, op.Save(keep))
			op = New(integrations(many))
			for key, value := range log {
				require.NoError(t, op.Load(key, value))
			}
		}
	}
	return partials, bytes
}

// TestQuietCellsWaitWhereThereAreMany: whatever the number of cells, the
// sums are the same, what is urgent is told with the next tick, and nothing
// waits longer than a minute's end allows.
func TestQuietCellsWaitWhereThereAreMany(t *testing.T) {
	const steps, cells = 8 * perSecond, 500
	few, _ := told(t, 20, steps, steps)
	many, _ := told(t, cells, steps, steps)
	sum := func(ps []event.Partial) (n int64) {
		for i := range ps {
			for j := range ps[i].Deliveries {
				d := &ps[i].Deliveries[j]
				n += d.N
				if event.Trouble(d.State) {
					require.Less(t, int64(ps[i].Second-d.Settled), int64(2*event.Second))
				}
				require.LessOrEqual(t, int64(ps[i].Second-d.Oldest), int64(patience+event.Second))
			}
		}
		return n
	}
	require.InDelta(t, float64(sum(few)), float64(sum(many)), 3*perSecond) // what waits at the end
	require.Greater(t, len(many), cells)
	require.Less(t, len(many), steps/perSecond*cells*3/5, "many integrations with little to say are told one by one")
}

// TestFailuresAreToldBeforeWhatCameOfThem: one try failed and the next one
// landed, within one second. Who is told in this order knows that the record is right.
func TestFailuresAreToldBeforeWhatCameOfThem(t *testing.T) {
	op, out := New(integrations(1)), stream.Out{}
	out.Begin(&stream.Record{})
	op.Step(stream.Ctx{Now: start}, "", &event.Failure{
		Tenant: config.DefaultTenant, Integration: "in-0", Object: "contact", Provider: "salesforce", Actor: event.Actor{Kind: "integration", ID: "worker"},
		RecordKey: "1", DeliveryID: "d", OccurredAt: start, Verdict: event.Verdict{Class: event.ClassNetwork, Fingerprint: "f"},
	}, &out)
	op.Step(stream.Ctx{Now: start}, "", &event.Delivery{
		Tenant: config.DefaultTenant, Integration: "in-0", Object: "contact", RecordKey: "1", Was: event.StateAttempted, State: event.StateApplied,
		ChangedAt: start, DueAt: start + event.Minute, UpdatedAt: start + 500, AppliedAt: start + 500, Attempts: 2,
	}, &out)
	op.Tick(stream.Ctx{Now: start + event.Second}, &out)
	var told []string
	for _, o := range out.List {
		if p, ok := o.Event.(*event.Partial); ok {
			for range p.Failures {
				told = append(told, "failed")
			}
			for _, d := range p.Deliveries {
				require.Equal(t, []string{"1"}, d.Records)
				told = append(told, d.State)
			}
		}
	}
	require.Equal(t, []string{"failed", event.StateApplied}, told)
}

func TestARestartAnywhereChangesNothing(t *testing.T) {
	for _, n := range []int{20, 1000} {
		_, want := told(t, n, 4*perSecond, 4*perSecond)
		for _, cut := range []int{77, 1300} {
			_, got := told(t, n, 4*perSecond, cut)
			require.True(t, slices.Equal(want, got), "%d integrations, cut after every %d", n, cut)
		}
	}
}

// TestSecondOfOlderVersions reads what was kept whole under one key.
func TestSecondOfOlderVersions(t *testing.T) {
	raw, err := os.ReadFile("testdata/second.hex")
	require.NoError(t, err)
	old, err := hex.DecodeString(strings.TrimSpace(string(raw)))
	require.NoError(t, err)
	op := New(integrations(1))
	require.NoError(t, op.Load(stateKey, old))
	require.NoError(t, op.Load(stateKey, old), "the log holds it many times")
	log := map[string][]byte{}
	require.NoError(t, op.Save(func(key string, value []byte) error { log[strings.Clone(key)] = []byte(string(value)); return nil }))
	again := New(integrations(1))
	require.NoError(t, again.Load(stateKey, old)) // the log is read from before
	for key, value := range log {
		require.NoError(t, again.Load(key, value))
	}
	for _, t2 := range []*Tally{op, again} {
		var out stream.Out
		out.Begin(&stream.Record{})
		t2.Tick(stream.Ctx{Now: start + event.Second}, &out)
		require.Len(t, out.List, 2, "no pulse: one was told")
		p := out.List[0].Event.(*event.Partial)
		require.Equal(t, "in-0", p.Integration)
		require.Equal(t, int64(3), p.Deliveries[0].N)
		require.Equal(t, "salesforce", out.List[1].Event.(*event.Partial).Provider)
	}
}
