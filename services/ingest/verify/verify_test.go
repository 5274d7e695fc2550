package verify

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// vector is a published signature, or one computed apart from this code.
type vector struct {
	Scheme, Secret, Method, URI, ID, Timestamp, Body, Expected, Origin string
}

var schemesByVector = map[string]Scheme{
	"hubspot-v1": HubSpotV1, "hubspot-v2": HubSpotV2, "hubspot-v3": HubSpotV3, "standard-webhooks-v1": Standard,
	"nango-hmac-sha256-hex": Nango, "zendesk": Zendesk, "intercom-x-hub-signature": Intercom,
	"outreach-webhook-signature": Outreach, "salesloft-x-salesloft-signature": Salesloft, "attio-signature": Attio,
	"fivetran-x-fivetran-signature-256": Fivetran, "merge-x-merge-webhook-signature": Merge, "close-sig-hash": Close,
}

func vectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var out []vector
	require.NoError(t, json.Unmarshal(b, &out))
	require.Len(t, out, 17)
	return out
}

// request is the vector as it comes in, and the time it was signed.
func (v vector) request(s Scheme) (*Request, time.Time) {
	h := http.Header{}
	h.Set(s.Header, v.Expected)
	now := time.Unix(1_700_000_000, 0)
	if s.TimeHeader != "" {
		h.Set(s.TimeHeader, v.Timestamp)
		n, _ := strconv.ParseInt(v.Timestamp, 10, 64)
		if now = time.Unix(n, 0); s.Time == Millis {
			now = time.UnixMilli(n)
		}
	}
	if s.IDHeader != "" {
		h.Set(s.IDHeader, v.ID)
	}
	method := v.Method
	if method == "" {
		method = http.MethodPost
	}
	return &Request{Method: method, URI: v.URI, Header: h, Body: []byte(v.Body)}, now
}

func TestVectors(t *testing.T) {
	used := map[string]int{}
	for i, v := range vectors(t) {
		t.Run(strconv.Itoa(i)+" "+v.Scheme, func(t *testing.T) {
			if v.Scheme == "nango-legacy-sha256-hex" {
				// A plain hash of secret and body, which no scheme of ours accepts.
				ver, err := New(Nango, []byte(v.Secret))
				require.NoError(t, err)
				r, now := v.request(Nango)
				require.ErrorIs(t, ver.Verify(r, now), ErrWrong)
				return
			}
			s, ok := schemesByVector[v.Scheme]
			require.True(t, ok, v.Scheme)
			used[v.Scheme]++
			ver, err := New(s, []byte(v.Secret))
			require.NoError(t, err)
			r, now := v.request(s)
			require.NoError(t, ver.Verify(r, now))
			require.NoError(t, ver.Verify(r, now), "a reused hasher gives the same")

			old, err := New(s, []byte(otherSecret(s)), []byte(v.Secret))
			require.NoError(t, err)
			require.NoError(t, old.Verify(r, now), "the old secret still counts in rotation")
			other, err := New(s, []byte(otherSecret(s)))
			require.NoError(t, err)
			require.ErrorIs(t, other.Verify(r, now), ErrWrong)
		})
	}
	require.Len(t, used, len(schemesByVector), "every scheme has a vector")
}

func otherSecret(s Scheme) string {
	switch s.Key {
	case KeyHex:
		return strings.Repeat("cd", 32)
	case KeyBase64:
		return "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	}
	return "another secret"
}

// One bit of anything that is signed, or of the signature, and it is refused.
func TestSingleBitMutations(t *testing.T) {
	for i, v := range vectors(t) {
		s, ok := schemesByVector[v.Scheme]
		if !ok {
			continue
		}
		t.Run(strconv.Itoa(i)+" "+v.Scheme, func(t *testing.T) {
			ver, err := New(s, []byte(v.Secret))
			require.NoError(t, err)
			refused := func(what string, change func(*Request)) {
				r, now := v.request(s)
				change(r)
				require.Error(t, ver.Verify(r, now), what)
			}
			header := func(name string) {
				base, _ := v.request(s)
				flip(base.Header.Get(name), func(text string, bit int) {
					// Hex of either case is one signature: not a forgery.
					if name == s.Header && s.Encoding == Hex && strings.EqualFold(text, base.Header.Get(name)) {
						return
					}
					refused(name+" bit "+strconv.Itoa(bit), func(r *Request) { r.Header[name] = []string{text} })
				})
			}
			flip(v.Body, func(text string, bit int) {
				refused("body bit "+strconv.Itoa(bit), func(r *Request) { r.Body = []byte(text) })
			})
			header(s.Header)
			if s.TimeHeader != "" {
				header(s.TimeHeader)
			}
			if s.IDHeader != "" {
				header(s.IDHeader)
			}
			for _, p := range s.Parts {
				switch p {
				case URI:
					flip(v.URI, func(text string, bit int) {
						if s.DecodeURI && decodeURI(text) == decodeURI(v.URI) { // %3a for %3A: the signed text is the same
							return
						}
						refused("uri bit "+strconv.Itoa(bit), func(r *Request) { r.URI = text })
					})
				case Method:
					refused("method", func(r *Request) { r.Method = "PUT" })
				}
			}
			refused("longer body", func(r *Request) { r.Body = append(r.Body, ' ') })
			refused("no signature", func(r *Request) { r.Header.Del(s.Header) })
			refused("empty signature", func(r *Request) { r.Header.Set(s.Header, "") })
			refused("two headers", func(r *Request) { r.Header.Add(s.Header, v.Expected) })
		})
	}
}

func flip(text string, visit func(string, int)) {
	for bit := range len(text) * 8 {
		b := []byte(text)
		b[bit/8] ^= 1 << (bit % 8)
		visit(string(b), bit)
	}
}

func TestWindow(t *testing.T) {
	v := vectors(t)[4]
	require.Equal(t, "hubspot-v3", v.Scheme)
	ver, err := New(HubSpotV3, []byte(v.Secret))
	require.NoError(t, err)
	r, signed := v.request(HubSpotV3)
	for _, tc := range []struct {
		after time.Duration
		want  error
	}{
		{0, nil},
		{5 * time.Minute, nil},
		{5*time.Minute + time.Millisecond, ErrTime},
		{-5 * time.Minute, nil},
		{-5*time.Minute - time.Millisecond, ErrTime},
		{1000 * time.Hour, ErrTime},
	} {
		require.ErrorIs(t, ver.Verify(r, signed.Add(tc.after)), tc.want, tc.after.String())
	}
}

func TestTimestampForms(t *testing.T) {
	v := vectors(t)[4]
	ver, err := New(HubSpotV3, []byte(v.Secret))
	require.NoError(t, err)
	for text, want := range map[string]error{
		"": ErrMissing, "x": ErrForm, "-1": ErrForm, "1e3": ErrForm, " 1693657560000": ErrForm,
		"1693657560": ErrTime, "99999999999999999999": ErrForm, "0": ErrTime, "+1693657560000": ErrForm,
	} {
		r, now := v.request(HubSpotV3)
		r.Header.Set(HubSpotV3.TimeHeader, text)
		require.ErrorIs(t, ver.Verify(r, now), want, text)
	}
}

// A signature has one spelling: others are refused before any comparison.
func TestSignatureSpellings(t *testing.T) {
	all := vectors(t)
	std, merge := all[5], all[15]
	require.Equal(t, "standard-webhooks-v1", std.Scheme)
	for i := range all {
		if all[i].Scheme == "merge-x-merge-webhook-signature" {
			merge = all[i]
		}
	}
	one, now := std.request(Standard)
	ver, err := New(Standard, []byte(std.Secret))
	require.NoError(t, err)
	sig := std.Expected
	wrong := "v1," + strings.Repeat("A", 43) + "="
	for text, want := range map[string]error{
		wrong + " " + sig:                              nil,
		"v1a,whatever " + sig:                          nil,
		sig + " " + wrong:                              nil,
		strings.TrimPrefix(sig, "v1,"):                 ErrForm,
		strings.Replace(sig, "v1,", "v2,", 1):          ErrForm,
		strings.TrimSuffix(sig, "="):                   ErrForm,
		sig + "=":                                      ErrForm,
		strings.Replace(sig, "OE=", "OF=", 1):          ErrForm,  // other unused bits
		strings.Repeat(wrong+" ", maxSignatures) + sig: ErrWrong, // beyond what is read
		strings.Repeat(wrong+" ", 1000):                ErrWrong,
	} {
		one.Header.Set(Standard.Header, text)
		require.ErrorIs(t, ver.Verify(one, now), want, text)
	}
	one.Header.Set(Standard.Header, sig)
	one.Header.Set(Standard.IDHeader, "a.b")
	require.ErrorIs(t, ver.Verify(one, now), ErrForm, "the id may not hold the separator")

	r, now := merge.request(Merge)
	ver, err = New(Merge, []byte(merge.Secret))
	require.NoError(t, err)
	r.Header.Set(Merge.Header, strings.TrimRight(merge.Expected, "="))
	require.NoError(t, ver.Verify(r, now), "padding may be missing")
	r.Header.Set(Merge.Header, strings.ReplaceAll(merge.Expected, "_", "/"))
	require.ErrorIs(t, ver.Verify(r, now), ErrForm)
}

func TestNewRefusesSecrets(t *testing.T) {
	for _, tc := range []struct {
		scheme Scheme
		secret string
	}{
		{HubSpotV3, ""}, {Close, "not hex"}, {Close, ""}, {Standard, "whsec_%%%"}, {Standard, "whsec_"},
	} {
		_, err := New(tc.scheme, []byte(tc.secret))
		require.ErrorIs(t, err, errKey, tc.scheme.Name)
		require.NotContains(t, err.Error()+" ", "whsec")
	}
	_, err := New(HubSpotV3)
	require.ErrorContains(t, err, "no secret")
}

func TestDecodeURI(t *testing.T) {
	require.Equal(t, "https://x/a?b=:/?@!$'()*,;%20%2B", decodeURI("https://x/a?b=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B%20%2B"))
	require.Equal(t, ":", decodeURI("%3a"))
	require.Equal(t, "%253A", decodeURI("%253A"), "decoded once")
}

func FuzzSignature(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Expected, v.Timestamp, v.ID)
	}
	var vs []*Verifier
	for _, s := range schemesByVector {
		v, err := New(s, []byte(otherSecret(s)))
		require.NoError(f, err)
		vs = append(vs, v)
	}
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, sig, stamp, id string) {
		for _, v := range vs {
			s := v.Scheme()
			h := http.Header{s.Header: {sig}}
			if s.TimeHeader != "" {
				h[s.TimeHeader] = []string{stamp}
			}
			if s.IDHeader != "" {
				h[s.IDHeader] = []string{id}
			}
			if err := v.Verify(&Request{Method: "POST", URI: "https://x/" + id, Header: h, Body: []byte("a body nobody signed")}, now); err == nil {
				t.Fatalf("%s accepted %q", s.Name, sig)
			}
		}
	})
}

func BenchmarkHubSpotV3(b *testing.B) {
	v := vectors(b)[4]
	ver, err := New(HubSpotV3, []byte(v.Secret))
	require.NoError(b, err)
	r, now := v.request(HubSpotV3)
	b.ReportAllocs()
	for b.Loop() {
		if err := ver.Verify(r, now); err != nil {
			b.Fatal(err)
		}
	}
}
