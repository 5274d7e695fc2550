package clickhouse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"go.uber.org/zap"

	"plumbline.dev/services/embedded/clickhouse/internal/server"
)

// childArg is the hidden first argument that makes the binary the engine's process.
const childArg = "__clickhouse"

// What the child inherits beside stdin, its line to the parent.
const (
	listenFD = 3 // the listening socket
	readyFD  = 4 // gets one line with the address, once the server answers
)

// drainTime is how long running queries may take to end after SIGTERM.
const drainTime = 10 * time.Second

// IsChild tells main and TestMain that this process is to be the child.
func IsChild(args []string) bool { return len(args) > 1 && args[1] == childArg }

// ChildMain is the child's whole life. It returns the exit code.
func ChildMain(_ []string) int {
	if err := runChild(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runChild() error {
	line := bufio.NewReader(os.Stdin)
	cfg, err := readConfig(line)
	if err != nil {
		return err
	}
	go dieWithParent(line)
	// The engine reads config.xml of the working directory; the data folder has none.
	if err := os.Chdir(cfg.Data); err != nil {
		return err
	}
	// The Go heap only holds buffers; most of the memory is the engine's.
	debug.SetGCPercent(50)
	cfg.Logger = zap.NewNop()
	s, err := server.Open(cfg)
	if err != nil {
		return err
	}
	// Go's handlers come after the engine's, which replaces some when it loads.
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE) // the parent decides
	ln, err := net.FileListener(os.NewFile(listenFD, "listener"))
	if err != nil {
		return fmt.Errorf("inherit the listening socket: %w", err)
	}
	return serve(stop, s, ln)
}

func serve(stop context.Context, s *server.Server, ln net.Listener) error {
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    1 << 20, // a query may come in the URL
	}
	var silent silent
	h.ConnState = silent.note
	h.RegisterOnShutdown(silent.close)
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(ln) }()
	ready := os.NewFile(readyFD, "ready")
	fmt.Fprintln(ready, ln.Addr())
	ready.Close()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := h.Shutdown(drain); errors.Is(err, context.DeadlineExceeded) {
		s.Kill()
		last, cancel := context.WithTimeout(context.Background(), drainTime/2)
		defer cancel()
		if err := h.Shutdown(last); err != nil {
			return errors.New("queries did not end in time")
		}
	}
	return s.Close()
}

func readConfig(r *bufio.Reader) (cfg server.Config, err error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return cfg, errors.New("this argument is for Plumbline itself: it starts the ClickHouse engine")
	}
	return cfg, json.Unmarshal(line, &cfg)
}

// dieWithParent ends the process when the parent is gone, however it went: the kernel closes its end of
// the pipe. Killing is as safe as any crash for the data, and gives its lock back at once.
func dieWithParent(line io.Reader) {
	_, _ = io.Copy(io.Discard, line)
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
}
