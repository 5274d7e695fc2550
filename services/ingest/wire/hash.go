package wire

import (
	"bytes"
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
)

// Count takes the current member into the hash of the element's content. The
// order of members and white space make no difference.
func (m *Members) Count() {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write(m.name)
	_, _ = d.Write([]byte{0})
	_, _ = d.Write(canonical(m.value))
	m.hash += d.Sum64()
	m.n++
}

// Hash is the hash of the members counted so far.
func (m *Members) Hash() uint64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], m.hash)
	binary.LittleEndian.PutUint64(b[8:], m.n)
	return xxhash.Sum64(b[:])
}

// Mix joins the hashes of several elements.
func Mix(a, b uint64) uint64 {
	var x [16]byte
	binary.LittleEndian.PutUint64(x[:], a)
	binary.LittleEndian.PutUint64(x[8:], b)
	return xxhash.Sum64(x[:])
}

// canonical is one spelling of a value. Numbers keep their digits: as floats,
// two ids beyond 2^53 would be one.
func canonical(v jsontext.Value) []byte {
	if v[0] != '{' && v[0] != '[' && bytes.IndexByte(v, '\\') < 0 {
		return v
	}
	c := v.Clone()
	if err := c.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false)); err != nil {
		return v
	}
	return c
}

// ContentID is the id of an element whose sender gave none: the same content
// is the same event.
func ContentID(kind string, element []byte) string {
	return event.Hash(kind, string(canonical(element)))
}
