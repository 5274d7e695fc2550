package standalone

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/pipelines/classify"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/clock"
	"plumbline.dev/services/ingest"
	"plumbline.dev/services/ingest/spool"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/run"
	"plumbline.dev/services/process"
	"plumbline.dev/services/sink"
)

func (a *App) configHash() string { return config.Hash(a.o.Config.Integrations) }

func (a *App) producer(role string) (*bus.Producer, error) {
	p, err := bus.NewProducer(a.bus, a.configHash())
	if err != nil {
		return nil, err
	}
	a.stack.OnStop(role+" producer", func(context.Context) error { p.Close(); return nil })
	return p, nil
}

func (a *App) startSink(context.Context) error {
	if !a.o.has(Sink) {
		return nil
	}
	if len(a.o.Roles) == 1 {
		collect(50) // a sink alone holds buffers and little else
	}
	dead, err := a.producer("sink")
	if err != nil {
		return err
	}
	key, err := a.hashKey()
	if err != nil {
		return err
	}
	s, err := sink.New(sink.Options{
		Bus: a.bus, Topics: a.topics, Warehouse: a.db, DeadLetters: dead, Integrations: a.o.Config.Integrations,
		Registerer: a.reg, Logger: a.log.Named("sink"), Failpoint: a.sinkFailpoint(),
		Seal: func(tenant, origin string, plain []byte) ([]byte, string) {
			return key.Seal(tenant, origin, plain), key.ID()
		},
	})
	if err != nil {
		return err
	}
	a.stack.Go("sink", s.Run)
	return nil
}

func (a *App) sinkFailpoint() func(string) error {
	if a.o.Failpoint == nil {
		return nil
	}
	return func(name string) error { a.o.Failpoint("sink_" + name); return nil }
}

// startProcess runs every stage and the clock that gives them time.
func (a *App) startProcess(context.Context) error {
	if !a.o.has(Process) {
		return nil
	}
	if len(a.o.Roles) == 1 {
		// Its state is many small pieces, dear to walk through and small beside
		// what it may take: twice as seldom for half as much again.
		collect(processGC)
	}
	classifier := classify.Default()
	enrich := func(at *event.Attempt) { classifier.Enrich(at) }
	book, err := a.openRunbooks()
	if err != nil {
		return err
	}
	stages := process.Stages(process.StageOptions{
		Agents:       a.o.Config.Agents,
		Integrations: a.o.Config.Integrations, Enrich: enrich, Console: ConsoleURL(a.o.Config),
		Documented: book.Documented, MaxIDs: a.o.MaxIDs,
	})
	for _, stage := range stages {
		d := process.New(process.Options{
			Bus: a.bus, Stage: stage, Instance: a.o.Instance, ConfigHash: a.configHash(),
			CommitEvery: a.o.CommitEvery, Logger: a.log.Named("process"), Registerer: a.reg, Failpoint: a.o.Failpoint,
		})
		a.stack.Go("process "+stage.Name, d.Run)
	}
	a.stack.Go("clock", func(ctx context.Context) error {
		return clock.Run(ctx, clock.Options{
			Bus: a.bus, Topics: a.topics, Now: a.o.Pace.Now, Every: max(a.o.Pace.Wall(time.Second), minTick), Logger: a.log.Named("clock"),
			Hold: a.holdClock, Grace: a.clockGrace(),
		})
	})
	return nil
}

const processGC = 200

// collect sets how much may be allocated between two collections, as a share of
// what is in use, unless whoever runs the process has said so: GOGC.
func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// minTick is how close ticks may be on the wall where time is fast.
const minTick = 50 * time.Millisecond

// holdClock keeps ticks back while what ingest accepted is not in the log.
func (a *App) holdClock() bool { return a.door != nil && a.door.Holding() }

// clockGrace is for spools of ingest roles elsewhere, which nobody here sees.
func (a *App) clockGrace() time.Duration {
	if a.o.has(Ingest) {
		return 0
	}
	return 15 * time.Second
}

// openSpool comes before the clock: what an earlier process could not pass on
// holds the first tick already.
func (a *App) openSpool(context.Context) error {
	if !a.o.has(Ingest) {
		return nil
	}
	p, err := a.producer("ingest")
	if err != nil {
		return err
	}
	log := a.log.Named("spool")
	s, err := spool.Open(spool.Options{
		Dir: filepath.Join(a.o.Data, "spool"), MaxBytes: int64(a.o.Config.Spool.MaxMiB) << 20, Logger: log,
	})
	if err != nil {
		return err
	}
	a.stack.OnStop("spool", func(context.Context) error { return s.Close() })
	a.door = ingest.NewDurable(p, s, log)
	if err := a.door.Register(a.reg); err != nil {
		return err
	}
	a.stack.Go("spool", a.door.Run)
	return nil
}

// quarantineBytes bounds what requests that nobody signed may take up.
const quarantineBytes = 64 << 20

func (a *App) startIngest(ctx context.Context) error {
	if !a.o.has(Ingest) {
		return nil
	}
	key, err := a.hashKey()
	if err != nil {
		return err
	}
	q, err := spool.Open(spool.Options{Dir: filepath.Join(a.o.Data, "quarantine"), MaxBytes: quarantineBytes, Logger: a.log.Named("quarantine")})
	if err != nil {
		return err
	}
	a.stack.OnStop("quarantine", func(context.Context) error { return q.Close() })
	s, err := ingest.New(ingest.Options{
		Config: a.o.Config, Producer: a.door, Secrets: a.secrets, Privacy: privacy.NewPolicy(key, a.o.Config.Integrations),
		Registerer: a.reg, Gatherer: a.reg, Now: a.o.Pace.Now, Logger: a.log.Named("ingest"), Quarantine: q,
	})
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	a.stack.OnStop("ingest", s.Stop)
	a.Addrs.Ingest = s.Addr()
	url := "http://" + s.Addr()
	a.ingest.Store(&url)
	return a.startFeeds(s)
}

// hashKey opens the key of the field policy, made on the first start. A
// relative path lies in the data folder: it belongs to the data.
func (a *App) hashKey() (*privacy.Key, error) {
	ref := a.o.Config.Privacy.HashKey
	path, err := a.secrets.Path(ref)
	if err != nil { // not a file
		b, err := a.secrets.Resolve(ref)
		if err != nil {
			return nil, fmt.Errorf("privacy.hash_key: %w", err)
		}
		return privacy.ParseKey(b)
	}
	if rel, ok := relative(ref); ok {
		path = filepath.Join(a.o.Data, rel)
	}
	key, err := privacy.OpenKey(path)
	if err == nil {
		a.log.Info("field policy key", zap.String("id", key.ID()))
	}
	return key, err
}

func relative(ref config.Secret) (string, bool) {
	const scheme = "file:"
	path := string(ref)[len(scheme):]
	return path, !filepath.IsAbs(path)
}

func (a *App) startAdmin(context.Context) error {
	if a.o.AdminAddr == "" {
		return nil
	}
	addr, err := run.Admin(a.stack, a.o.AdminAddr, a.reg, func() error { return nil })
	a.Addrs.Admin = addr
	return err
}
