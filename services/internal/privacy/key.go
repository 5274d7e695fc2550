// Package privacy applies the field policy: what is stored clear, hashed,
// sealed or not at all. Everything that leaves ingest went through it.
//
// Both sides of a sync are hashed with one key after normalisation, so that
// records are still compared and paired; nobody without the key can tell
// whose they are.
package privacy

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// keySize is the strength of everything derived from the key.
const keySize = 32

// Key is the one secret of the field policy. It never prints.
type Key struct {
	id      string
	secret  []byte
	macs    sync.Pool
	tenants sync.Map // tenant -> *sealer
}

// NewKey makes a key of its bytes.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) < keySize {
		return nil, fmt.Errorf("hash key has %d bytes, want at least %d: remove the file to have a good one made, "+
			"unless events were stored with it", len(secret), keySize)
	}
	sum := sha256.Sum256(append([]byte("plumbline key id\x00"), secret...))
	k := &Key{id: hex.EncodeToString(sum[:6]), secret: append([]byte(nil), secret...)}
	sub, err := hkdf.Key(sha256.New, k.secret, nil, "plumbline hash v1", keySize)
	if err != nil {
		return nil, fmt.Errorf("derive hash key: %w", err)
	}
	k.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, sub)} }
	return k, nil
}

// OpenKey reads the key's file, or makes it on the first start. The text in
// it is hex, so that people can copy it to other machines.
func OpenKey(path string) (*Key, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("make hash key %s: %w", path, err)
		}
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read hash key: %w", err)
	}
	return ParseKey(b)
}

// ParseKey reads a key in hex, as it stands in its file or variable.
func ParseKey(b []byte) (*Key, error) {
	secret := make([]byte, hex.DecodedLen(len(trimNewline(b))))
	if _, err := hex.Decode(secret, trimNewline(b)); err != nil {
		return nil, errors.New("hash key is not hex: restore the file that was made on the first start")
	}
	return NewKey(secret)
}

// create writes a new key so that no reader ever sees half of it, and of two
// processes that start together both use the first one's.
func create(path string) error {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // never fails since Go 1.24
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".hash-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(hex.EncodeToString(secret) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	// Link refuses to replace: whoever came first has made the key.
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func trimNewline(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// ID names the key without giving it away: roles with different keys refuse
// to work on the same rows.
func (k *Key) ID() string { return k.id }

// String keeps the key out of logs.
func (k *Key) String() string { return "key " + k.id }

// GoString keeps the key out of %#v too.
func (k *Key) GoString() string { return k.String() }

// mac is a reusable HMAC: making one costs more than hashing a field.
type mac struct {
	hash.Hash
	in  []byte
	sum [sha256.Size]byte
}

// Hash is the hex HMAC-SHA256 of a normalised value.
func (k *Key) Hash(normal string) string {
	m := k.macs.Get().(*mac)
	m.Reset()
	m.in = append(m.in[:0], normal...)
	m.Write(m.in)
	s := hex.EncodeToString(m.Sum(m.sum[:0]))
	clear(m.in)
	k.macs.Put(m)
	return s
}
