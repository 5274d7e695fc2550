package main

import (
	"bytes"
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

const config = `
data: %q
listen: { ingest: %q, console: %q, clickhouse: %q, kafka: %q }
integrations:
  - id: hubspot-salesforce
    source: { system: hubspot, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA }
    objects:
      - { name: contact, source: contact, target: Contact, key: { source: email, target: Email } }
`

// world is a broker and an engine, each a process of its own.
type world struct {
	bin, dir, config  string
	kafka, clickhouse string
	stores            *exec.Cmd
	enginePid, filled int
}

func newWorld(bin string) (*world, error) {
	dir, err := os.MkdirTemp("", "plumbline-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{bin: bin, dir: dir, config: filepath.Join(dir, "plumbline.yaml")}
	var addrs [4]string
	for i := range addrs {
		if addrs[i], err = freeAddr(); err != nil {
			return nil, err
		}
	}
	w.clickhouse, w.kafka = addrs[2], addrs[3]
	text := fmt.Sprintf(config, filepath.Join(dir, "data"), addrs[0], addrs[1], addrs[2], addrs[3])
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	if w.stores, err = w.start("up", "--roles", "kafka,clickhouse"); err != nil {
		return nil, err
	}
	err = await(time.Minute, func() (bool, error) {
		out, err := w.sql("SELECT count() FROM plumbline.schema_version")
		return err == nil && out != "0", nil
	})
	if err != nil {
		w.close()
		return nil, err
	}
	w.enginePid, err = childOf(w.stores.Process.Pid)
	return w, err
}

func (w *world) close() {
	if w.stores != nil {
		end(w.stores)
	}
	_ = os.RemoveAll(w.dir)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (w *world) start(args ...string) (*exec.Cmd, error) {
	log, err := os.OpenFile(filepath.Join(w.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(w.bin, append(args, "--config", w.config)...)
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, cmd.Start()
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}

// childOf finds the engine's process.
func childOf(pid int) (int, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for _, tasks := range []string{string(raw)} {
		if f := strings.Fields(tasks); len(f) > 0 {
			return strconv.Atoi(f[0])
		}
	}
	all, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, path := range all {
		if raw, err := os.ReadFile(path); err == nil && len(bytes.TrimSpace(raw)) > 0 {
			return strconv.Atoi(strings.Fields(string(raw))[0])
		}
	}
	return 0, fmt.Errorf("process %d has no child: where is the engine?", pid)
}

// cpu is user and system time used so far, in seconds.
func cpu(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // USER_HZ
}

// rss is resident memory in MiB.
func rss(pid int) float64 {
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func (w *world) sql(query string) (string, error) {
	resp, err := http.Post("http://"+w.clickhouse+"/?database=plumbline", "text/plain", strings.NewReader(query))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%d %s %w", resp.StatusCode, raw, err)
	}
	return strings.TrimSpace(string(raw)), nil
}
