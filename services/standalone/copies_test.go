package standalone

import (
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	schema "plumbline.dev/schemas/clickhouse"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/kafkatest"
	"plumbline.dev/services/internal/loopback"
)

// Two copies of each role on a real broker, under load. One after the other is
// stopped in order and started anew, as a rolling upgrade does it; then one
// after the other is killed. Partitions move each time, and in the end every
// accepted event is there once.
func TestTwoCopiesOfEachRole(t *testing.T) {
	if testing.Short() {
		t.Skip("a real broker and seven processes")
	}
	f := newFleet(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, c := range f.copies {
			f.replace(c, sig)
		}
	}
	f.load.settle()
	for _, c := range f.copies {
		c.stop()
	}
	f.stores.stop()
	t.Logf("%d accepted of %d sent", len(f.load.accepted), len(f.load.sent))
}

type fleet struct {
	t      *testing.T
	load   *load
	stores *child
	copies []*child
}

func newFleet(t *testing.T) *fleet {
	cfg := testConfig(t)
	cfg.Kafka = config.Kafka{Brokers: []string{kafkatest.Real(t).Addr()}, Partitions: 4}
	cfg.Listen.ClickHouse = loopback.Addr(t)
	f := &fleet{t: t}
	f.stores = f.run(cfg, "stores", ClickHouse)
	f.load = &load{
		rng: rand.New(rand.NewPCG(*killFirst, 2)), c: client{t, "", cfg.Listen.ClickHouse}, //nolint:gosec // traffic, no secret
		sent: map[string]bool{}, accepted: map[string]bool{},
	}
	files, err := schema.Files()
	require.NoError(t, err)
	f.load.c.eventually(strconv.Itoa(len(files)), "SELECT max(version) FROM schema_version") // topics and tables are there
	for _, role := range []Role{Ingest, Process, Sink} {
		for _, name := range []string{"a", "b"} {
			own := *cfg
			own.Listen.Ingest = loopback.Addr(t)
			f.copies = append(f.copies, f.run(&own, name, role))
		}
	}
	return f
}

func (f *fleet) run(cfg *config.Config, name string, role Role) *child {
	c := &child{t: f.t, config: childConfig{Data: f.t.TempDir(), Config: cfg, Verbose: *killLog, Roles: []Role{role}, Instance: name, Admin: loopback.Addr(f.t)}}
	f.t.Cleanup(c.kill)
	c.start("", "")
	f.open(c.config.Admin) // it hears signals from now on
	return c
}

// replace ends a copy while traffic goes to a door that stays, and starts it anew.
func (f *fleet) replace(c *child, sig syscall.Signal) {
	f.load.c.ingest = f.door(c)
	var ending errgroup.Group
	ending.Go(func() error { return c.end(sig) })
	f.load.traffic(time.Now().Add(1200 * time.Millisecond))
	if err := ending.Wait(); sig == syscall.SIGTERM {
		require.NoError(f.t, err, c.out.String())
	}
	c.start("", "")
	f.load.traffic(time.Now().Add(800 * time.Millisecond))
	f.open(c.config.Admin)
}

// door is the address of an ingest copy that is not the given one.
func (f *fleet) door(not *child) string {
	for _, c := range f.copies {
		if c != not && c.config.Roles[0] == Ingest {
			f.open(c.config.Config.Listen.Ingest)
			return c.config.Config.Listen.Ingest
		}
	}
	return ""
}

// open waits until somebody listens.
func (f *fleet) open(addr string) {
	require.Eventually(f.t, func() bool {
		conn, err := new(net.Dialer).DialContext(f.t.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 3*time.Minute, 50*time.Millisecond, addr)
}
