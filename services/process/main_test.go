package process

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
)

// childEnv turns the test binary into a processor; it holds a childConfig.
const childEnv = "PLUMBLINE_PROCESS_CHILD"

type childConfig struct {
	Broker        string
	Fail          string // failpoint:count, the process kills itself there
	TrustLast     bool
	AcceptRepeats bool
	Verbose       bool
}

func TestMain(m *testing.M) {
	if raw := os.Getenv(childEnv); raw != "" {
		if err := runChild(raw); err != nil {
			fmt.Fprintln(os.Stderr, "processor:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	kafkatest.Main(m)
}

// runChild runs both stages until SIGTERM or until the parent is gone.
func runChild(raw string) error {
	var c childConfig
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // returns when the parent is gone
		stop()
	}()
	logger := zap.NewNop()
	if c.Verbose {
		logger, _ = zap.NewDevelopment()
	}
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for _, stage := range Stages(testIntegrations(), nil) {
		d := New(Options{
			Bus: bus.Options{Brokers: []string{c.Broker}, Logger: logger}, Stage: stage, ConfigHash: "test",
			CommitEvery: 20 * time.Millisecond, Logger: logger, Failpoint: failpoint(c.Fail),
			TrustLast: c.TrustLast, AcceptRepeats: c.AcceptRepeats,
		})
		wg.Go(func() {
			if err := d.Run(ctx); err != nil {
				errs <- err
				stop()
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// failpoint kills this very process, as kill -9 would, at the n-th passing of
// one instruction.
func failpoint(spec string) func(string) {
	name, count, _ := strings.Cut(spec, ":")
	left, _ := strconv.Atoi(count)
	var mu sync.Mutex
	return func(at string) {
		mu.Lock()
		defer mu.Unlock()
		if at != name {
			return
		}
		if left--; left <= 0 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

func testIntegrations() []config.Integration {
	return []config.Integration{
		{
			ID: "hs-sf", Tenant: "t1", Mode: config.Realtime, Attempts: config.AttemptsFull,
			Source:  config.Endpoint{System: "hubspot", Account: "62515"},
			Target:  config.Endpoint{System: "salesforce", Account: "00D", SyncUser: "005SYNC"},
			Objects: []config.Object{{Name: "contact", Source: "contact", Target: config.List[string]{"Contact"}}},
		},
		{ // the same source feeds a second integration: fan-out is part of the test
			ID: "hs-wh", Tenant: "t1", Mode: config.Batch,
			Source:  config.Endpoint{System: "hubspot", Account: "62515"},
			Target:  config.Endpoint{System: "warehouse"},
			Objects: []config.Object{{Name: "contact", Source: "contact", Target: config.List[string]{"contacts"}}},
		},
	}
}
