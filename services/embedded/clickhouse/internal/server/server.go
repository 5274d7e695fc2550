package server

import (
	"context"
	"crypto/subtle"
	"io"
	"net/http"
	"os"
	"time"

	"go.uber.org/zap"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
)

// AlivePath answers the parent's heartbeat with the result of a real query.
const AlivePath = "/plumbline/alive"

// Server answers ClickHouse's HTTP interface.
type Server struct {
	cfg      Config
	engine   *engine
	slots    chan struct{} // of queries
	control  chan struct{} // of questions about queries, so that a full server can still be asked and cleared
	registry *registry
	sessions *sessions
	name     string
}

// Open loads the library and opens the data folder.
func Open(cfg Config) (*Server, error) {
	lib, err := chdb.Load(cfg.Library)
	if err != nil {
		return nil, err
	}
	e, err := openEngine(lib, cfg)
	if err != nil {
		return nil, err
	}
	name, _ := os.Hostname()
	return &Server{
		cfg: cfg, engine: e, name: name,
		slots:    make(chan struct{}, cfg.MaxQueries),
		control:  make(chan struct{}, 4),
		registry: &registry{by: map[string]*running{}},
		sessions: newSessions(),
	}, nil
}

// Version is the engine's.
func (s *Server) Version() string { return s.engine.version }

var (
	errKilled   = fail(codeCancelled, "Query was cancelled. (QUERY_WAS_CANCELLED)")
	errGone     = fail(codeNetwork, "The client closed the connection. (NETWORK_ERROR)")
	errReadOnly = fail(codeReadOnly, "default: Cannot execute query in readonly mode. (READONLY)")
	errStopped  = fail(codeCancelled, "The server is stopping. (QUERY_WAS_CANCELLED)")
)

// Kill ends every query, for a stop that waited long enough.
func (s *Server) Kill() { s.registry.killAll(errStopped) }

// Close stops the engine. All requests must be over.
func (s *Server) Close() error {
	s.sessions.close()
	return s.engine.close()
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := s.trusted(r); err != nil {
		newOutput(w, 0, false).fail(err, s.engine.version)
		return
	}
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		s.ok(w)
	case AlivePath:
		s.alive(w, r)
	case "/":
		s.query(w, r)
	default:
		http.Error(w, "There is no handle "+r.URL.Path+"\nUse / or /ping for health checks, or / with a query.", http.StatusNotFound)
	}
}

func (s *Server) ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = io.WriteString(w, "Ok.\n")
}

func (s *Server) alive(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(s.cfg.AliveToken)) != 1 {
		http.Error(w, "not for you", http.StatusForbidden)
		return
	}
	if err := s.engine.alive(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	s.ok(w)
}

func (s *Server) query(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "use GET or POST", http.StatusMethodNotAllowed)
		return
	}
	args := r.URL.Query()
	if r.Method != http.MethodPost && args.Get("query") == "" {
		s.ok(w)
		return
	}
	q, err := s.prepare(r, args)
	if err != nil {
		newOutput(w, 0, false).fail(err, s.engine.version)
		return
	}
	s.headers(w, q)
	out := newOutput(w, q.bufferSize, q.waitEnd)
	w.Header().Set("X-ClickHouse-Exception-Tag", out.tag)
	start := time.Now()
	stats, err := s.run(w, r, q, out)
	if err == nil {
		err = out.finish(stats)
	}
	if err != nil {
		s.cfg.Logger.Debug("query failed", zap.String("query_id", q.id), zap.Duration("after", time.Since(start)), zap.Error(err))
		out.fail(err, s.engine.version)
	}
}

func (s *Server) prepare(r *http.Request, args map[string][]string) (*request, error) {
	if err := s.authenticate(r, args); err != nil {
		return nil, err
	}
	return parseRequest(r, args, s.cfg.ReadOnly)
}

func (s *Server) headers(w http.ResponseWriter, q *request) {
	h := w.Header()
	h.Set("X-ClickHouse-Query-Id", q.id)
	h.Set("X-ClickHouse-Server-Display-Name", s.name)
	h.Set("X-ClickHouse-Timezone", s.timezone(q))
}

func (s *Server) timezone(q *request) string {
	for _, set := range q.settings {
		if set.Name == "session_timezone" && set.Value != "" {
			return set.Value
		}
	}
	return s.engine.timezone
}

// run gives the request its id, under which it is known from now on, and runs it.
func (s *Server) run(w http.ResponseWriter, r *http.Request, q *request, out *output) (chdb.Stats, error) {
	ctx, kill := context.WithCancelCause(context.Background())
	defer kill(nil)
	entry, err := s.registry.add(q.id, q.marker(), kill)
	if err != nil {
		return chdb.Stats{}, err
	}
	defer s.registry.remove(entry)
	body := newTimedBody(ctx, w, r.Body)
	defer body.close()
	x := &execution{s: s, ctx: ctx, kill: kill, q: q, r: r, out: out, body: body, entry: entry, leave: func() {}}
	defer func() { x.leave() }()
	return x.run()
}

// acquire waits for a slot until the client leaves or the query is killed.
func acquire(ctx, client context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
	default:
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-client.Done():
			return errGone
		case <-time.After(ioTimeout):
			return fail(codeTooManyQueries, "Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)")
		}
	}
	if client.Err() != nil {
		<-slots
		return errGone
	}
	return nil
}
