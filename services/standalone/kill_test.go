package standalone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/loopback"
)

var (
	killSeeds = flag.Int("kill.seeds", 2, "seeds of the kill suite")
	killFirst = flag.Uint64("kill.first", 1, "first seed")
	killLog   = flag.Bool("kill.v", false, "show the process's log")
)

// killPoints are the instructions where a crash hurts, from intake to the row.
var killPoints = []string{
	"process_after_poll", "process_before_commit", "process_after_commit", "process_in_restore",
	"sink_before_intent", "sink_after_intent", "sink_before_insert", "sink_after_insert", "sink_before_commit",
	"sink_after_commit",
}

// TestKilledAnywhere kills everything at once, broker and engine included, or
// the engine alone, also in the middle of an INSERT. Every event that was
// answered 2xx is in ClickHouse once, and has one delivery.
func TestKilledAnywhere(t *testing.T) {
	for i := range *killSeeds {
		seed := *killFirst + uint64(i)
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) { killRun(t, seed) })
	}
}

func killRun(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 3))
	cfg := testConfig(t)
	for _, addr := range []*string{&cfg.Listen.Ingest, &cfg.Listen.Kafka, &cfg.Listen.ClickHouse, &cfg.Listen.Console} {
		*addr = loopback.Addr(t)
	}
	l := &load{
		rng: rng, c: client{t, cfg.Listen.Ingest, cfg.Listen.ClickHouse},
		sent: map[string]bool{}, accepted: map[string]bool{},
	}
	p := &child{t: t, config: childConfig{Data: t.TempDir(), Config: cfg, Verbose: *killLog}}
	defer p.kill()
	for range 4 {
		point := fmt.Sprintf("%s:%d", killPoints[rng.IntN(len(killPoints))], 1+rng.IntN(8))
		if rng.IntN(2) == 0 {
			p.start(point, "")
		} else {
			p.start("", point)
		}
		l.traffic(time.Now().Add(time.Duration(800+rng.IntN(1200)) * time.Millisecond))
		if rng.IntN(3) > 0 {
			p.kill()
		}
	}
	p.kill()
	p.start("", "")
	l.settle()
	p.stop()
	t.Logf("%d accepted of %d sent", len(l.accepted), len(l.sent))
}

// load posts changes and remembers what was answered 2xx. What got no answer
// is sent again, under the same id, as vendors do.
type load struct {
	rng            *rand.Rand
	c              client
	n              int
	pause          time.Duration // between requests at most; 0: 30 ms
	sent, accepted map[string]bool
	waiting        []map[string]any
}

func (l *load) traffic(until time.Time) {
	for time.Now().Before(until) {
		batch := l.waiting
		for range 1 + l.rng.IntN(30) {
			l.n++
			id := fmt.Sprintf("c%06d", l.n)
			l.sent[id] = true
			batch = append(batch, map[string]any{
				"id": id, "system": "hubspot", "object": "contact", "record_id": fmt.Sprint(1 + l.rng.IntN(50)),
				"operation": "update", "changed_at": time.Now().UnixMilli(), "integration": "hubspot-salesforce",
				"fields": map[string]any{"lifecyclestage": id},
			})
		}
		l.post(batch)
		time.Sleep(time.Duration(l.rng.Int64N(int64(cmp.Or(l.pause, 30*time.Millisecond)))))
	}
}

func (l *load) post(batch []map[string]any) {
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(l.c.t.Context(), 3*time.Second)
	defer cancel()
	code, answer := l.c.send(ctx, "changes", batch)
	if code != http.StatusAccepted {
		l.waiting = batch
		return
	}
	require.Contains(l.c.t, answer, fmt.Sprintf(`"accepted":%d`, len(batch)))
	l.waiting = nil
	for _, b := range batch {
		l.accepted[b["id"].(string)] = true
	}
}

// settle sends what is still waiting, and waits until every table agrees with
// what was accepted, exactly.
func (l *load) settle() {
	t := l.c.t
	var last string
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		l.post(l.waiting)
		if last = l.compare(); last == "" {
			time.Sleep(700 * time.Millisecond) // nothing may be added later either
			require.Empty(t, l.compare())
			return
		}
	}
	require.Empty(t, last)
}

func (l *load) compare() string {
	if len(l.waiting) > 0 {
		return "events still wait for an answer"
	}
	for _, q := range []string{
		"SELECT event_id FROM changes", "SELECT change_id FROM deliveries",
	} {
		rows, err := l.c.sql(q)
		if err != nil {
			return err.Error()
		}
		if diff := l.differs(strings.Fields(rows)); diff != "" {
			return q + ": " + diff
		}
	}
	return ""
}

func (l *load) differs(ids []string) string {
	seen := map[string]int{}
	for _, id := range ids {
		seen[id]++
		if !l.sent[id] {
			return "invented " + id
		}
		if seen[id] > 1 {
			return "twice " + id
		}
	}
	missing := 0
	example := ""
	for id := range l.accepted {
		if seen[id] == 0 {
			missing++
			example = id
		}
	}
	if missing > 0 {
		return fmt.Sprintf("%d of %d accepted are missing, for one %s", missing, len(l.accepted), example)
	}
	return ""
}

// child is a whole standalone process in a child of the test.
type child struct {
	t      *testing.T
	config childConfig
	cmd    *exec.Cmd
	life   io.Closer
	done   chan error
	out    *bytes.Buffer
}

func (p *child) start(fail, failEngine string) {
	p.kill()
	p.config.Fail, p.config.FailEngine = fail, failEngine
	raw, err := json.Marshal(p.config)
	require.NoError(p.t, err)
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this very test binary
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	p.life, err = cmd.StdinPipe()
	require.NoError(p.t, err)
	p.out = &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if p.config.Verbose {
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	}
	require.NoError(p.t, cmd.Start())
	done := make(chan error, 1)
	p.cmd, p.done = cmd, done
	go func() { done <- cmd.Wait() }()
}

func (p *child) end(sig syscall.Signal) error {
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(sig)
	var err error
	select {
	case err = <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		err = fmt.Errorf("did not end on %s: %w", sig, <-p.done)
	}
	_ = p.life.Close()
	p.cmd = nil
	return err
}

func (p *child) kill() { _ = p.end(syscall.SIGKILL) }

// stop demands an orderly end with exit code 0.
func (p *child) stop() {
	require.NoError(p.t, p.end(syscall.SIGTERM), p.out.String())
}
