package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/internal/loopback"
)

// Each quickstart is walked as it is written: its shell blocks run in order in
// an empty folder, and what a block is said to print must come out of it.
func TestQuickstarts(t *testing.T) {
	files, err := filepath.Glob("../../../docs/quickstart/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			newReader(t).through(string(text))
		})
	}
}

var fence = regexp.MustCompile("(?ms)^```(sh background|sh|text)\n(.*?)^```$")

// reader is somebody who types what a page says.
type reader struct {
	t     *testing.T
	dir   string
	env   []string
	ports *strings.Replacer
	typed string // that later blocks build on: variables and functions
}

func newReader(t *testing.T) *reader {
	engine, err := clickhouse.FindLibrary("")
	require.NoError(t, err)
	engine, err = filepath.Abs(engine)
	require.NoError(t, err)
	bin := t.TempDir()
	require.NoError(t, os.Symlink(binary(t), filepath.Join(bin, "plumbline")))
	w := &reader{t: t, dir: t.TempDir()}
	w.env = append(os.Environ(), asBinary+"=1", "PLUMBLINE_ENGINE="+engine, "PATH="+bin+":"+os.Getenv("PATH"))
	hubspot, salesforce := loopback.Pair(t)
	w.ports = strings.NewReplacer("127.0.0.1:8090", hubspot, "127.0.0.1:8091", salesforce, "127.0.0.1:8080", loopback.Addr(t), "127.0.0.1:8081", loopback.Addr(t), "127.0.0.1:8123", loopback.Addr(t), "127.0.0.1:9092", loopback.Addr(t))
	return w
}

func (w *reader) through(text string) {
	blocks := fence.FindAllStringSubmatch(text, -1)
	require.NotEmpty(w.t, blocks)
	for i, b := range blocks {
		kind, body := b[1], w.ports.Replace(b[2])
		switch kind {
		case "text":
		case "sh background":
			w.background(body)
		default:
			want := ""
			if i+1 < len(blocks) && blocks[i+1][1] == "text" {
				want = blocks[i+1][2]
			}
			w.run(body, want)
		}
	}
}

// run runs a block until it prints what is expected. A block that posts is run
// once: what it says is final.
func (w *reader) run(body, want string) {
	pattern := expected(want)
	var out []byte
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
		cmd := w.shell(w.t.Context(), w.typed+body)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		var err error
		out, err = cmd.Output()
		if testing.Verbose() {
			w.t.Logf("%s%s", body, out)
		}
		once := strings.Contains(body, "/v1/") || want == ""
		if err == nil && pattern.Match(out) {
			break
		}
		if once || time.Now().After(deadline) {
			require.NoError(w.t, err, stderr.String())
			require.Regexp(w.t, pattern, string(out), body)
		}
	}
	w.remember(body)
}

// remember keeps what a shell keeps from line to line.
func (w *reader) remember(body string) {
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "export ") || strings.HasPrefix(line, "now=") || strings.HasPrefix(line, "id=") || strings.HasPrefix(line, "report()") || strings.HasPrefix(line, "write()") {
			w.typed += line
		}
	}
}

// expected makes a pattern of the lines of a page; … stands for anything, on a
// line of its own for any lines.
func expected(want string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(strings.TrimSpace(want))
	quoted = strings.ReplaceAll(quoted, "\n…\n", `[\s\S]*\n`)
	return regexp.MustCompile(strings.ReplaceAll(quoted, "…", ".*"))
}

func (w *reader) shell(ctx context.Context, body string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", body)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// background starts a block that stays, and waits until its door is open.
func (w *reader) background(body string) {
	addr := w.ports.Replace("127.0.0.1:8081")
	if m := listens.FindStringSubmatch(body); m != nil {
		addr = m[1]
	} else {
		w.moveDoors()
	}
	cmd := w.shell(context.Background(), w.typed+"exec "+body)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(w.t, cmd.Start())
	w.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		require.NoError(w.t, cmd.Wait(), out.String())
	})
	require.Eventually(w.t, func() bool {
		conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	}, 2*time.Minute, 100*time.Millisecond, "not up: %s", &out)
}

var listens = regexp.MustCompile(`--listen (\S+)`)

// moveDoors has the configuration listen where no other test does.
func (w *reader) moveDoors() {
	config := filepath.Join(w.dir, "plumbline.yaml")
	text, err := os.ReadFile(config)
	if !os.IsNotExist(err) {
		require.NoError(w.t, err)
	}
	if bytes.Contains(text, []byte("listen:")) {
		return
	}
	text = fmt.Appendf(text, "listen: { ingest: %q, console: %q, clickhouse: %q, kafka: %q }\n", w.ports.Replace("127.0.0.1:8081"),
		w.ports.Replace("127.0.0.1:8080"), w.ports.Replace("127.0.0.1:8123"), w.ports.Replace("127.0.0.1:9092"))
	require.NoError(w.t, os.WriteFile(config, text, 0o600))
}
