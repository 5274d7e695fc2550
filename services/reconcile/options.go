package reconcile

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/privacy"
	"plumbline.dev/services/internal/warehouse"
)

// Producer makes events durable.
type Producer interface {
	Produce(ctx context.Context, messages ...bus.Message) error
}

// Options of the role. All but Clock, Registerer, Logger and the spans are
// required.
type Options struct {
	Config    *config.Config
	Bus       bus.Options // of the checks
	Producer  Producer
	Warehouse *warehouse.DB
	Privacy   *privacy.Policy
	Resolve   func(config.Secret) ([]byte, error)
	Instance  string

	Clock      pace.Clock
	Registerer prometheus.Registerer
	Logger     *zap.Logger

	ProbeEvery  time.Duration // 0 = 5 min
	SchemaEvery time.Duration // 0 = 10 min
	Examples    int           // differences that a result shows; 0 = 20
}

func (o *Options) fill() {
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Instance == "" {
		o.Instance = "0"
	}
	if o.Examples == 0 {
		o.Examples = 20
	}
	if o.SchemaEvery == 0 {
		o.SchemaEvery = schemaEvery
	}
	if o.ProbeEvery == 0 {
		o.ProbeEvery = 5 * time.Minute
	}
}

func (o *Options) now() event.Time { return event.At(o.Clock.Now()) }
