// Package verify checks who sent a body. One verifier serves every provider:
// a Scheme says in data which header holds the signature, what is signed and
// how it is written.
package verify

import (
	"crypto/sha1" //nolint:gosec // Intercom and Salesloft sign with HMAC-SHA1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"time"
)

// Part is a piece of the signed text.
type Part int

// The parts that providers sign, in the order of a Scheme's list.
const (
	Body Part = iota
	Secret
	Method
	URI
	Timestamp
	ID
	Dot
)

// Key says how a configured secret becomes key bytes.
type Key int

// Key forms.
const (
	KeyRaw Key = iota
	KeyHex
	KeyBase64
)

// Hash is the hash function.
type Hash int

// Hashes.
const (
	SHA256 Hash = iota
	SHA1
)

// Encoding is how the signature is written.
type Encoding int

// Encodings. Hex is accepted in either case: providers disagree with their
// own documentation about it. URL-safe base64 may miss its padding.
const (
	Hex Encoding = iota
	Base64
	Base64URL
)

// TimeUnit is how the timestamp header is written.
type TimeUnit int

// Time units; NoTime is a scheme without a timestamp.
const (
	NoTime TimeUnit = iota
	Millis
	Seconds
	RFC3339
)

// Scheme is one provider's way to sign.
type Scheme struct {
	Name       string
	Header     string // holds the signature, or several
	Also       string // the header's other name, if it has two
	Separator  string // between several signatures; empty = one
	Prefix     string // before each signature: sha1=, v1,
	Encoding   Encoding
	Hash       Hash
	Plain      bool // a hash over the secret and more, not an HMAC
	Key        Key
	KeyPrefix  string // cut from the configured secret: whsec_
	Parts      []Part
	TimeHeader string
	Time       TimeUnit
	Window     time.Duration // a timestamp may be this far in the past or future
	IDHeader   string
	// DecodeURI tries the address with HubSpot's twelve escapes decoded, then
	// as it is: their documentation and their SDKs disagree.
	DecodeURI bool
}

// Window that all providers with a timestamp share.
const fiveMinutes = 5 * time.Minute

// The schemes known today. HubSpotV1 and HubSpotV2 have no timestamp and are
// accepted only where the hook's configuration says so.
var (
	HubSpotV1 = Scheme{Name: "v1", Header: "X-Hubspot-Signature", Plain: true, Parts: []Part{Secret, Body}}
	HubSpotV2 = Scheme{
		Name: "v2", Header: "X-Hubspot-Signature", Plain: true, DecodeURI: true,
		Parts: []Part{Secret, Method, URI, Body},
	}
	HubSpotV3 = Scheme{
		Name: "v3", Header: "X-Hubspot-Signature-V3", Encoding: Base64, DecodeURI: true,
		Parts: []Part{Method, URI, Body, Timestamp}, TimeHeader: "X-Hubspot-Request-Timestamp", Time: Millis, Window: fiveMinutes,
	}
	Standard = Scheme{
		Name: "standard", Header: "Webhook-Signature", Separator: " ", Prefix: "v1,", Encoding: Base64,
		Key: KeyBase64, KeyPrefix: "whsec_", Parts: []Part{ID, Dot, Timestamp, Dot, Body},
		IDHeader: "Webhook-Id", TimeHeader: "Webhook-Timestamp", Time: Seconds, Window: fiveMinutes,
	}
	Nango     = Scheme{Name: "nango", Header: "X-Nango-Hmac-Sha256", Parts: []Part{Body}}
	Fivetran  = Scheme{Name: "fivetran", Header: "X-Fivetran-Signature-256", Parts: []Part{Body}}
	Merge     = Scheme{Name: "merge", Header: "X-Merge-Webhook-Signature", Encoding: Base64URL, Parts: []Part{Body}}
	Outreach  = Scheme{Name: "outreach", Header: "Outreach-Webhook-Signature", Parts: []Part{Body}}
	Attio     = Scheme{Name: "attio", Header: "Attio-Signature", Also: "X-Attio-Signature", Parts: []Part{Body}}
	Intercom  = Scheme{Name: "intercom", Header: "X-Hub-Signature", Prefix: "sha1=", Hash: SHA1, Parts: []Part{Body}}
	Salesloft = Scheme{Name: "salesloft", Header: "X-Salesloft-Signature", Hash: SHA1, Parts: []Part{Body}}
	Close     = Scheme{
		Name: "close", Header: "Close-Sig-Hash", Key: KeyHex, Parts: []Part{Timestamp, Body},
		TimeHeader: "Close-Sig-Timestamp", Time: Seconds, Window: fiveMinutes,
	}
	Zendesk = Scheme{
		Name: "zendesk", Header: "X-Zendesk-Webhook-Signature", Encoding: Base64, Parts: []Part{Timestamp, Body},
		TimeHeader: "X-Zendesk-Webhook-Signature-Timestamp", Time: RFC3339, Window: fiveMinutes,
	}
)

func (h Hash) new() func() hash.Hash {
	if h == SHA1 {
		return sha1.New
	}
	return sha256.New
}

var errKey = errors.New("secret has not the form the provider gives it")

func (s *Scheme) key(secret []byte) ([]byte, error) {
	if n := len(s.KeyPrefix); n > 0 && len(secret) > n && string(secret[:n]) == s.KeyPrefix {
		secret = secret[n:]
	}
	var out []byte
	var err error
	switch s.Key {
	case KeyHex:
		out, err = hex.DecodeString(string(secret))
	case KeyBase64:
		out, err = base64.StdEncoding.DecodeString(string(secret))
	default:
		out = append(out, secret...)
	}
	if err != nil || len(out) == 0 { // an empty key would let everybody sign
		return nil, errKey
	}
	return out, nil
}

// decode reads one signature: only in the one way the scheme writes it, and
// only of the hash's own length.
func (s *Scheme) decode(dst *[maxSum]byte, sig string) bool {
	size := s.Hash.size()
	if s.Encoding == Base64URL {
		sig = strings.TrimRight(sig, "=")
	}
	if len(sig) != s.Encoding.len(size) { // exact: the decoders skip line breaks
		return false
	}
	var in, out [2 * maxSum]byte
	n := copy(in[:], sig)
	var err error
	switch s.Encoding {
	case Hex:
		n, err = hex.Decode(out[:], in[:n])
	case Base64:
		n, err = strictStd.Decode(out[:], in[:n])
	case Base64URL:
		n, err = strictURL.Decode(out[:], in[:n])
	}
	if err != nil || n != size {
		return false
	}
	copy(dst[:], out[:n])
	return true
}

// Strict decoders: one signature has one spelling.
var (
	strictStd = base64.StdEncoding.Strict()
	strictURL = base64.RawURLEncoding.Strict()
)

func (e Encoding) len(size int) int {
	switch e {
	case Base64:
		return strictStd.EncodedLen(size)
	case Base64URL:
		return strictURL.EncodedLen(size)
	}
	return hex.EncodedLen(size)
}

func (h Hash) size() int {
	if h == SHA1 {
		return sha1.Size
	}
	return sha256.Size
}
