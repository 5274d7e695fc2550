package verify

import (
	"crypto/hmac"
	"crypto/subtle"
	"errors"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxSum        = 64 // bytes of a hash; a signature has at most twice as many
	maxSignatures = 10 // in one header; a thousand would cost a thousand hashes
)

// Why a signature was refused. The sender learns none of it; metrics do.
var (
	ErrMissing = errors.New("missing")  // no signature header
	ErrForm    = errors.New("form")     // not written as the scheme writes it
	ErrTime    = errors.New("time")     // outside the window
	ErrWrong   = errors.New("mismatch") // no secret gives this signature
)

// Request is what a signature may cover.
type Request struct {
	Method string
	URI    string // as the provider called it: scheme, host, path, query
	Header http.Header
	Body   []byte // raw, before anything looked inside
	Secret string // what stands behind the hook's id in the path
}

// Verifier checks one scheme with the secrets in rotation. It is safe for
// concurrent use.
type Verifier struct {
	scheme Scheme
	keys   []*signer
}

// New makes a verifier. The first secret is the current one.
func New(s Scheme, secrets ...[]byte) (*Verifier, error) {
	v := &Verifier{scheme: s}
	for _, secret := range secrets {
		key, err := s.key(secret)
		if err != nil {
			return nil, err
		}
		v.keys = append(v.keys, newSigner(&v.scheme, key))
	}
	if len(v.keys) == 0 {
		return nil, errors.New("no secret is configured")
	}
	return v, nil
}

// Scheme is what the verifier checks.
func (v *Verifier) Scheme() *Scheme { return &v.scheme }

// Present reports whether the request carries this scheme's header.
func (v *Verifier) Present(h http.Header) bool {
	return len(h[v.scheme.Header]) > 0 || v.scheme.Also != "" && len(h[v.scheme.Also]) > 0
}

// Verify accepts the request if one of its signatures fits one of the
// secrets. Every candidate is computed and compared in constant time, so that
// its duration does not tell which secret came close.
func (v *Verifier) Verify(r *Request, now time.Time) error {
	s := &v.scheme
	sig, err := one(r.Header, s.Header)
	if errors.Is(err, ErrMissing) && s.Also != "" {
		sig, err = one(r.Header, s.Also)
	}
	if err != nil {
		return err
	}
	stamp, err := v.stamp(r.Header, now)
	if err != nil {
		return err
	}
	id := ""
	if s.IDHeader != "" {
		if id, err = one(r.Header, s.IDHeader); err != nil {
			return err
		}
		if strings.Contains(id, ".") { // the separator of the signed parts
			return ErrForm
		}
	}
	var got sums
	v.scheme.parse(&got, sig)
	if got.n == 0 {
		return ErrForm
	}
	match := 0
	for _, k := range v.keys {
		match |= k.match(r, r.URI, stamp, id, &got)
		if s.DecodeURI && strings.IndexByte(r.URI, '%') >= 0 {
			match |= k.match(r, decodeURI(r.URI), stamp, id, &got)
		}
	}
	if match != 1 {
		return ErrWrong
	}
	return nil
}

// one is the header's only value: two may mean two things to two readers.
func one(h http.Header, name string) (string, error) {
	switch v := h[name]; {
	case len(v) == 0 || (len(v) == 1 && v[0] == ""):
		return "", ErrMissing
	case len(v) == 1:
		return v[0], nil
	}
	return "", ErrForm
}

func (v *Verifier) stamp(h http.Header, now time.Time) (string, error) {
	if v.scheme.TimeHeader == "" {
		return "", nil
	}
	text, err := one(h, v.scheme.TimeHeader)
	if err != nil {
		return "", err
	}
	at, err := parseTime(text, v.scheme.Time)
	if err != nil {
		return "", err
	}
	if d := now.Sub(at); d > v.scheme.Window || d < -v.scheme.Window {
		return "", ErrTime
	}
	return text, nil
}

func parseTime(text string, unit TimeUnit) (time.Time, error) {
	if unit == RFC3339 {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t, nil
		}
		unit = Seconds // Zendesk's own samples have both
	}
	if len(text) > 16 || strings.Trim(text, "0123456789") != "" {
		return time.Time{}, ErrForm
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, ErrForm
	}
	if unit == Seconds {
		return time.Unix(n, 0), nil
	}
	return time.UnixMilli(n), nil
}

// sums are the signatures of one header, decoded.
type sums struct {
	sum [maxSignatures][maxSum]byte
	n   int
}

// parse reads the signatures of a header, at most maxSignatures: what has
// another prefix (another version) or another form is passed over.
func (s *Scheme) parse(out *sums, header string) {
	for out.n < maxSignatures && header != "" {
		part := header
		if s.Separator == "" {
			header = ""
		} else {
			part, header, _ = strings.Cut(header, s.Separator)
		}
		part, ok := strings.CutPrefix(part, s.Prefix)
		if ok && s.decode(&out.sum[out.n], part) {
			out.n++
		}
	}
}

// signer computes one secret's signatures; its hashers are reused.
type signer struct {
	scheme *Scheme
	secret []byte
	pool   sync.Pool
}

type hasher struct {
	hash.Hash
	in  []byte
	sum [maxSum]byte
}

func newSigner(s *Scheme, key []byte) *signer {
	k := &signer{scheme: s, secret: key}
	k.pool.New = func() any {
		if s.Plain {
			return &hasher{Hash: s.Hash.new()()}
		}
		return &hasher{Hash: hmac.New(s.Hash.new(), key)}
	}
	return k
}

// match is 1 if one of the signatures is this secret's over these parts.
func (k *signer) match(r *Request, uri, stamp, id string, got *sums) int {
	h := k.pool.Get().(*hasher)
	h.Reset()
	h.in = h.in[:0]
	for _, p := range k.scheme.Parts {
		switch p {
		case Body: // may be megabytes: everything before it is written first
			h.Write(h.in)
			h.Write(r.Body)
			h.in = h.in[:0]
		case Secret:
			h.in = append(h.in, k.secret...)
		case Method:
			h.in = append(h.in, r.Method...)
		case URI:
			h.in = append(h.in, uri...)
		case Timestamp:
			h.in = append(h.in, stamp...)
		case ID:
			h.in = append(h.in, id...)
		case Dot:
			h.in = append(h.in, '.')
		}
	}
	h.Write(h.in)
	want := h.Sum(h.sum[:0])
	match := 0
	for i := range got.n {
		match |= subtle.ConstantTimeCompare(want, got.sum[i][:len(want)])
	}
	clear(h.in[:cap(h.in)])
	k.pool.Put(h)
	return match
}

// Burn does the work of one check for a hook that does not exist, so that
// answering "unknown" takes as long as answering "wrong".
func (v *Verifier) Burn(r *Request) {
	var none sums
	none.n = 1
	v.keys[0].match(r, r.URI, "", "", &none)
}
