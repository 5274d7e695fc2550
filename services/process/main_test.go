package process

import (
	"context"
	"encoding/json"
	"flag"
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
	Tell          string // failpoint:count, the process tells its parent there
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
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("4") // they wait for brokers to come and members to go, and hardly compute
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
	fail, tell := nth(c.Fail), nth(c.Tell)
	failpoint := func(name string) {
		if tell(name) {
			fmt.Println(told)
		}
		if fail(name) { // as kill -9 would, at this very instruction
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for _, stage := range Stages(StageOptions{Integrations: testIntegrations()}) {
		d := New(Options{
			Bus: bus.Options{Brokers: []string{c.Broker}, Logger: logger}, Stage: stage, ConfigHash: "test",
			CommitEvery: 20 * time.Millisecond, Logger: logger, Failpoint: failpoint,
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

// told is the line by which a child tells that it passed a failpoint.
const told = "told"

// nth reports true at the n-th passing of "name:n".
func nth(spec string) func(string) bool {
	name, count, _ := strings.Cut(spec, ":")
	left, _ := strconv.Atoi(count)
	var mu sync.Mutex
	return func(at string) bool {
		if at != name {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		left--
		return left == 0
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
