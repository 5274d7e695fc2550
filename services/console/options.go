package console

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/console/login"
	"plumbline.dev/services/internal/acklink"
	"plumbline.dev/services/internal/runbook"
	"plumbline.dev/services/internal/warehouse"
)

// Warehouse is what the console needs of ClickHouse; *warehouse.DB has it.
type Warehouse interface {
	Read(ctx context.Context, l warehouse.Limits, dest any, sql string, args ...any) error
	Table(ctx context.Context, l warehouse.Limits, sql string) (columns []string, rows [][]any, err error)
	Ping(ctx context.Context) error
}

// Check is one line of system health, in words a person can act on.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Options of the console. Warehouse and Listen are required.
type Options struct {
	Warehouse    Warehouse
	Listen       string   // host:port
	Hosts        []string // names it is reached by, beside loopback and the host of Listen
	Demo         bool     // every page says that its data is made up
	Ingest       string   // base URL of ingest, for the set-up list; may be empty
	Integrations []config.Integration
	Gate         *login.Gate           // nil: everybody may do everything, and only loopback is listened on
	Door         Door                  // to ingest; nil: nothing can be clicked
	AckKey       acklink.Key           // of links in messages; none: there are no such links
	Letters      Letters               // opens dead letters; nil: they stay sealed
	Runbooks     *runbook.Book         // nil: none
	Senders      []config.Sender       // whose tokens the snippets name
	Health       func() []Check        // nil: only ClickHouse is checked
	Registerer   prometheus.Registerer // nil: no metrics
	Gatherer     prometheus.Gatherer   // served on /metrics; nil: the Registerer, if it can
	Logger       *zap.Logger
	Now          func() time.Time
}

func (o *Options) fill() error {
	if o.Warehouse == nil {
		return errors.New("console: Warehouse is required")
	}
	if _, _, err := net.SplitHostPort(o.Listen); err != nil {
		return errors.New("console: listen address is no host:port: set listen.console to 127.0.0.1:8080")
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Health == nil {
		o.Health = func() []Check { return nil }
	}
	if o.Gate == nil {
		o.Gate, _ = login.New(nil, nil, o.Now) // nobody to check
	}
	if host, _, _ := net.SplitHostPort(o.Listen); o.Gate.Open() && !loopback(host) {
		return errors.New("console: " + o.Listen + " is reachable from the network and nobody has to log in: " +
			"add console.people with a token and a role each, or listen on 127.0.0.1")
	}
	if o.Gatherer == nil {
		o.Gatherer, _ = o.Registerer.(prometheus.Gatherer)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
