package process

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
)

var (
	killSeeds  = flag.Int("kill.seeds", 2, "seeds of the kill suite on each broker; one of them by default on the real one")
	killFirst  = flag.Uint64("kill.first", 1, "first seed")
	killBroker = flag.String("kill.broker", "all", "embedded, torn, real or all")
	killSlow   = flag.Bool("kill.slow", false, "also what takes half a minute each: a zombie, a troubled link to a real broker")
	killLog    = flag.Bool("kill.v", false, "show the processors' logs")
)

// TestKilledAnywhere kills processors and broker, at chosen instructions and
// at random moments, and holds the outputs against an undisturbed fold.
func TestKilledAnywhere(t *testing.T) {
	for _, kind := range []string{"embedded", "torn", "real"} {
		if *killBroker != "all" && *killBroker != kind {
			continue
		}
		seeds := *killSeeds
		if kind == "real" && flag.Lookup("kill.seeds").DefValue == flag.Lookup("kill.seeds").Value.String() {
			seeds = 1 // its restarts take most of the time
		}
		for i := range seeds {
			seed := *killFirst + uint64(i)
			t.Run(fmt.Sprintf("%s/seed-%d", kind, seed), func(t *testing.T) {
				if kind != "torn" { // those aim at an instant, and have the machine for themselves
					t.Parallel()
				}
				n, err := killRun(t, kind, seed, childConfig{})
				require.NoError(t, err)
				t.Logf("%d outputs compared", n)
			})
		}
	}
}

func startBroker(t *testing.T, kind string) kafkatest.Broker {
	switch kind {
	case "real":
		return kafkatest.Real(t)
	case "torn":
		dir := t.TempDir()
		return tornBroker{kafkatest.FakeAt(t, dir), dir}
	}
	return kafkatest.Fake(t)
}

// killRun is one seed: traffic, kills, rest, comparison.
func killRun(t *testing.T, kind string, seed uint64, child childConfig) (int, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	b := startBroker(t, kind)
	topics, err := bus.ApplyTopics(ctx, bus.Options{Brokers: []string{b.Addr()}}, 2, 1)
	require.NoError(t, err)
	l, err := newLoad(b.Addr(), topics, seed)
	require.NoError(t, err)
	defer l.close()
	rng := rand.New(rand.NewPCG(seed, 1))
	child.Broker, child.Verbose = b.Addr(), *killLog
	p := &processor{t: t, config: child}
	defer p.kill()
	for range 4 {
		if kind == "torn" {
			tear(ctx, rng, l, p, b.(tornBroker))
			continue
		}
		p.start(randomFailpoint(rng))
		for range 3 + rng.IntN(3) {
			l.burst(ctx, 20)
			time.Sleep(time.Duration(rng.IntN(80)) * time.Millisecond)
		}
		switch rng.IntN(3) {
		case 0:
			p.kill()
		case 1:
			b.Kill()
			b.Restart()
		default:
			b.Kill()
			p.kill()
			b.Restart()
		}
		l.burst(ctx, 5)
	}
	p.kill()
	p.start("")
	return settle(ctx, b.Addr(), topics, l, p)
}

func randomFailpoint(rng *rand.Rand) string {
	names := []string{"", FailAfterPoll, FailBeforeCommit, FailAfterCommit, FailInRestore}
	return fmt.Sprintf("%s:%d", names[rng.IntN(len(names))], 1+rng.IntN(12))
}

// settle waits until nothing moves any more and compares.
func settle(ctx context.Context, addr string, topics bus.Topics, l *load, p *processor) (int, error) {
	log, err := bus.NewChangelog(bus.Options{Brokers: []string{addr}})
	if err != nil {
		return 0, err
	}
	defer log.Close()
	l.burst(ctx, 1) // a last tick past everything
	n, err := 0, error(nil)
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		if gone, out := p.gone(); gone {
			return 0, fmt.Errorf("processor ended: %s", out)
		}
		if err := awaitRest(ctx, log, topics); err != nil {
			return 0, err
		}
		n, err = checkAll(ctx, log, topics, l)
		if err == nil {
			return n, nil
		}
		time.Sleep(500 * time.Millisecond)
		if time.Since(p.started) > p.patience() {
			break
		}
	}
	return n, err
}

func awaitRest(ctx context.Context, log *bus.Changelog, topics bus.Topics) error {
	var last []int64
	for rest := 0; rest < 3; {
		now, err := ends(ctx, log, topics)
		if err != nil {
			return err
		}
		if slices.Equal(now, last) {
			rest++
		} else {
			rest = 0
		}
		last = now
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

func checkAll(ctx context.Context, log *bus.Changelog, topics bus.Topics, l *load) (int, error) {
	total := 0
	for _, s := range Stages(StageOptions{Integrations: testIntegrations()}) {
		n, err := checkStage(ctx, log, topics, s)
		if err != nil {
			return 0, fmt.Errorf("stage %s: %w", s.Name, err)
		}
		total += n
	}
	return total, checkAccepted(ctx, log, topics, l)
}

// processor is a child process that runs both stages.
type processor struct {
	t       *testing.T
	config  childConfig
	cmd     *exec.Cmd
	life    io.Closer
	done    chan struct{}
	out     *bytes.Buffer
	told    chan struct{}
	started time.Time
}

func (p *processor) start(fail string) {
	p.kill()
	p.config.Fail = fail
	raw, err := json.Marshal(p.config)
	require.NoError(p.t, err)
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this very test binary
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	p.life, err = cmd.StdinPipe()
	require.NoError(p.t, err)
	p.out, p.told = &bytes.Buffer{}, make(chan struct{}, 1)
	cmd.Stderr = p.out
	if p.config.Verbose {
		cmd.Stderr = os.Stderr
	}
	said, err := cmd.StdoutPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, cmd.Start())
	go func(heard chan<- struct{}) {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if lines.Text() == told {
				heard <- struct{}{}
			}
		}
	}(p.told)
	done := make(chan struct{})
	p.cmd, p.done, p.started = cmd, done, time.Now()
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
}

// patience is how long outputs may take to get complete. Without a protection
// they never do, so that is soon believed.
func (p *processor) patience() time.Duration {
	if p.config.TrustLast || p.config.AcceptRepeats {
		return 8 * time.Second
	}
	return 40 * time.Second
}

func (p *processor) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
	_ = p.life.Close()
	p.cmd = nil
}

// freeze and wake stop the processor where it stands, and let it go on.
func (p *processor) freeze() { require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGSTOP)) }
func (p *processor) wake()   { require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGCONT)) }

func (p *processor) gone() (bool, string) {
	select {
	case <-p.done:
		return true, p.out.String()
	default:
		return false, ""
	}
}
