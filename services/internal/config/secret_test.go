package config

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
)

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, v string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(v), 0o600))
	}
	write("token", "  spaced token \r\n")
	write("empty", "\n")
	write("large", string(make([]byte, maxSecret+1)))
	s := Secrets{Dir: dir, Env: func(name string) (string, bool) {
		v, ok := map[string]string{"TOKEN": "from env", "BLANK": ""}[name]
		return v, ok
	}}
	for _, tc := range []struct {
		ref        config.Secret
		want, fail string
	}{
		{ref: "env:TOKEN", want: "from env"},
		{ref: "file:token", want: "  spaced token "},
		{ref: config.Secret("file:" + filepath.Join(dir, "token")), want: "  spaced token "},
		{ref: "env:NONE", fail: "env:NONE is not set"},
		{ref: "env:BLANK", fail: "env:BLANK is not set"},
		{ref: "file:empty", fail: "is empty"},
		{ref: "file:large", fail: "is larger than"},
		{ref: "file:none", fail: "cannot be read"},
		{ref: "hunter2", fail: "expected env:NAME or file:PATH"},
		{ref: "env:", fail: "expected env:NAME or file:PATH"},
		{ref: "http://hunter2", fail: "expected env:NAME or file:PATH"},
		{ref: "", fail: "expected env:NAME or file:PATH"},
	} {
		t.Run(string(tc.ref), func(t *testing.T) {
			got, err := s.Resolve(tc.ref)
			if tc.fail != "" {
				require.ErrorContains(t, err, tc.fail)
				require.NotContains(t, err.Error(), "hunter2")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, string(got))
		})
	}
}

func TestSecretPath(t *testing.T) {
	s := Secrets{Dir: "conf"}
	p, err := s.Path("file:hash.key")
	require.NoError(t, err)
	require.Equal(t, filepath.Join("conf", "hash.key"), p)
	_, err = s.Path("env:KEY")
	require.ErrorContains(t, err, "is not a file")
}
