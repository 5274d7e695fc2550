package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/event"
)

// TestReferencePlaysEveryScenario holds what the scenarios say against the
// reference too.
func TestReferencePlaysEveryScenario(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		_, err = streamtest.Check(file, string(text), streamtest.Options{
			Settings: []string{"learn_after"},
			Operator: func(s *streamtest.Scenario) (stream.Operator, error) { return newReference(learnsAfter(s)), nil },
			Format:   (*streamtest.Scenario).Changes,
		})
		require.NoError(t, err)
	}
}

// TestLedgerIsTheReference plays random facts on both. At every step both
// must write the same deliveries, failures, divergences and questions, to the
// last bit of each. It goes on until every state of a delivery, every state and
// every kind of a divergence was reached: a tame generator proves nothing.
func TestLedgerIsTheReference(t *testing.T) {
	reached := map[string]int{}
	all := len(event.DeliveryStates) + len(event.DivergenceStates) + len(event.DivergenceKinds)
	for round := 0; round == 0 || len(reached) < all; round++ {
		require.Less(t, round, 50, "random histories reach only %v", reached)
		rapid.Check(t, func(t *rapid.T) { playBoth(t, reached) })
	}
	t.Log(reached)
}

func playBoth(t *rapid.T, reached map[string]int) {
	g := generator{t: t, now: 1_790_000_000_000}
	op, naive := newOperator(integrations(), byStatus, 3), newReference(3)
	led, ref := stream.NewTask(op, 0), stream.NewTask(naive, 0)
	var a, b stream.Out
	open := map[string]string{}
	received, was := map[string]event.Time{}, map[string]string{}
	for offset := range int64(rapid.IntRange(1, 40).Draw(t, "steps")) {
		rec := g.record()
		rec.Offset = offset
		led.Process(clone(t, rec), &a)
		ref.Process(clone(t, rec), &b)
		require.Equal(t, byKey(b.List), byKey(a.List), "at offset %d, after %s", offset, described(rec))
		for _, o := range a.List {
			if d, ok := o.Event.(*event.Divergence); ok {
				require.NoError(t, d.Validate())
				require.Equal(t, open[d.ID], d.Was, "what consumers count is the state last written: %+v", d)
				if open[d.ID] = d.State; d.State == event.DivergenceResolved || d.State == event.DivergenceOutOfScope {
					delete(open, d.ID)
				}
				reached["divergence "+d.State]++
				reached["divergence "+d.Kind]++
				g.differ = append(g.differ, d)
			}
			d, ok := o.Event.(*event.Delivery)
			if !ok {
				continue
			}
			require.NoError(t, d.Validate())
			require.Equal(t, uint64(offset), d.Version, "the offset of the input")
			if d.Was != "" { // else it opened, maybe again after it was forgotten
				require.Equal(t, was[d.ID], d.Was, "what consumers count is the state last written")
			}
			was[d.ID] = d.State
			if first, ok := received[d.ID]; ok {
				require.Equal(t, first, d.ReceivedAt, "received_at never changes between versions")
			}
			received[d.ID] = d.ReceivedAt
			reached[d.State]++
		}
	}
}

func clone(t *rapid.T, r stream.Record) *stream.Record {
	if _, tick := r.Event.(*event.Tick); tick {
		return &r
	}
	b, err := event.Encode(nil, r.Event)
	require.NoError(t, err)
	r.Event, err = event.Decode(r.Event.EventType(), b)
	require.NoError(t, err)
	return &r
}

// byKey shows each delivery, and the failures, divergences and questions of each
// key, in order.
func byKey(list []stream.Output) map[string][]string {
	out := map[string][]string{}
	for _, o := range list {
		switch e := o.Event.(type) {
		case *event.Delivery:
			of := "delivery " + o.Key + " " + e.ID // which of several is told first, nobody asks
			out[of] = append(out[of], fmt.Sprintf("%s %+v", o.Topic, e))
		case *event.Failure:
			out["failure "+e.Origin+o.Key] = append(out["failure "+e.Origin+o.Key], fmt.Sprintf("%s %+v", o.Topic, e))
		case *event.Divergence:
			out["divergence "+o.Key] = append(out["divergence "+o.Key], fmt.Sprintf("%s %+v", o.Topic, e))
		case *event.Check:
			out["check "+o.Key] = append(out["check "+o.Key], fmt.Sprintf("%s %+v", o.Topic, e))
		}
	}
	return out
}

// described costs nothing unless it is told.
type described stream.Record

func (r described) String() string { return fmt.Sprintf("%s %+v", r.Key, r.Event) }
