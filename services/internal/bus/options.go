package bus

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"go.uber.org/zap"
)

// Options say how to reach the log. The zero value of all but Brokers works.
type Options struct {
	Brokers  []string
	ClientID string
	TLS      *tls.Config
	SASL     sasl.Mechanism
	Logger   *zap.Logger
	// Retention is the longest that topics with days of retention keep a record, 0 = as the table says.
	Retention time.Duration
	// Dial replaces the network, for tests under virtual time.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (o Options) kgo(more ...kgo.Opt) []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Brokers...),
		kgo.ClientID(orDefault(o.ClientID, "plumbline")),
		kgo.RetryTimeout(20 * time.Second),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	if o.SASL != nil {
		opts = append(opts, kgo.SASL(o.SASL))
	}
	if o.Dial != nil {
		opts = append(opts, kgo.Dialer(o.Dial))
	}
	return append(opts, more...)
}

func (o Options) log() *zap.Logger {
	if o.Logger == nil {
		return zap.NewNop()
	}
	return o.Logger
}

func orDefault(v, d string) string {
	if v == "" {
		return d
	}
	return v
}
