package sink

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
)

// Warehouse is what the sink needs of ClickHouse. *warehouse.DB is one.
type Warehouse interface {
	Insert(ctx context.Context, b warehouse.Block) error
	Present(ctx context.Context, t *warehouse.Table, r warehouse.Range) (map[int64]bool, error)
	Newest(ctx context.Context, t *warehouse.Table, topicName, epoch string) (map[int32]int64, error)
	Missing(ctx context.Context, c *warehouse.Cells, offsets []int64, r warehouse.Range) ([]int64, error)
	Erased(ctx context.Context) (map[string]bool, error)
	Unrefreshed(ctx context.Context) ([]warehouse.Unrefreshed, error)
	StopQueries(ctx context.Context, prefix string) error
	WriteIntegrations(ctx context.Context, list []config.Integration) error
}

// Producer takes dead letters and signals. It may write one twice: they carry ids.
type Producer interface {
	Produce(ctx context.Context, messages ...bus.Message) error
}

// Options configure New. Bus, Topics, Warehouse and DeadLetters are required.
type Options struct {
	Bus         bus.Options
	Topics      bus.Topics
	Warehouse   Warehouse
	DeadLetters Producer
	// Integrations go into a table of their own at the start; the KPI views
	// take modes and targets from it.
	Integrations []config.Integration
	// FlushInterval is how long a record may wait for company. Default 500 ms.
	FlushInterval time.Duration
	// MaxRows ends the wait, and bounds one INSERT. Default 32,000.
	// Three times as many are in memory: stored, made, and read ahead.
	MaxRows int
	// MaxBytes bounds the undecoded bytes that wait for a topic. Default 16 MiB.
	MaxBytes int
	// InsertTimeout is after how long an INSERT counts as ambiguous. Default 30 s.
	InsertTimeout time.Duration
	// RetryMin and RetryMax bound the pause after a failure. Defaults 1 s, 60 s.
	RetryMin, RetryMax time.Duration
	// AuditInterval is how often ClickHouse is compared with the log. Default 5 min.
	AuditInterval time.Duration
	// Seal encrypts what a dead letter keeps, and names the key. Nil keeps it plain.
	Seal func(tenant, origin string, plain []byte) (sealed []byte, keyID string)
	// GroupPrefix names the consumer groups. Default "plumbline-sink".
	GroupPrefix string
	Registerer  prometheus.Registerer
	Logger      *zap.Logger
	// Failpoint is called at the named instants of a batch (see Points). A
	// harness may end the process there; an error ends Run as a crash would.
	Failpoint func(name string) error
	// TrustTokens leaves read-back out and believes in ClickHouse's
	// deduplication alone. It exists to show that the tests would notice.
	TrustTokens bool
}

// Points are the instants at which Failpoint is called.
var Points = []string{pointBeforeIntent, pointAfterIntent, pointBeforeInsert, pointAfterInsert, pointBeforeCommit, pointAfterCommit}

const (
	pointBeforeIntent = "before_intent"
	pointAfterIntent  = "after_intent"
	pointBeforeInsert = "before_insert"
	pointAfterInsert  = "after_insert"
	pointBeforeCommit = "before_commit"
	pointAfterCommit  = "after_commit"
)

func (o *Options) setDefaults() error {
	if o.Warehouse == nil || o.DeadLetters == nil || len(o.Bus.Brokers) == 0 || len(o.Topics.IDs) == 0 {
		return errors.New("sink: Bus, Topics, Warehouse and DeadLetters are required")
	}
	orDefault(&o.FlushInterval, 500*time.Millisecond)
	orDefault(&o.MaxRows, 32_000)
	orDefault(&o.MaxBytes, 16<<20)
	orDefault(&o.InsertTimeout, 30*time.Second)
	orDefault(&o.AuditInterval, 5*time.Minute)
	orDefault(&o.RetryMin, time.Second)
	orDefault(&o.RetryMax, time.Minute)
	orDefault(&o.GroupPrefix, "plumbline-sink")
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) error { return nil }
	}
	return nil
}

func orDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
