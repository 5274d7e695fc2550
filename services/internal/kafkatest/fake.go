package kafkatest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/internal/loopback"
)

// childEnv turns the test binary into a broker; it holds a fakeConfig.
const childEnv = "PLUMBLINE_KAFKATEST_BROKER"

type fakeConfig struct {
	Data   string
	Listen string
	Topics []kafka.TopicSpec
}

// Main runs a package's tests, or the embedded broker when the binary was
// started again to be one.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Run is Main for a package that has something to look at in the end. In the
// process of a broker it does not return.
func Run(m *testing.M) int {
	if cfg := os.Getenv(childEnv); cfg != "" {
		if err := runFake(cfg); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	stopShared()
	return code
}

// Fake starts the embedded broker in a process of its own, on disk, with the
// given topics. It ends with the test.
func Fake(t testing.TB, topics ...kafka.TopicSpec) Broker {
	t.Helper()
	return FakeAt(t, t.TempDir(), topics...)
}

// FakeAt is Fake on a folder of the test's choice, which it may damage
// between a Stop and a Restart.
func FakeAt(t testing.TB, data string, topics ...kafka.TopicSpec) Broker {
	t.Helper()
	addr := loopback.Addr(t)
	cfg, err := json.Marshal(fakeConfig{Data: data, Listen: addr, Topics: topics})
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	p := &process{t: t, addr: addr, topics: len(topics), start: func() *exec.Cmd {
		cmd := exec.Command(os.Args[0]) //nolint:gosec // this very test binary
		cmd.Env = append(os.Environ(), childEnv+"="+string(cfg))
		return cmd
	}}
	t.Cleanup(p.Stop)
	p.run()
	return p
}

// runFake serves until it is told to stop or its parent is gone.
func runFake(raw string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ctx, gone := context.WithCancel(ctx)
	defer gone()
	go func() {
		_, _ = os.NewFile(3, "life").Read(make([]byte, 1)) // returns when the parent is gone
		gone()
	}()
	var cfg fakeConfig
	if err := json.Unmarshal([]byte(raw), &cfg); err != nil {
		return fmt.Errorf("kafkatest: %s: %w", childEnv, err)
	}
	b, err := kafka.Start(kafka.Options{
		Data: cfg.Data, Listen: cfg.Listen, Topics: cfg.Topics,
		MinFreeBytes: 1, // a test machine's disk is not the test
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return b.Stop(context.Background())
}
