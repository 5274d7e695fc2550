package clickhouse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"plumbline.dev/services/embedded/clickhouse/internal/server"
)

// child is one process of the engine.
type child struct {
	cmd    *exec.Cmd
	line   io.WriteCloser // open as long as the child is to live
	exited chan struct{}
	err    error // how it ended; set before exited closes

	mu   sync.Mutex
	last string
}

// launch starts a child and waits for its line that it answers.
func (s *Server) launch(ctx context.Context) (*child, error) {
	readyR, readyW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer readyR.Close()
	c := &child{cmd: exec.Command(s.opts.command[0], s.opts.command[1:]...), exited: make(chan struct{})}
	c.cmd.ExtraFiles = []*os.File{s.socket, readyW} // listenFD, readyFD
	c.cmd.Env = childEnv(s.opts.Data)
	// Ctrl-C in a terminal goes to the whole group; the parent drains first and then stops the child.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = c.start(s.opts.Logger)
	readyW.Close()
	if err != nil {
		return nil, err
	}
	s.pid.Store(int64(c.cmd.Process.Pid))
	if err := s.handshake(ctx, c, readyR); err != nil {
		c.signal(syscall.SIGKILL)
		<-c.exited
		s.pid.Store(0)
		return nil, err
	}
	return c, nil
}

func (c *child) start(log *zap.Logger) error {
	var err error
	if c.line, err = c.cmd.StdinPipe(); err != nil {
		return err
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		return err
	}
	c.cmd.Stdout, c.cmd.Stderr = outW, outW
	err = c.cmd.Start()
	outW.Close()
	if err != nil {
		outR.Close()
		return err
	}
	read := make(chan struct{})
	go func() { defer close(read); c.relay(outR, log) }()
	go func() {
		<-read // its last words are complete
		c.err = c.cmd.Wait()
		c.line.Close()
		close(c.exited)
	}()
	return nil
}

// relay logs what the child prints and remembers the last line for an error.
func (c *child) relay(r io.ReadCloser, log *zap.Logger) {
	defer r.Close()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		log.Warn("ClickHouse child", zap.String("line", text))
		c.mu.Lock()
		c.last = text
		c.mu.Unlock()
	}
}

func (c *child) lastWords() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (c *child) signal(sig syscall.Signal) { _ = c.cmd.Process.Signal(sig) }

// handshake hands over the configuration, which may hold a password, and reads the address back.
func (s *Server) handshake(ctx context.Context, c *child, ready *os.File) error {
	cfg, err := json.Marshal(server.Config{
		Data: s.opts.Data, Library: s.opts.LibPath, Password: s.opts.Password, ReadOnly: s.opts.ReadOnly,
		Hosts: s.opts.Hosts, MaxMemory: s.opts.MaxMemory, MaxQueryMemory: s.opts.MaxQueryMemory,
		MaxQueries: s.opts.MaxQueries, Settings: s.opts.Settings,
		LockWait: s.opts.StartTimeout / 2, AliveToken: s.token,
	})
	if err != nil {
		return err
	}
	if _, err := c.line.Write(append(cfg, '\n')); err != nil {
		return fmt.Errorf("talk to the child: %w", err)
	}
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(ready).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case addr := <-answer:
		if addr == "" {
			c.signal(syscall.SIGKILL)
			<-c.exited
			return errors.New(first(c.lastWords(), "the child ended without a word"))
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.opts.StartTimeout):
		return fmt.Errorf("the child was not ready after %s", s.opts.StartTimeout)
	}
}

// childEnv leaves out everything of the parent's environment, secrets first of all; the engine looks
// for a configuration in HOME. Its clock is UTC wherever it runs: a time written without a zone, in a
// query or as a parameter of a view, would be another one on every machine.
func childEnv(data string) []string {
	env := []string{"HOME=" + data, "TZ=UTC"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "GOCOVERDIR"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
