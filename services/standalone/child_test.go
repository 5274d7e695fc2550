package standalone

import (
	"cmp"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/config"
)

// childEnv turns the test binary into a standalone process; it holds a
// childConfig.
const childEnv = "PLUMBLINE_STANDALONE_CHILD"

type childConfig struct {
	Data       string
	Config     *config.Config
	Fail       string // failpoint:count, the whole process dies there
	FailEngine string // failpoint:count, the engine dies a moment after it
	Verbose    bool
	Admin      string // host:port of metrics
	Roles      []Role // none: all
	Instance   string
	MaxIDs     int // event ids that a partition remembers
}

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
	log := zap.NewNop()
	if c.Verbose {
		log, _ = zap.NewDevelopment()
	}
	var app atomic.Pointer[App]
	own, engine := after(c.Fail), after(c.FailEngine)
	if len(c.Roles) == 0 {
		c.Roles = AllRoles
	}
	a, err := Start(ctx, Options{
		Config: c.Config, Data: c.Data, Roles: c.Roles, Migrate: slices.Contains(c.Roles, ClickHouse), Instance: cmp.Or(c.Instance, "0"), Logger: log,
		CommitEvery: 20 * time.Millisecond, AdminAddr: c.Admin, MaxIDs: c.MaxIDs,
		Failpoint: func(name string) {
			if own(name) {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			if engine(name) && app.Load() != nil {
				pid := app.Load().EnginePid()
				time.AfterFunc(time.Duration(rand.IntN(20))*time.Millisecond, func() { //nolint:gosec // any moment will do
					_ = syscall.Kill(pid, syscall.SIGKILL)
				})
			}
		},
	})
	if err != nil {
		return err
	}
	app.Store(a)
	select {
	case <-ctx.Done():
	case err = <-a.Failed():
	}
	if stopErr := a.Stop(); err == nil {
		err = stopErr
	}
	return err
}

// after reports true at the n-th passing of "name:n".
func after(spec string) func(string) bool {
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
