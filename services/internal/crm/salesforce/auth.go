package salesforce

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
)

// Flows that need no person.
const (
	ClientCredentials = "client_credentials"
	RefreshToken      = "refresh_token"
	JWTBearer         = "jwt_bearer"
)

// Auth is the credential: a session that somebody else renews, or a flow.
type Auth struct {
	Token                  string
	Flow                   string
	ClientID, ClientSecret string
	Refresh                string
	Key                    string // of JWTBearer: an RSA key, PEM
	Username               string // whom it acts for
	Audience               string // "" = the login host of production
}

// AuthOf resolves a connection's credential.
func AuthOf(c *config.Connection, resolve func(config.Secret) ([]byte, error)) (Auth, error) {
	a := Auth{}
	refs := map[*string]config.Secret{&a.Token: c.Token}
	if c.Auth != nil {
		a.Flow, a.Username, a.Audience = c.Auth.Flow, c.Auth.Username, c.Auth.Audience
		refs[&a.Key] = c.Auth.Key
		refs[&a.ClientID], refs[&a.ClientSecret], refs[&a.Refresh] = c.Auth.ClientID, c.Auth.ClientSecret, c.Auth.RefreshToken
	}
	for to, ref := range refs {
		if ref == "" {
			continue
		}
		b, err := resolve(ref)
		if err != nil {
			return Auth{}, err
		}
		*to = string(b)
	}
	return a, nil
}

func (a Auth) renews() bool { return a.Flow != "" }

// session keeps the access token. A refused one is renewed once for everybody
// who met the refusal.
type session struct {
	auth   Auth
	base   *url.URL
	client *http.Client
	clock  pace.Clock

	mu    sync.Mutex
	token string
}

func (s *session) authorize(ctx context.Context, r *http.Request, fresh bool) error {
	token, err := s.current(ctx, fresh)
	if err == nil {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return err
}

func (s *session) current(ctx context.Context, fresh bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.auth.renews() && (s.token == "" || fresh) {
		token, err := s.obtain(ctx)
		if err != nil {
			return "", err
		}
		s.token = token
	}
	return s.token, nil
}

// Session gives a connection's access token to what is no REST call.
type Session struct{ s session }

// NewSession prepares one; it calls nobody yet.
func NewSession(o Options) (*Session, error) {
	base, err := address(o)
	if err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = pace.Real
	}
	client := &http.Client{Transport: crm.Transport(o.AllowPrivate), CheckRedirect: crm.NoRedirect, Timeout: loginTimeout}
	return &Session{session{auth: o.Auth, base: base, client: client, clock: o.Clock, token: o.Auth.Token}}, nil
}

const loginTimeout = 30 * time.Second

// Token is an access token; fresh asks for a new one where that is possible.
func (s *Session) Token(ctx context.Context, fresh bool) (string, error) {
	return s.s.current(ctx, fresh)
}

// Instance is the org's own address.
func (s *Session) Instance() string { return s.s.base.String() }

// Close ends idle connections.
func (s *Session) Close() { s.s.client.CloseIdleConnections() }

const maxToken = 64 << 10

func (s *session) obtain(ctx context.Context) (string, error) {
	form, err := s.form()
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.String()+"/services/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.client.Do(req)
	if err != nil {
		return "", &crm.Error{Kind: crm.KindNetwork, System: "Salesforce", Message: "the login does not answer", Err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxToken))
	if err != nil {
		return "", &crm.Error{Kind: crm.KindNetwork, System: "Salesforce", Message: "the login's answer broke off", Err: err}
	}
	var answer struct {
		Token       string `json:"access_token"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Token == "" {
		return "", loginRefused(res.StatusCode, answer.Error, answer.Description)
	}
	return answer.Token, nil
}

// form is what the login is sent.
func (s *session) form() (url.Values, error) {
	if s.auth.Flow == JWTBearer {
		assertion, err := s.auth.assertion(s.clock.Now())
		return url.Values{"grant_type": {jwtGrant}, "assertion": {assertion}}, err
	}
	form := url.Values{"grant_type": {s.auth.Flow}, "client_id": {s.auth.ClientID}}
	if s.auth.ClientSecret != "" {
		form.Set("client_secret", s.auth.ClientSecret)
	}
	if s.auth.Flow == RefreshToken {
		form.Set("refresh_token", s.auth.Refresh)
	}
	return form, nil
}

// loginRefused is an authentication error, unless the login itself failed.
func loginRefused(status int, code, description string) error {
	e := &crm.Error{Kind: crm.KindAuth, System: "Salesforce", Status: status, Code: code, Message: crm.Cut(description, 300)}
	if status >= 500 || status == http.StatusTooManyRequests {
		e.Kind = crm.KindOutage
	}
	if e.Message == "" {
		e.Message = "the login gave no token"
	}
	return e
}
