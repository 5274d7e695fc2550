package console

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// policy lets the page load what this server sends and nothing else; there is
// no inline script or style to allow.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// guard stands before every route.
func (s *Server) guard(next http.Handler) http.Handler {
	names := hostNames(s.o.Listen, s.o.Hosts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for what does not know frame-ancestors
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		probe := r.URL.Path == "/healthz" || r.URL.Path == "/readyz" // asked by address, answered without data
		switch {
		case !probe && !knownHost(names, r):
			http.Error(w, "this name is not served here: add it to the console's hosts, or open it by 127.0.0.1", http.StatusMisdirectedRequest)
		default:
			s.measure(next, w, r)
		}
	})
}

func hostNames(listen string, more []string) []string {
	names := []string{"localhost", "127.0.0.1", "::1"}
	if host, _, err := net.SplitHostPort(listen); err == nil && host != "" {
		names = append(names, strings.ToLower(host))
	}
	for _, n := range more {
		names = append(names, strings.ToLower(n))
	}
	return names
}

// knownHost refuses names that somebody else's DNS may have pointed here: a
// foreign page could read the console through them. The address that the
// connection was made to needs no DNS.
func knownHost(names []string, r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if slices.Contains(names, host) {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && net.ParseIP(host) != nil && local.IP.Equal(net.ParseIP(host))
}

// measure counts by route, never by path: paths are the callers' choice.
func (s *Server) measure(next http.Handler, w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	sw := &statusWriter{ResponseWriter: w, code: http.StatusOK}
	next.ServeHTTP(sw, r)
	_, route, _ := strings.Cut(r.Pattern, " ")
	if route == "" {
		route = "none"
	}
	s.metrics.requests.WithLabelValues(route, strconv.Itoa(sw.code)).Inc()
	s.metrics.seconds.WithLabelValues(route).Observe(time.Since(began).Seconds())
}

type statusWriter struct {
	http.ResponseWriter
	code int
}

// Unwrap lets a stream reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}
