package salesforce

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const maxBody = 6 << 20

// token answers the OAuth endpoint: client credentials, user and password, or
// a refresh token give a session.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		s.write(w, oauthError("invalid_request", "the form cannot be read"))
		return
	}
	if r.Form.Get("grant_type") == jwtGrant {
		s.assertion(w, r)
		return
	}
	id, secret := r.Form.Get("client_id"), r.Form.Get("client_secret")
	if u, p, ok := r.BasicAuth(); ok {
		id, secret = u, p
	}
	if id != s.o.ClientID {
		s.write(w, oauthError("invalid_client_id", "client identifier invalid"))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	grant := r.Form.Get("grant_type")
	switch {
	case grant == "client_credentials" && !same(secret, s.o.Secret), grant == "password" && !same(secret, s.o.Secret):
		s.write(w, oauthError("invalid_client", "invalid client credentials"))
	case grant == "password" && (r.Form.Get("username") != s.o.User || !same(r.Form.Get("password"), s.o.Password)):
		s.write(w, oauthError("invalid_grant", "authentication failure"))
	case grant == "refresh_token" && !s.refresh[r.Form.Get("refresh_token")]:
		s.write(w, oauthError("invalid_grant", "expired access/refresh token"))
	case grant != "client_credentials" && grant != "password" && grant != "refresh_token":
		s.write(w, oauthError("unsupported_grant_type", "grant type not supported"))
	default:
		s.write(w, s.session(r, grant))
	}
}

const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// assertion gives a session for a claim that the app's key signed.
func (s *Server) assertion(w http.ResponseWriter, r *http.Request) {
	signed, signature, _ := cutLast(r.Form.Get("assertion"), ".")
	_, body, _ := strings.Cut(signed, ".")
	sig, errSig := base64.RawURLEncoding.DecodeString(signature)
	plain, errPlain := base64.RawURLEncoding.DecodeString(body)
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expires  int64  `json:"exp"`
	}
	sum, now := sha256.Sum256([]byte(signed)), s.o.Wall().Unix()
	switch {
	case errSig != nil || errPlain != nil || json.Unmarshal(plain, &claims) != nil || s.o.Key == nil:
		s.write(w, oauthError("invalid_grant", "invalid assertion"))
	case claims.Issuer != s.o.ClientID:
		s.write(w, oauthError("invalid_client_id", "client identifier invalid"))
	case rsa.VerifyPKCS1v15(s.o.Key, crypto.SHA256, sum[:], sig) != nil:
		s.write(w, oauthError("invalid_grant", "invalid assertion"))
	case claims.Subject != s.o.User:
		s.write(w, oauthError("invalid_grant", "user hasn't approved this consumer"))
	case claims.Audience != "https://login.salesforce.com", claims.Expires < now, claims.Expires > now+180:
		s.write(w, oauthError("invalid_grant", "audience is invalid"))
	default:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.write(w, s.session(r, jwtGrant))
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func oauthError(code, description string) answer {
	return answer{http.StatusBadRequest, map[string]string{"error": code, "error_description": description}}
}

// session makes a token; the caller holds the lock.
func (s *Server) session(r *http.Request, grant string) answer {
	s.serial++
	token := fmt.Sprintf("%s!AQ%040d", s.o.OrgID[:min(15, len(s.o.OrgID))], s.serial)
	s.tokens[token] = true
	body := map[string]string{
		"access_token": token, "instance_url": base(r), "id": base(r) + "/id/" + s.o.OrgID + "/" + s.o.UserID,
		"token_type": "Bearer", "issued_at": strconv.FormatInt(s.o.Wall().UnixMilli(), 10), "signature": "none", "scope": "api refresh_token",
	}
	if grant == "password" {
		refresh := fmt.Sprintf("5Aep%040d", s.serial)
		s.refresh[refresh] = true
		body["refresh_token"] = refresh
	}
	return answer{http.StatusOK, body}
}

func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	_ = r.ParseForm()
	s.mu.Lock()
	defer s.mu.Unlock()
	token := r.Form.Get("token")
	if !s.tokens[token] && !s.refresh[token] {
		s.write(w, oauthError("unsupported_token_type", "this token type is not supported"))
		return
	}
	delete(s.tokens, token)
	delete(s.refresh, token)
	w.WriteHeader(http.StatusOK)
}

// Expire ends every session; refresh tokens stay.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

func (s *Server) userinfo(*request) answer {
	return answer{http.StatusOK, map[string]any{
		"user_id": s.o.UserID, "organization_id": s.o.OrgID, "preferred_username": s.o.User, "email": s.o.User, "active": true,
	}}
}
