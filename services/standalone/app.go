package standalone

import (
	"context"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.uber.org/zap"
	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/ingest"
	"plumbline.dev/services/ingest/pubsub"
	"plumbline.dev/services/internal/bus"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/run"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/process"
)

// App is a running process.
type App struct {
	o       Options
	log     *zap.Logger
	reg     *prometheus.Registry
	secrets cfgload.Secrets
	stack   *run.Stack

	bus    bus.Options
	topics bus.Topics
	db     *warehouse.DB
	door   *ingest.Durable
	ingest atomic.Pointer[string] // URL of ingest, once it listens
	engine *clickhouse.Server

	streams *pubsub.Metrics

	// Addresses the servers really listen on, empty where not started.
	Addrs Addrs
}

// Addrs are host:port of the servers.
type Addrs struct{ Kafka, ClickHouse, Ingest, Console, Admin string }

// Start brings the roles up, from the store to the door: when events can
// come in, everything behind is there.
func Start(ctx context.Context, o Options) (*App, error) {
	if err := prepareDemo(&o); err != nil {
		return nil, err
	}
	a := newApp(o)
	a.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := a.start(ctx); err != nil {
		if stopErr := a.Stop(); stopErr != nil {
			a.log.Warn("stopping after a failed start", zap.Error(stopErr))
		}
		return nil, err
	}
	return a, nil
}

func newApp(o Options) *App {
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Pace == nil {
		o.Pace = pace.Real
	}
	return &App{
		o: o, log: o.Logger, reg: prometheus.NewRegistry(), secrets: cfgload.Secrets{Dir: o.ConfigDir},
		stack: run.NewStack(o.Logger),
	}
}

// start is one straight line: each part after those it needs.
func (a *App) start(ctx context.Context) error {
	if err := os.MkdirAll(a.o.Data, 0o750); err != nil {
		return fmt.Errorf("make data folder: %w", err)
	}
	for _, step := range []func(context.Context) error{
		a.startKafka, a.connectBus, a.startEngine, a.connectWarehouse,
		a.startConsole, a.startSink, a.startNotify, a.openSpool, a.startProcess, a.startReconcile, a.startIngest, a.startAdmin, a.startDemo,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// EnginePid is the process id of the embedded engine's child, 0 without one.
func (a *App) EnginePid() int {
	if a.engine == nil {
		return 0
	}
	return a.engine.Pid()
}

// Failed delivers the failure that should end the process.
func (a *App) Failed() <-chan error { return a.stack.Failed() }

// Stop shuts the door first, lets what was accepted pass, and ends the rest
// in the order data flows. It may be called more than once.
func (a *App) Stop() error { return a.stack.Stop(stopEach) }

// StreamTime is how far every stage has come, zero before the first tick.
func (a *App) StreamTime() time.Time {
	families, err := a.reg.Gather()
	if err != nil {
		return time.Time{}
	}
	slowest := math.Inf(1)
	for _, f := range families {
		if f.GetName() != process.StreamTimeMetric {
			continue
		}
		for _, m := range f.GetMetric() {
			slowest = min(slowest, m.GetGauge().GetValue())
		}
	}
	if math.IsInf(slowest, 1) || slowest <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(slowest * 1000))
}
