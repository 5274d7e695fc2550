package clickhouse

import (
	"net"
	"net/http"
	"sync"
)

// silent are the connections on which nothing was asked yet. A client's pool
// leaves such behind, and http.Server.Shutdown waits five seconds for each.
type silent struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (s *silent) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state != http.StateNew {
		delete(s.conns, c)
		return
	}
	if s.conns == nil {
		s.conns = map[net.Conn]struct{}{}
	}
	s.conns[c] = struct{}{}
}

func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}
