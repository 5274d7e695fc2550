package server

import (
	"context"
	"strings"
	"sync"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

// running is one request from its first byte to its answer, queued or not.
type running struct {
	id, marker string
	started    time.Time
	sql        string // guarded by registry.mu
	kill       context.CancelCauseFunc
	done       chan struct{}
}

// registry knows the requests by the client's id. A second one with the id of a running one is refused:
// a client that retries under the same id can be sure that the first is over.
type registry struct {
	mu sync.Mutex
	by map[string]*running
}

func (g *registry) add(id, marker string, kill context.CancelCauseFunc) (*running, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.by[id] != nil {
		return nil, fail(codeSameQueryID, "Query with id = "+id+" is already running. (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)")
	}
	r := &running{id: id, marker: marker, started: time.Now(), kill: kill, done: make(chan struct{})}
	g.by[id] = r
	return r, nil
}

func (g *registry) remove(r *running) {
	g.mu.Lock()
	delete(g.by, r.id)
	g.mu.Unlock()
	close(r.done)
}

func (g *registry) describe(r *running, sql string) {
	g.mu.Lock()
	r.sql = sql
	g.mu.Unlock()
}

func (g *registry) get(id string) *running {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.by[id]
}

func (g *registry) killAll(cause error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.by {
		r.kill(cause)
	}
}

// clientID is the client's query id in a row of system.processes.
const clientID = `if(startsWith(Settings['log_comment'], 'query_id='), ` +
	`substring(splitByChar('\n', Settings['log_comment'])[1], 10), query_id)`

// processes stands in for system.processes: the engine's rows under the clients' ids, and the requests
// that wait for a slot or whose data has not arrived yet. An INSERT that may still run is always listed.
func (g *registry) processes() string {
	replace := "REPLACE (" + clientID + " AS query_id, " + clientID + " AS initial_query_id)"
	rows := make([]string, 0, 8)
	g.mu.Lock()
	for _, r := range g.by {
		rows = append(rows, "("+sqltext.Quote(r.id)+","+sqltext.Quote(cut(r.sql, 4096))+")")
	}
	g.mu.Unlock()
	engineRows := "SELECT * " + replace + " FROM system.processes"
	if len(rows) == 0 {
		return "(" + engineRows + ")"
	}
	return "(" + engineRows + " UNION ALL SELECT p.* REPLACE (w.1 AS query_id, w.1 AS initial_query_id, w.2 AS query)" +
		" FROM (SELECT * FROM system.processes LIMIT 1) AS p ARRAY JOIN [" + strings.Join(rows, ",") + "] AS w" +
		" WHERE w.1 NOT IN (SELECT " + clientID + " FROM system.processes))"
}

func cut(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
