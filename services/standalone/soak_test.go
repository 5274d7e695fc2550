package standalone

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/loopback"
)

var (
	soakFor      = flag.Duration("soak.for", 0, "how long the soak lasts; half of it with kills, half to see that nothing grows")
	soakPause    = flag.Duration("soak.pause", 200*time.Millisecond, "between requests at most")
	soakProfiles = flag.String("soak.profiles", "", "folder for heap profiles of the second half")
)

// TestSoak lets the whole product work for hours. In the first half everything
// is killed, frozen or loses its engine again and again; in the second half
// nothing is, and neither memory nor descriptors nor goroutines may grow. In
// the end every accepted event is there once.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("hours long: make soak, or -soak.for 20m")
	}
	seed := *killFirst
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 68)) //nolint:gosec // traffic, no secret
	p, l := versionRun(t, t.TempDir())
	l.rng, l.pause = rng, *soakPause
	p.config.Admin = loopback.Addr(t)
	// Windows that fill in the first half, so that a leak is what still grows:
	// the broker's index of what it keeps, and the event ids.
	p.config.Config.Kafka.Retention = config.Duration(min(*soakFor/8, 10*time.Minute))
	p.config.MaxIDs = 20_000
	defer p.kill()
	p.start("", "")
	half := time.Now().Add(*soakFor / 2)
	for time.Now().Before(half) {
		soakFault(rng, p, l)
	}
	p.start("", "")
	l.traffic(time.Now().Add(*soakFor / 20)) // caches fill
	var seen []usage
	for end := half.Add(*soakFor / 2); time.Now().Before(end); {
		l.traffic(time.Now().Add(*soakFor / 100))
		u, ok := p.usage(t)
		require.True(t, ok, "the process ended: %s", p.out)
		seen = append(seen, u)
		if *soakProfiles != "" {
			p.profile(t, fmt.Sprintf("%03d", len(seen)))
		}
	}
	l.settle()
	p.stop()
	t.Logf("%d accepted of %d sent", len(l.accepted), len(l.sent))
	flat(t, seen)
}

// soakFault is half a minute of traffic with one mishap in it.
func soakFault(rng *rand.Rand, p *child, l *load) {
	l.traffic(time.Now().Add(time.Duration(2+rng.IntN(20)) * time.Second))
	point := fmt.Sprintf("%s:%d", killPoints[rng.IntN(len(killPoints))], 1+rng.IntN(40))
	switch rng.IntN(5) {
	case 0:
		p.kill()
		p.start("", "")
	case 1:
		p.start(point, "")
	case 2:
		p.start("", point)
	case 3:
		_ = p.cmd.Process.Signal(syscall.SIGSTOP)
		time.Sleep(time.Duration(1+rng.IntN(12)) * time.Second)
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
	}
	l.traffic(time.Now().Add(time.Duration(2+rng.IntN(8)) * time.Second))
	if !p.alive() {
		p.start("", "")
	}
}

func (p *child) alive() bool {
	select {
	case err := <-p.done:
		p.done <- err
		return false
	default:
		return true
	}
}

// usage is what a process holds. The engine's child is not in it.
type usage struct{ rss, fds, goroutines float64 }

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

func (p *child) usage(t *testing.T) (usage, bool) {
	proc := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	if err != nil {
		return usage{}, false
	}
	var u usage
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			u.rss, _ = strconv.ParseFloat(strings.Fields(kb)[0], 64)
		}
	}
	fds, err := os.ReadDir(filepath.Join(proc, "fd"))
	require.NoError(t, err)
	u.fds = float64(len(fds))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.config.Admin+"/metrics", nil)
	require.NoError(t, err)
	code, body := client{t: t}.do(req)
	m := goroutines.FindStringSubmatch(body)
	require.NotNil(t, m, "%d", code)
	u.goroutines, _ = strconv.ParseFloat(m[1], 64)
	return u, u.rss > 0
}

// profile keeps what the heap holds after a collection, for `go tool pprof -diff_base`.
func (p *child) profile(t *testing.T, name string) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.config.Admin+"/debug/pprof/heap?gc=1", nil)
	require.NoError(t, err)
	code, body := client{t: t}.do(req)
	require.Equal(t, http.StatusOK, code)
	require.NoError(t, os.MkdirAll(*soakProfiles, 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(*soakProfiles, name+".heap"), []byte(body), 0o600))
}

// flat holds the last third of what was seen against the first.
func flat(t *testing.T, seen []usage) {
	require.GreaterOrEqual(t, len(seen), 9)
	n := len(seen) / 3
	for _, m := range []struct {
		name  string
		of    func(usage) float64
		slack float64
	}{
		{"RSS in kB", func(u usage) float64 { return u.rss }, 1.15},
		{"open descriptors", func(u usage) float64 { return u.fds }, 1.05},
		{"goroutines", func(u usage) float64 { return u.goroutines }, 1.05},
	} {
		first, last := median(seen[:n], m.of), median(seen[len(seen)-n:], m.of)
		t.Logf("%s: %.0f, in the end %.0f", m.name, first, last)
		require.LessOrEqual(t, last, first*m.slack+10, "%s grow", m.name)
	}
}

func median(list []usage, of func(usage) float64) float64 {
	values := make([]float64, 0, len(list))
	for _, u := range list {
		values = append(values, of(u))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
