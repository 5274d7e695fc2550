package server

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// trusted refuses requests that a foreign web page made a browser send. A page can reach a loopback
// port in two ways: by its own Origin, or by a name of its own that it points at 127.0.0.1 (DNS
// rebinding); the second shows in Host, where only addresses and known names pass.
func (s *Server) trusted(r *http.Request) error {
	host := hostName(r.Host)
	if !s.knownHost(host) {
		return fail(codeAccessDenied, "Host "+host+" is not this server's: name it in the configuration if it is")
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return fail(codeAccessDenied, "Requests from web pages of another origin are refused")
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
		return fail(codeAccessDenied, "Requests from web pages of another origin are refused")
	}
	return nil
}

func (s *Server) knownHost(host string) bool {
	return host == "localhost" || net.ParseIP(host) != nil || slices.Contains(s.cfg.Hosts, host)
}

func hostName(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// authenticate checks the one user there is. Credentials come as headers, basic auth or URL arguments.
func (s *Server) authenticate(r *http.Request, args url.Values) error {
	user, password := "default", ""
	switch basicUser, basicPassword, basic := r.BasicAuth(); {
	case r.Header.Get("X-ClickHouse-User") != "" || r.Header.Get("X-ClickHouse-Key") != "":
		user, password = r.Header.Get("X-ClickHouse-User"), r.Header.Get("X-ClickHouse-Key")
	case basic:
		user, password = basicUser, basicPassword
	case args.Has("user") || args.Has("password"):
		user, password = args.Get("user"), args.Get("password")
	}
	if user == "" {
		user = "default"
	}
	wrong := s.cfg.Password != "" && subtle.ConstantTimeCompare([]byte(password), []byte(s.cfg.Password)) != 1
	if user != "default" || wrong {
		return fail(codeAuthentication, user+": Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)")
	}
	return nil
}
