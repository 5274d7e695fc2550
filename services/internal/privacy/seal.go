package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

const (
	sealVersion = 1
	nonceSize   = 12
)

// errSealed says nothing about why: the bytes may be an attacker's.
var errSealed = errors.New("sealed bytes cannot be opened with this key and tenant")

// sealer encrypts for one tenant.
type sealer struct {
	aead  cipher.AEAD
	nonce []byte // key of the derived nonces
}

func (k *Key) sealer(tenant string) *sealer {
	if s, ok := k.tenants.Load(tenant); ok {
		return s.(*sealer)
	}
	s, _ := k.tenants.LoadOrStore(tenant, newSealer(k.secret, tenant))
	return s.(*sealer)
}

func newSealer(secret []byte, tenant string) *sealer {
	// Sizes are constants: none of these calls can fail.
	enc, err1 := hkdf.Key(sha256.New, secret, nil, "plumbline seal v1\x00"+tenant, keySize)
	nonce, err2 := hkdf.Key(sha256.New, secret, nil, "plumbline nonce v1\x00"+tenant, keySize)
	block, err3 := aes.NewCipher(enc)
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return &sealer{aead: aead, nonce: nonce}
}

// Seal encrypts bytes for a tenant. What they are sealed for (an origin) must
// be named again to open them.
func (k *Key) Seal(tenant, purpose string, plain []byte) []byte {
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce) // never fails since Go 1.24
	return k.sealer(tenant).seal(nonce, plain, "bytes\x00"+purpose)
}

// Open decrypts what Seal made.
func (k *Key) Open(tenant, purpose string, sealed []byte) ([]byte, error) {
	return k.sealer(tenant).open(sealed, "bytes\x00"+purpose)
}

// SealText encrypts a field's value. The nonce is derived from the value:
// equal values give equal texts, so that the two sides of a sync can still be
// compared. It tells who reads the rows which values are equal, like a hash.
func (k *Key) SealText(tenant, plain string) string {
	s := k.sealer(tenant)
	m := hmac.New(sha256.New, s.nonce)
	m.Write([]byte(plain))
	return base64.StdEncoding.EncodeToString(s.seal(m.Sum(nil)[:nonceSize], []byte(plain), "field"))
}

// OpenText decrypts what SealText made.
func (k *Key) OpenText(tenant, sealed string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fmt.Errorf("%w: not base64", errSealed)
	}
	plain, err := k.sealer(tenant).open(b, "field")
	return string(plain), err
}

func (s *sealer) seal(nonce, plain []byte, purpose string) []byte {
	out := make([]byte, 0, 1+nonceSize+len(plain)+s.aead.Overhead())
	out = append(append(out, sealVersion), nonce...)
	return s.aead.Seal(out, nonce, plain, []byte(purpose))
}

func (s *sealer) open(b []byte, purpose string) ([]byte, error) {
	if len(b) < 1+nonceSize || b[0] != sealVersion {
		return nil, errSealed
	}
	plain, err := s.aead.Open(nil, b[1:1+nonceSize], b[1+nonceSize:], []byte(purpose))
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}
