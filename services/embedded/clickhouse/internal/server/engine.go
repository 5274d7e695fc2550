// Package server is ClickHouse's HTTP interface on the embedded engine.
package server

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

// PinnedVersion is the line of the engine in deploy/engine; another one behaves differently.
const PinnedVersion = "26.7."

// engine opens connections. Every request gets one of its own: it costs less than a millisecond, and
// settings, temporary tables and parameters of one request cannot reach another.
type engine struct {
	lib  *chdb.Lib
	args []string // what every connection starts with

	mu      sync.Mutex // a connection runs one statement at a time
	control *chdb.Conn // kills queries; being open also keeps the engine up

	version, timezone string
}

// openEngine boots the engine on a data folder. It waits for a predecessor's lock on the folder.
func openEngine(lib *chdb.Lib, cfg Config) (*engine, error) {
	e := &engine{lib: lib, args: connectionArgs(cfg)}
	boot := append([]string{"--max_server_memory_usage=" + strconv.FormatInt(cfg.MaxMemory, 10)}, e.args...)
	deadline := time.Now().Add(cfg.LockWait)
	for {
		var err error
		if e.control, err = lib.Connect(boot...); err == nil {
			break
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("open %s: %w", cfg.Data, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	out, _, err := e.control.Query("SELECT version(), timezone()", "TSV")
	if err != nil {
		return nil, err
	}
	e.version, e.timezone, _ = strings.Cut(strings.TrimSpace(string(out)), "\t")
	if !strings.HasPrefix(e.version, PinnedVersion) {
		return nil, fmt.Errorf("the ClickHouse engine is version %s instead of %sx: run `make engine`", e.version, PinnedVersion)
	}
	return e, nil
}

// connectionArgs undo the defaults that suit a command-line tool and not a server.
func connectionArgs(cfg Config) []string {
	args := []string{
		"--path=" + cfg.Data,
		"--implicit_select=0",
		"--allow_introspection_functions=0",
		"--storage_file_read_method=pread",
		// An asynchronous insert would be acknowledged before it is a part.
		"--async_insert=0",
		"--optimize_and_compare_chain=0", // hashes all that lies under each AND: a fifth of planning a deep view
		"--max_memory_usage=" + strconv.FormatInt(cfg.MaxQueryMemory, 10),
	}
	for name, value := range cfg.Settings {
		args = append(args, "--"+name+"="+value)
	}
	return args
}

func (e *engine) connect(args ...string) (*chdb.Conn, error) {
	return e.lib.Connect(append(append([]string(nil), e.args...), args...)...)
}

// kill stops the query that carries the comment; none is fine, it may not have started or be gone.
func (e *engine) kill(comment string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _, _ = e.control.Query("KILL QUERY WHERE Settings['log_comment'] = "+sqltext.Quote(comment)+" ASYNC", "Null")
}

// alive proves that the engine still answers; it needs no slot, so a busy server is not a dead one.
func (e *engine) alive() error {
	conn, err := e.connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	_, _, err = conn.Query("SELECT 1", "TSV")
	return err
}

func (e *engine) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.control.Close()
	return e.lib.Shutdown()
}
