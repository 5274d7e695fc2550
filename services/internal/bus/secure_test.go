package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
)

// A real broker that wants TLS and a password is served as configured; a wrong
// password, or a broker nobody vouches for, is not.
func TestTLSAndSASLOnRealKafka(t *testing.T) {
	if testing.Short() {
		t.Skip("a real broker takes seconds to start")
	}
	s := kafkatest.RealSecure(t)
	write := func(k config.Kafka, password string) error {
		k.Brokers = config.List[string]{s.Addr}
		o, err := bus.FromConfig(k, "", func(config.Secret) ([]byte, error) { return []byte(password), nil }, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := bus.ApplyTopics(ctx, o, 2, 1); err != nil {
			return err
		}
		p, err := bus.NewProducer(o, "test")
		require.NoError(t, err)
		defer p.Close()
		return p.Produce(ctx, bus.Message{Topic: topic.Positions, Key: "a", Event: &event.Position{Stream: "a", SeenAt: 1}})
	}
	secure := func(mechanism string) config.Kafka {
		return config.Kafka{TLS: &config.TLS{CA: s.CA}, SASL: &config.SASL{Mechanism: mechanism, User: s.User, Password: "env:P"}}
	}
	for _, mechanism := range []string{"SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"} {
		require.NoError(t, write(secure(mechanism), s.Password), mechanism)
	}
	require.ErrorContains(t, write(secure("SCRAM-SHA-512"), "another one"), "SASL")
	unknown := secure("SCRAM-SHA-512")
	unknown.TLS = &config.TLS{}
	require.ErrorContains(t, write(unknown, s.Password), "certificate")
}
