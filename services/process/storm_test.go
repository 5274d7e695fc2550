package process

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/bus"
)

// member is one copy of both stages.
type member struct {
	drivers []*Driver
	stop    context.CancelFunc
	done    sync.WaitGroup
	errs    chan error
}

func join(ctx context.Context, addr, instance string) *member {
	return joinOver(ctx, bus.Options{Brokers: []string{addr}}, instance)
}

func joinOver(ctx context.Context, broker bus.Options, instance string) *member {
	m := &member{errs: make(chan error, 4)}
	ctx, m.stop = context.WithCancel(ctx)
	for _, stage := range Stages(StageOptions{Integrations: testIntegrations()}) {
		d := New(Options{
			Bus: broker, Stage: stage, Instance: instance, ConfigHash: "test",
			CommitEvery: 20 * time.Millisecond, Registerer: prometheus.NewRegistry(),
		})
		m.drivers = append(m.drivers, d)
		m.done.Go(func() {
			if err := d.Run(ctx); err != nil {
				m.errs <- err
			}
		})
	}
	return m
}

func (m *member) leave() {
	m.stop()
	m.done.Wait()
}

// folded counts what the member's stages took in, and how often one of their
// sessions ended in doubt.
func (m *member) folded() (inputs, restarts float64) {
	for _, d := range m.drivers {
		inputs += testutil.ToFloat64(d.metrics.inputs)
		restarts += testutil.ToFloat64(d.metrics.restarts)
	}
	return inputs, restarts
}

// restored counts the partitions whose state the member read back.
func (m *member) restored() (n float64) {
	for _, d := range m.drivers {
		n += testutil.ToFloat64(d.metrics.restored)
	}
	return n
}

// undisturbed holds that newcomers cost the others nothing: no session ended,
// and state was read back of what moved only, not of what stayed.
func undisturbed(t *testing.T, members []*member, partitions float64) {
	t.Helper()
	doubts := func() (n float64) {
		for _, m := range members {
			_, restarts := m.folded()
			n += restarts
		}
		return n
	}
	again := members[0].restored() - partitions
	more := members[1].restored() + members[2].restored() - partitions
	for i, m := range members {
		t.Logf("member %d: %.0f partitions restored", i, m.restored())
		require.Empty(t, m.errs)
	}
	if again > 0 || more > 0 {
		// On a starved machine a heartbeat comes late: the group gives that member's
		// partitions away, and it learns of it with its next request.
		require.Eventually(t, func() bool { return doubts() > 0 }, 30*time.Second, 50*time.Millisecond,
			"who kept %.0f partitions restored %.0f of them again, and newcomers %.0f more than moved", partitions, again, more)
	}
	require.LessOrEqual(t, doubts(), 1.0, "sessions ended because partitions moved")
}

// heirs lets the last member fall silent. The group gives its partitions away;
// until then, and while they are restored, the others fold on.
func heirs(ctx context.Context, t *testing.T, members []*member, l *load) {
	t.Helper()
	last := members[len(members)-1]
	last.leave() // static members say nothing when they go
	left := members[:len(members)-1]
	restored := func() (n float64) {
		for _, m := range left {
			n += m.restored()
		}
		return n
	}
	before, longest := restored(), time.Duration(0)
	folded, since := make([]float64, len(left)), make([]time.Time, len(left))
	for i := range since {
		since[i] = time.Now()
	}
	require.Eventually(t, func() bool {
		l.burst(ctx, 10)
		for i, m := range left {
			if inputs, _ := m.folded(); inputs > folded[i] {
				folded[i], longest, since[i] = inputs, max(longest, time.Since(since[i])), time.Now()
			}
		}
		return restored() == before+last.restored()
	}, time.Minute, 50*time.Millisecond, "nobody took over all of it, or more than that was restored")
	t.Logf("%.0f partitions restored by the heirs; none of them stood still for more than %v", last.restored(), longest)
	require.Less(t, longest, 10*time.Second, "the others stood still until the group had given the silent one up")
	for _, m := range left {
		_, restarts := m.folded()
		require.Zero(t, restarts)
	}
}

// TestPartitionsMove lets members come while traffic flows. Whoever gives
// partitions away folds on with those that stay, and the outputs are those of
// an undisturbed fold.
func TestPartitionsMove(t *testing.T) {
	for _, kind := range []string{"embedded", "real"} {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			b := startBroker(t, kind)
			topics, err := bus.ApplyTopics(ctx, bus.Options{Brokers: []string{b.Addr()}}, 4, 1)
			require.NoError(t, err)
			l, err := newLoad(b.Addr(), topics, 1)
			require.NoError(t, err)
			defer l.close()

			var members []*member
			defer func() {
				for _, m := range members {
					m.leave()
				}
			}()
			for i := range 3 {
				members = append(members, join(ctx, b.Addr(), fmt.Sprint("m", i)))
				require.Eventually(t, func() bool {
					l.burst(ctx, 10)
					inputs, _ := members[i].folded()
					return inputs > 200
				}, time.Minute, 50*time.Millisecond, "the newcomer folds nothing")
			}
			undisturbed(t, members, 3*4)
			if *killSlow {
				heirs(ctx, t, members, l)
			}
			log, err := bus.NewChangelog(bus.Options{Brokers: []string{b.Addr()}})
			require.NoError(t, err)
			defer log.Close()
			l.burst(ctx, 1)
			require.NoError(t, awaitRest(ctx, log, topics))
			n, err := checkAll(ctx, log, topics, l)
			for err != nil && ctx.Err() == nil {
				time.Sleep(500 * time.Millisecond)
				n, err = checkAll(ctx, log, topics, l)
			}
			require.NoError(t, err)
			t.Logf("%d outputs compared", n)
		})
	}
}
