// Package kafkatest gives tests a broker they may kill: a real Kafka, or the
// embedded one in a process of its own.
//
// A package that uses it hands its TestMain over:
//
//	func TestMain(m *testing.M) { kafkatest.Main(m) }
package kafkatest

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Broker is one broker on one port. Its methods end the test when they fail.
type Broker interface {
	// Addr is host:port, the same before and after a restart.
	Addr() string
	// Kill ends the broker with SIGKILL and waits until it is gone.
	Kill()
	// Stop ends the broker in order and waits until it is gone.
	Stop()
	// Restart starts a broker that was killed or stopped, on its old port
	// and data, and waits until it answers. A running one is stopped first.
	Restart()
}

// Kinds runs a test against both brokers; the real one is left out of short
// runs.
func Kinds(t *testing.T, run func(t *testing.T, b Broker)) {
	t.Run("embedded", func(t *testing.T) { run(t, Fake(t)) })
	t.Run("real", func(t *testing.T) {
		if testing.Short() {
			t.Skip("a real broker takes seconds to start")
		}
		run(t, Real(t))
	})
}

const readyTimeout = 90 * time.Second

// waitReady returns when the broker answers as a member of its cluster, or
// when the process is gone.
func waitReady(t testing.TB, p *process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for !answers(ctx, p) {
		if out, gone := p.exited(); gone {
			t.Fatalf("kafkatest: the broker ended while starting:\n%s", out)
		}
		if ctx.Err() != nil {
			t.Fatalf("kafkatest: the broker did not answer within %s:\n%s", readyTimeout, p.output())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// answers tells whether the broker lists itself and the topics it was started
// with: a KRaft broker accepts connections some time before its controller lets
// it in, the embedded one before its topics are made.
func answers(ctx context.Context, p *process) bool {
	conn, err := net.DialTimeout("tcp", p.addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.addr), kgo.RequestRetries(0))
	if err != nil {
		return false
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, cl)
	return err == nil && len(resp.Brokers) == 1 && len(resp.Topics) >= p.topics
}

func local(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
