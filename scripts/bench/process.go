package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	secret    = "bench-hook-secret"
	publicURL = "https://hooks.example.com/hooks/hubspot-main"
)

const configYAML = `
data: %q
listen: { ingest: %q, console: %q, clickhouse: %q, kafka: %q }
hooks:
  - { id: hubspot-main, source: hubspot, secrets: [env:BENCH_SECRET], public_url: %q }
integrations:
  - id: hubspot-salesforce
    source: { system: hubspot, hook: hubspot-main, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA }
    objects:
      - { name: contact, source: contact, target: Contact, key: { source: email, target: Email } }
`

// bench is one data folder and the addresses of its servers.
type bench struct {
	bin, dir, config                  string
	ingest, console, clickhouse, logs string
	stop                              []*proc
	ingested                          int
}

func newBench(bin string) (*bench, error) {
	dir, err := os.MkdirTemp("", "plumbline-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{bin: bin, dir: dir, config: filepath.Join(dir, "plumbline.yaml"), logs: filepath.Join(dir, "log")}
	var addrs [4]string
	for i := range addrs {
		if addrs[i], err = freeAddr(); err != nil {
			return nil, err
		}
	}
	b.ingest, b.console, b.clickhouse = addrs[0], addrs[1], addrs[2]
	yaml := fmt.Sprintf(configYAML, filepath.Join(dir, "data"), addrs[0], addrs[1], addrs[2], addrs[3], publicURL)
	return b, os.WriteFile(b.config, []byte(yaml), 0o600)
}

func (b *bench) close() {
	for i := len(b.stop) - 1; i >= 0; i-- {
		b.stop[i].end()
	}
	_ = os.RemoveAll(b.dir)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// proc is one running role.
type proc struct {
	cmd   *exec.Cmd
	admin string
	done  chan struct{}
}

// start runs a command of the binary and waits until its health answers.
func (b *bench) start(args ...string) (*proc, error) {
	p := &proc{done: make(chan struct{})}
	args = append(args, "--config", b.config)
	health := b.ingest
	if args[0] != "up" {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		p.admin, health = addr, addr
		args = append(args, "--admin-addr", addr, "--instance", "bench")
	}
	log, err := os.OpenFile(b.logs, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(b.bin, args...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), "BENCH_SECRET="+secret)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	b.stop = append(b.stop, p)
	if len(args) > 2 && args[1] == "--roles" { // the stores alone have no health of their own
		health = b.clickhouse
	}
	return p, b.awaitHealth(p, health)
}

func (b *bench) awaitHealth(p *proc, addr string) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		select {
		case <-p.done:
			return fmt.Errorf("%s ended; its log: %s", strings.Join(p.cmd.Args, " "), tail(b.logs))
		default:
		}
		for _, path := range []string{"/healthz", "/ping"} {
			if resp, err := http.Get("http://" + addr + path); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
	}
	return fmt.Errorf("%s did not get healthy; its log: %s", strings.Join(p.cmd.Args, " "), tail(b.logs))
}

func tail(path string) string {
	raw, _ := os.ReadFile(path)
	return string(raw[max(0, len(raw)-2000):])
}

func (p *proc) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// cpu is user and system time used so far, in seconds.
func (p *proc) cpu() float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // USER_HZ
}

// rss is resident memory in MiB.
func (p *proc) rss() float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// metric sums a metric's samples that carry the label text.
func (p *proc) metric(name, label string) float64 {
	resp, err := http.Get("http://" + p.admin + "/metrics")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	sum := 0.0
	for line := range strings.Lines(string(raw)) {
		if strings.HasPrefix(line, name) && strings.Contains(line, label) {
			f := strings.Fields(line)
			v, _ := strconv.ParseFloat(f[len(f)-1], 64)
			sum += v
		}
	}
	return sum
}
