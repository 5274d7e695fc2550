package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/ingest/spool"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/privacy"
)

// Producer makes messages durable. Produce returns nil only when every one of
// them is; after an error some may be, and the sender's retry repeats them
// under the same event ids.
type Producer interface {
	Produce(ctx context.Context, messages ...bus.Message) error
	Ping(ctx context.Context) error
}

// Secrets resolves the references in the configuration.
type Secrets interface {
	Resolve(ref config.Secret) ([]byte, error)
}

// Limits bound what strangers may use.
type Limits struct {
	Body        int64         // bytes of one body, decompressed
	InFlight    int64         // bytes of all bodies being worked on
	Connections int           //
	Produce     time.Duration // HubSpot gives up after five seconds
	Header      time.Duration // from the first byte of a request to its body
	Read        time.Duration // to the body's end
	Ratio       int64         // decompressed to compressed bytes
}

// DefaultLimits are those of design §4.
func DefaultLimits() Limits {
	return Limits{
		Body: 8 << 20, InFlight: 128 << 20, Connections: 4096, Produce: 4 * time.Second, Ratio: 100,
		Header: 5 * time.Second, Read: 30 * time.Second,
	}
}

// Options of the server. Config, Producer, Secrets and Privacy are required.
type Options struct {
	Config     *config.Config
	Producer   Producer
	Secrets    Secrets
	Privacy    *privacy.Policy
	Registerer prometheus.Registerer // nil: no metrics
	Gatherer   prometheus.Gatherer   // served on /metrics; nil: the Registerer, if it can
	Logger     *zap.Logger
	Now        func() time.Time
	Listen     string // host:port; empty: the configuration's
	Limits     Limits // zero: DefaultLimits

	// Quarantine keeps requests whose signature no configured secret gives:
	// a secret entered wrongly must not lose what providers never send again.
	// Nil: they are only refused.
	Quarantine *spool.Spool
}

func (o *Options) fill() error {
	if o.Config == nil || o.Producer == nil || o.Secrets == nil || o.Privacy == nil {
		return errors.New("ingest: Config, Producer, Secrets and Privacy are required")
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	// An outage of the log is one line a request: a few a second tell enough.
	o.Logger = o.Logger.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core {
		return zapcore.NewSamplerWithOptions(c, time.Second, 10, 1000)
	}))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Listen == "" {
		o.Listen = o.Config.Listen.Ingest
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Gatherer == nil {
		o.Gatherer, _ = o.Registerer.(prometheus.Gatherer)
	}
	return nil
}
