package verify

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Shared checks a secret that the sender repeats, for providers that sign
// nothing. It may stand wherever the provider can put it: HTTP Basic, a bearer
// token, a header, the query, the end of the path, or in the body.
type Shared struct {
	sums [][sha256.Size]byte
	body func([]byte) string // the secret in a body; nil: it is not there
}

// MinSecret keeps out secrets that can be guessed: what is repeated with each
// request is all that stands between a stranger and the log.
const MinSecret = 16

// NewShared makes the check. The secrets are kept as hashes, equally long, so
// that no length leaks.
func NewShared(body func([]byte) string, secrets ...[]byte) (*Shared, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret is configured")
	}
	s := &Shared{body: body}
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return nil, fmt.Errorf("secret %d has %d bytes; this source signs nothing, so it needs at least %d", i+1, len(secret), MinSecret)
		}
		s.sums = append(s.sums, sha256.Sum256(secret))
	}
	return s, nil
}

// Places where a secret may stand, besides Authorization, path and body.
var (
	secretHeaders = []string{"X-Api-Key", "X-Webhook-Secret", "X-Plumbline-Token"}
	secretQueries = []string{"code", "token", "access_token", "secret"}
)

// Verify accepts the request if the secret stands in one of its places.
func (s *Shared) Verify(r *Request, _ time.Time) error {
	found := s.candidates(r)
	match := 0
	for _, text := range found {
		sum := sha256.Sum256([]byte(text))
		for i := range s.sums {
			match |= subtle.ConstantTimeCompare(sum[:], s.sums[i][:])
		}
	}
	switch {
	case match == 1:
		return nil
	case len(found) == 0:
		return ErrMissing
	}
	return ErrWrong
}

func (s *Shared) candidates(r *Request) []string {
	var out []string
	add := func(text string) {
		if text != "" {
			out = append(out, text)
		}
	}
	add(r.Secret)
	if v := r.Header["Authorization"]; len(v) == 1 {
		for _, text := range credentials(v[0]) {
			add(text)
		}
	}
	for _, name := range secretHeaders {
		if v := r.Header[name]; len(v) == 1 {
			add(v[0])
		}
	}
	if _, query, ok := strings.Cut(r.URI, "?"); ok {
		if q, err := url.ParseQuery(query); err == nil {
			for _, name := range secretQueries {
				add(q.Get(name))
			}
		}
	}
	if s.body != nil {
		add(s.body(r.Body))
	}
	return out
}

// credentials are what an Authorization header may prove: a bearer token, the
// password of HTTP Basic, or its user and password.
func credentials(v string) []string {
	scheme, rest, _ := strings.Cut(v, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return []string{rest}
	case strings.EqualFold(scheme, "Basic"):
		b, err := base64.StdEncoding.DecodeString(rest)
		if _, password, ok := strings.Cut(string(b), ":"); err == nil && ok {
			return []string{password, string(b)}
		}
	}
	return nil
}

// Present is true: what is checked may stand anywhere.
func (*Shared) Present(http.Header) bool { return true }
