package salesforce

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/pace"
	fake "plumbline.dev/services/simulate/salesforce"
)

func inPEM(t *testing.T, key any) string {
	t.Helper()
	b, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}

func TestJWTBearer(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	auth := Auth{Flow: JWTBearer, ClientID: "id", Key: inPEM(t, key), Username: "reader@acme.example"}
	o := fake.Options{User: "reader@acme.example", Key: &key.PublicKey}
	wall := func(o *Options) { o.Clock = pace.Real }
	w, r := open(t, 5, auth, o, wall)
	n, err := r.Count(t.Context(), contacts)
	require.NoError(t, err)
	require.EqualValues(t, 5, n)
	w.server.Expire() // there is no refresh token: the claim is made anew
	_, err = r.Count(t.Context(), contacts)
	require.NoError(t, err)

	old := auth
	old.Key = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	_, r = open(t, 5, old, o, wall)
	require.NoError(t, r.Probe(t.Context()))

	for name, edit := range map[string]func(*Auth){
		"another user":     func(a *Auth) { a.Username = "x" },
		"another app":      func(a *Auth) { a.ClientID = "x" },
		"another audience": func(a *Auth) { a.Audience = "https://test.salesforce.com" },
		"another key": func(a *Auth) {
			k, err := rsa.GenerateKey(rand.Reader, 2048)
			require.NoError(t, err)
			a.Key = inPEM(t, k)
		},
	} {
		bad := auth
		edit(&bad)
		_, r := open(t, 5, bad, o, wall)
		_, err := r.Count(t.Context(), contacts)
		require.Equal(t, crm.KindAuth, crm.KindOf(err), name)
	}
}

// TestKeysThatCannotSign are refused at the start, without repeating them.
func TestKeysThatCannotSign(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	for text, want := range map[string]string{
		"hunter2": "is not an RSA private key", inPEM(t, curve): "is not an RSA private key", inPEM(t, short): "1024 bits; expected at least 2048",
	} {
		_, err := New(Options{
			BaseURL: "http://127.0.0.1:1", AllowPrivate: true, Auth: Auth{Flow: JWTBearer, Key: text},
			Budget: crm.NewBudget(crm.BudgetOptions{Daily: 1, Share: 1}),
		})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
	_, err = Auth{Key: inPEM(t, mustRSA(t))}.assertion(time.Now())
	require.NoError(t, err)
}

func mustRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return k
}
