package console

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"go.uber.org/zap"
	"plumbline.dev/services/console/login"
	"plumbline.dev/services/internal/acklink"
)

type personKey struct{}

// person is who a request is from; enter has put it there.
func person(r *http.Request) login.Person {
	p, _ := r.Context().Value(personKey{}).(login.Person)
	return p
}

// free are the addresses that need nobody to be known.
func free(path string) bool {
	return path == "/login" || path == acklink.Path || path == "/healthz" || path == "/readyz" || strings.HasPrefix(path, "/assets/") || path == "/favicon.ico"
}

// enter lets in who is known, as often as is fair.
func (s *Server) enter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if free(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		p, ok := s.o.Gate.Who(r)
		switch {
		case ok && !s.looking.Allow(p.Name+" "+caller(r)):
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests: slow down", http.StatusTooManyRequests)
		case ok:
			*r = *r.WithContext(context.WithValue(r.Context(), personKey{}, p)) // the same request: its route is counted
			next.ServeHTTP(w, r)
		case !s.acting.Allow("unknown " + caller(r)):
			w.Header().Set("Retry-After", "10")
			http.Error(w, "too many requests without a token", http.StatusTooManyRequests)
		case strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/metrics" || r.URL.Path == "/events" || r.URL.Query().Has("fragment"):
			w.Header().Set("WWW-Authenticate", `Bearer realm="plumbline"`)
			s.answer(w, http.StatusUnauthorized, apiError{"send Authorization: Bearer with the token of one of console.people"})
		default:
			http.Redirect(w, r, "/login?"+url.Values{"back": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		}
	})
}

func caller(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// acts guards what changes something: from our own forms only, and not too
// often.
func (s *Server) acts(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		who := person(r)
		if err := s.form.Check(r, who); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if !s.acting.Allow("act " + who.Name + " " + caller(r)) {
			w.Header().Set("Retry-After", "2")
			http.Error(w, "too many clicks: wait a moment", http.StatusTooManyRequests)
			return
		}
		next(w, r)
	}
}

// loginPage asks for a token.
type loginPage struct{ Back, Form, Wrong string }

func (s *Server) loginForm(w http.ResponseWriter, r *http.Request) {
	s.askToken(w, r, r.URL.Query().Get("back"), "", http.StatusOK)
}

func (s *Server) askToken(w http.ResponseWriter, _ *http.Request, back, wrong string, code int) {
	if err := s.pages.writeCode(w, code, "login", loginPage{back, s.form.Token(login.Person{}), wrong}); err != nil {
		s.o.Logger.Warn("console page was not delivered", zap.Error(err))
	}
}

// login exchanges a token for a cookie.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	p, ok := s.o.Gate.ByToken(strings.TrimSpace(r.PostFormValue("token")))
	if !ok {
		s.askToken(w, r, r.PostFormValue("back"), "This is nobody's token.", http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, s.o.Gate.Cookie(p, r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"))
	s.back(w, r, "")
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, login.NoCookie())
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
