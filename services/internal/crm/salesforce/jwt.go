package salesforce

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	jwtGrant    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	jwtAudience = "https://login.salesforce.com"
	jwtLife     = 3 * time.Minute // the longest that the login takes
	leastBits   = 2048
)

// assertion is a signed claim to act for the user: the app's certificate, not
// a secret that travels, proves it.
func (a Auth) assertion(now time.Time) (string, error) {
	key, err := privateKey(a.Key)
	if err != nil {
		return "", fmt.Errorf("the key of jwt_bearer: %w", err)
	}
	audience := a.Audience
	if audience == "" {
		audience = jwtAudience
	}
	claims, err := json.Marshal(map[string]any{"iss": a.ClientID, "sub": a.Username, "aud": audience, "exp": now.Add(jwtLife).Unix()})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

var errKeyForm = errors.New("is not an RSA private key in PEM (PKCS #8 or PKCS #1, without a passphrase)")

// privateKey never repeats what it was given: it is the secret.
func privateKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKeyForm
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, errKeyForm
		}
		var ok bool
		if key, ok = parsed.(*rsa.PrivateKey); !ok {
			return nil, errKeyForm
		}
	}
	if key.N.BitLen() < leastBits {
		return nil, fmt.Errorf("has %d bits; expected at least %d", key.N.BitLen(), leastBits)
	}
	return key, nil
}
