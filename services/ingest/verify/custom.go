package verify

import (
	"errors"
	"fmt"
	"net/textproto"
	"slices"

	"plumbline.dev/schemas/config"
)

var (
	encodings = map[string]Encoding{"": Hex, "hex": Hex, "base64": Base64, "base64url": Base64URL}
	hashes    = map[string]Hash{"": SHA256, "sha256": SHA256, "sha1": SHA1}
	keys      = map[string]Key{"": KeyRaw, "raw": KeyRaw, "hex": KeyHex, "base64": KeyBase64}
	units     = map[string]TimeUnit{"": Seconds, "s": Seconds, "ms": Millis, "rfc3339": RFC3339}
	parts     = map[string]Part{"body": Body, "timestamp": Timestamp, "id": ID, "method": Method, "uri": URI, ".": Dot}
)

// Custom makes the scheme that a hook's configuration describes.
func Custom(c *config.Signature) (Scheme, error) {
	s := Scheme{
		Name: "custom", Header: textproto.CanonicalMIMEHeaderKey(c.Header), Prefix: c.Prefix,
		TimeHeader: textproto.CanonicalMIMEHeaderKey(c.TimeHeader), IDHeader: textproto.CanonicalMIMEHeaderKey(c.IDHeader),
	}
	var err error
	s.Encoding, err = word(err, "encoding", encodings, c.Encoding)
	s.Hash, err = word(err, "hash", hashes, c.Hash)
	s.Key, err = word(err, "key", keys, c.Key)
	unit, err := word(err, "time_unit", units, c.TimeUnit)
	for _, name := range c.Signed {
		var p Part
		p, err = word(err, "signed", parts, name)
		s.Parts = append(s.Parts, p)
	}
	if len(s.Parts) == 0 {
		s.Parts = []Part{Body}
	}
	if s.TimeHeader != "" {
		s.Time, s.Window = unit, fiveMinutes
	}
	switch {
	case err != nil:
		return s, err
	case c.Header == "":
		return s, errors.New("signature.header is missing")
	case !slices.Contains(s.Parts, Body):
		return s, errors.New("signature.signed has no body: anybody could change it")
	case s.TimeHeader != "" != slices.Contains(s.Parts, Timestamp), s.IDHeader != "" != slices.Contains(s.Parts, ID):
		return s, errors.New("signature: time_header goes with timestamp in signed, id_header with id")
	}
	return s, nil
}

func word[T any](before error, name string, known map[string]T, v string) (T, error) {
	out, ok := known[v]
	if before == nil && !ok {
		before = fmt.Errorf("signature.%s %q is not known", name, v)
	}
	return out, before
}
