package privacy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func testKey(t testing.TB, fill byte) *Key {
	t.Helper()
	k, err := NewKey([]byte(strings.Repeat(string(rune('a'+fill)), keySize)))
	require.NoError(t, err)
	return k
}

func TestOpenKeyMakesItOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "hash.key")
	ids := make([]string, 16)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			k, err := OpenKey(path)
			if err == nil {
				ids[i] = k.ID()
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		require.Len(t, id, 12)
		require.Equal(t, ids[0], id, "all that start together use one key")
	}
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "no temporary file stays")
}

func TestOpenKeyRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct{ text, want string }{
		"short":   {"abcd", "want at least 32"},
		"empty":   {"", "want at least 32"},
		"not hex": {strings.Repeat("zz", 32), "is not hex"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(tc.text), 0o600))
		_, err := OpenKey(path)
		require.ErrorContains(t, err, tc.want)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, tc.text, string(after), "a key that is there is never replaced")
	}
}

func TestKeyNeverPrints(t *testing.T) {
	k := testKey(t, 0)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.Equal(t, "key "+k.ID(), fmt.Sprintf(verb, k))
	}
	require.NotContains(t, k.ID(), "aaaa")
}

func TestHash(t *testing.T) {
	k, other := testKey(t, 0), testKey(t, 1)
	require.Len(t, k.Hash("x"), 64)
	again := testKey(t, 0)
	require.Equal(t, k.Hash("x"), again.Hash("x"))
	require.NotEqual(t, k.Hash("x"), k.Hash("y"))
	require.NotEqual(t, k.Hash("x"), other.Hash("x"))
	require.NotEqual(t, k.ID(), other.ID())
}

func TestSeal(t *testing.T) {
	k := testKey(t, 0)
	a, b := k.Seal("acme", "hook:x", []byte("secret")), k.Seal("acme", "hook:x", []byte("secret"))
	require.NotEqual(t, a, b, "bytes are sealed with a nonce of their own")
	require.NotContains(t, string(a), "secret")
	plain, err := k.Open("acme", "hook:x", a)
	require.NoError(t, err)
	require.Equal(t, "secret", string(plain))

	flip := func(i int) []byte { c := append([]byte(nil), a...); c[i] ^= 1; return c }
	for name, open := range map[string]func() ([]byte, error){
		"other tenant":  func() ([]byte, error) { return k.Open("other", "hook:x", a) },
		"other purpose": func() ([]byte, error) { return k.Open("acme", "hook:y", a) },
		"other key":     func() ([]byte, error) { return testKey(t, 1).Open("acme", "hook:x", a) },
		"version":       func() ([]byte, error) { return k.Open("acme", "hook:x", flip(0)) },
		"nonce":         func() ([]byte, error) { return k.Open("acme", "hook:x", flip(1)) },
		"text":          func() ([]byte, error) { return k.Open("acme", "hook:x", flip(len(a)-1)) },
		"short":         func() ([]byte, error) { return k.Open("acme", "hook:x", a[:8]) },
	} {
		_, err := open()
		require.ErrorIs(t, err, errSealed, name)
	}
}

func TestSealTextCanBeCompared(t *testing.T) {
	k := testKey(t, 0)
	again := testKey(t, 0)
	require.Equal(t, k.SealText("acme", "v"), again.SealText("acme", "v"))
	require.NotEqual(t, k.SealText("acme", "v"), k.SealText("acme", "w"))
	require.NotEqual(t, k.SealText("acme", "v"), k.SealText("other", "v"))
	plain, err := k.OpenText("acme", k.SealText("acme", "v"))
	require.NoError(t, err)
	require.Equal(t, "v", plain)
	_, err = k.OpenText("acme", "%%%")
	require.ErrorIs(t, err, errSealed)
}
