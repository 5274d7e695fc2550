package server

import (
	"strings"
	"sync"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

// maxSessions bounds the connections that clients keep; the longest unused one gives way.
const maxSessions = 256

// session is a connection kept between requests, with its SET values and temporary tables.
type session struct {
	conn    *chdb.Conn
	busy    bool
	expires time.Time
}

type sessions struct {
	mu   sync.Mutex
	by   map[string]*session
	stop chan struct{}
	over chan struct{}
}

func newSessions() *sessions {
	g := &sessions{by: map[string]*session{}, stop: make(chan struct{}), over: make(chan struct{})}
	go g.expire()
	return g
}

func (g *sessions) expire() {
	defer close(g.over)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-g.stop:
			return
		case now := <-tick.C:
			g.drop(func(s *session) bool { return now.After(s.expires) })
		}
	}
}

func (g *sessions) drop(which func(*session) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, s := range g.by {
		if !s.busy && which(s) {
			s.conn.Close()
			delete(g.by, id)
		}
	}
}

func (g *sessions) close() {
	close(g.stop)
	<-g.over
	g.drop(func(*session) bool { return true })
}

// take gives a session to one request.
func (g *sessions) take(id string, mustExist bool, open func() (*chdb.Conn, error)) (*session, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.by[id]
	if s == nil {
		if mustExist {
			return nil, fail(codeSessionMissing, "Session "+id+" not found. (SESSION_NOT_FOUND)")
		}
		g.makeRoom()
		conn, err := open()
		if err != nil {
			return nil, err
		}
		s = &session{conn: conn}
		g.by[id] = s
	}
	if s.busy {
		return nil, fail(codeSessionLocked, "Session "+id+" is locked by a concurrent client. (SESSION_IS_LOCKED)")
	}
	s.busy = true
	return s, nil
}

func (g *sessions) makeRoom() {
	if len(g.by) < maxSessions {
		return
	}
	oldest := ""
	for id, s := range g.by {
		if !s.busy && (oldest == "" || s.expires.Before(g.by[oldest].expires)) {
			oldest = id
		}
	}
	if oldest != "" {
		g.by[oldest].conn.Close()
		delete(g.by, oldest)
	}
}

func (g *sessions) give(id string, s *session, timeout time.Duration, end bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.busy, s.expires = false, time.Now().Add(timeout)
	if end {
		s.conn.Close()
		delete(g.by, id)
	}
}

// connection returns the request's connection with its database and settings.
func (s *Server) connection(q *request) (*chdb.Conn, func(), error) {
	if q.session == "" {
		conn, err := s.engine.connect("--log_comment=" + q.marker())
		if err != nil {
			return nil, nil, err
		}
		if err := q.apply(conn, nil); err != nil {
			conn.Close()
			return nil, nil, err
		}
		return conn, conn.Close, nil
	}
	held, err := s.sessions.take(q.session, q.sessionCheck, func() (*chdb.Conn, error) { return s.engine.connect() })
	if err != nil {
		return nil, nil, err
	}
	release := func() { s.sessions.give(q.session, held, q.sessionTimeout, q.sessionClose) }
	if err := q.apply(held.conn, []chdb.Param{{Name: "log_comment", Value: q.marker()}}); err != nil {
		release()
		return nil, nil, err
	}
	return held.conn, func() { q.reset(held.conn); release() }, nil
}

// apply sets what the URL asks for. readonly goes last: it forbids changing anything after it.
func (q *request) apply(conn *chdb.Conn, settings []chdb.Param) error {
	if q.database != "" && q.database != "default" || q.database != "" && q.session != "" {
		if _, _, err := conn.Query("USE "+sqltext.QuoteName(q.database), "Null"); err != nil {
			return err
		}
	}
	settings = append(settings, q.settings...)
	// A session's connection would stay read-only; there the statement is looked at instead.
	if q.readonly != "" && !q.formTables && q.session == "" {
		settings = append(settings, chdb.Param{Name: "readonly", Value: q.readonly})
	}
	return set(conn, settings)
}

// reset takes back what one request of a session set for itself alone.
func (q *request) reset(conn *chdb.Conn) {
	names := make([]chdb.Param, 0, len(q.settings))
	for _, p := range q.settings {
		names = append(names, chdb.Param{Name: p.Name})
	}
	_ = setTo(conn, names, func(chdb.Param) string { return "DEFAULT" })
}

func set(conn *chdb.Conn, settings []chdb.Param) error {
	return setTo(conn, settings, func(p chdb.Param) string { return sqltext.Quote(p.Value) })
}

func setTo(conn *chdb.Conn, settings []chdb.Param, value func(chdb.Param) string) error {
	if len(settings) == 0 {
		return nil
	}
	parts := make([]string, 0, len(settings))
	for _, p := range settings {
		parts = append(parts, sqltext.QuoteName(p.Name)+" = "+value(p))
	}
	_, _, err := conn.Query("SET "+strings.Join(parts, ", "), "Null")
	return err
}
