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

// TestPartitionsMove lets members come while traffic flows. Whoever gives
// partitions away folds at most the transaction again that was open then, and
// the outputs are those of an undisturbed fold.
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
			for i, m := range members {
				_, restarts := m.folded()
				require.LessOrEqual(t, restarts, float64(4*(len(members)-i)), "more than a transaction was folded again for each newcomer")
				require.Empty(t, m.errs)
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
