package standalone

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/match"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
)

// connectTimeout is how long a process waits at its start for a log or a
// warehouse that is coming up too.
const connectTimeout = time.Minute

func (a *App) startKafka(context.Context) error {
	if !a.o.has(Kafka) || !a.o.Config.Kafka.IsEmbedded() {
		return nil
	}
	b, err := kafka.Start(kafka.Options{
		Data: filepath.Join(a.o.Data, "kafka"), Listen: a.o.Config.Listen.Kafka, Logger: a.log.Named("kafka"),
	})
	if err != nil {
		return err
	}
	a.stack.OnStop("kafka", b.Stop)
	a.Addrs.Kafka = b.Addr()
	return nil
}

func (a *App) connectBus(ctx context.Context) error {
	addr := a.Addrs.Kafka
	if addr == "" {
		addr = a.o.Config.Listen.Kafka
	}
	var err error
	a.bus, err = bus.FromConfig(a.o.Config.Kafka, addr, a.secrets.Resolve, a.log.Named("bus"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if !a.o.Migrate {
		a.topics, err = bus.CheckTopics(ctx, a.bus)
		return err
	}
	a.topics, err = bus.ApplyTopics(ctx, a.bus, a.o.Config.Kafka.Partitions, a.replicas())
	return err
}

// replicas of new topics: -1 lets a real cluster decide by its default.
func (a *App) replicas() int16 {
	if a.o.Config.Kafka.IsEmbedded() {
		return 1
	}
	return -1
}

func (a *App) startEngine(ctx context.Context) error {
	if !a.o.has(ClickHouse) || !a.o.Config.ClickHouse.IsEmbedded() {
		return nil
	}
	password, err := a.clickhousePassword()
	if err != nil {
		return err
	}
	s, err := clickhouse.Start(ctx, clickhouse.Options{
		Data: filepath.Join(a.o.Data, "clickhouse"), Listen: a.o.Config.Listen.ClickHouse, Password: password,
		Logger: a.log.Named("clickhouse"),
	})
	if err != nil {
		return err
	}
	a.stack.OnStop("clickhouse", s.Stop)
	a.engine, a.Addrs.ClickHouse = s, s.Addr()
	return nil
}

func (a *App) clickhousePassword() (string, error) {
	if a.o.Config.ClickHouse.Password == "" {
		return "", nil
	}
	b, err := a.secrets.Resolve(a.o.Config.ClickHouse.Password)
	if err != nil {
		return "", fmt.Errorf("clickhouse.password: %w", err)
	}
	return string(b), nil
}

// needsWarehouse says which roles talk SQL.
func (a *App) needsWarehouse() bool {
	return a.o.warehouse || a.o.has(Sink) || a.o.has(Console) || a.o.has(Reconcile) ||
		(a.o.has(Notify) && a.o.Config.Notify.Digest != nil) || (a.o.Migrate && a.o.has(ClickHouse))
}

func (a *App) connectWarehouse(ctx context.Context) error {
	if !a.needsWarehouse() {
		return nil
	}
	password, err := a.clickhousePassword()
	if err != nil {
		return err
	}
	dsn := a.o.Config.ClickHouse.DSN
	if a.o.Config.ClickHouse.IsEmbedded() {
		addr := a.Addrs.ClickHouse
		if addr == "" {
			addr = a.o.Config.Listen.ClickHouse
		}
		dsn = "http://" + addr + "/plumbline"
	}
	a.db, err = warehouse.Open(warehouse.Options{DSN: dsn, Password: password, Cluster: a.o.Config.ClickHouse.Cluster, Logger: a.log.Named("warehouse")})
	if err != nil {
		return err
	}
	a.stack.OnStop("warehouse", func(context.Context) error { return a.db.Close() })
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if a.o.Migrate {
		return a.db.Migrate(ctx)
	}
	return a.db.Check(ctx)
}

// ApplySchema brings the warehouse's schema up to date and starts nothing.
func ApplySchema(ctx context.Context, o Options) error {
	o.Roles, o.Migrate = []Role{Sink}, true
	a := newApp(o)
	defer a.Stop() //nolint:errcheck // closes a connection
	return a.connectWarehouse(ctx)
}

// OpenWarehouse connects to the configured ClickHouse for a command that
// starts no role; with the embedded engine, `plumbline up` has to run. Close
// the database when done.
func OpenWarehouse(ctx context.Context, o Options) (*warehouse.DB, error) {
	o.Roles, o.Migrate = []Role{Sink}, false
	a := newApp(o)
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	if err := a.connectWarehouse(ctx); err != nil {
		_ = a.Stop() // closes the connection
		return nil, err
	}
	return a.db, nil
}

// commandTimeout is how long a command waits for ClickHouse.
const commandTimeout = 10 * time.Second

// OpenPolicy reads the field policy of the configuration.
func OpenPolicy(o Options) (*privacy.Policy, error) {
	key, err := newApp(o).hashKey()
	if err != nil {
		return nil, err
	}
	return privacy.NewPolicy(key, o.Config.Integrations), nil
}

// SubjectHashes are what a person's e-mail address or phone number is stored as.
func SubjectHashes(o Options, subject string) ([]string, error) {
	key, err := newApp(o).hashKey()
	if err != nil {
		return nil, err
	}
	return match.SubjectHashes(key, o.Config.Integrations, subject), nil
}
