package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"plumbline.dev/schemas/config"
)

// maxSecret bounds a secret file: the largest in use are private keys.
const maxSecret = 64 << 10

// errLiteral never repeats the text: it may be the secret itself.
var errLiteral = errors.New("is not a reference; expected env:NAME or file:PATH, never the secret itself")

// Secrets resolves references to secrets. Relative paths start at Dir, the
// folder of the config file.
type Secrets struct {
	Dir string
	Env func(name string) (string, bool) // default os.LookupEnv
}

// Resolve returns the secret. Errors name the reference, never the value.
func (s Secrets) Resolve(ref config.Secret) ([]byte, error) {
	scheme, rest, err := split(ref)
	if err != nil {
		return nil, fmt.Errorf("secret %w", err)
	}
	if scheme == "env" {
		return s.env(rest)
	}
	return readSecret(s.path(rest))
}

// Path is the file a file: reference means, for secrets that are made where
// they are missing.
func (s Secrets) Path(ref config.Secret) (string, error) {
	scheme, rest, err := split(ref)
	if err != nil {
		return "", fmt.Errorf("secret %w", err)
	}
	if scheme != "file" {
		return "", fmt.Errorf("secret %s is not a file", ref)
	}
	return s.path(rest), nil
}

func (s Secrets) path(p string) string {
	if filepath.IsAbs(p) || s.Dir == "" {
		return p
	}
	return filepath.Join(s.Dir, p)
}

func (s Secrets) env(name string) ([]byte, error) {
	lookup := s.Env
	if lookup == nil {
		lookup = os.LookupEnv
	}
	v, ok := lookup(name)
	if !ok || v == "" {
		return nil, fmt.Errorf("secret env:%s is not set: export %s before starting", name, name)
	}
	return []byte(v), nil
}

func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("secret file:%s cannot be read: %w", path, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, fmt.Errorf("secret file:%s cannot be read: %w", path, err)
	}
	if len(b) > maxSecret {
		return nil, fmt.Errorf("secret file:%s is larger than %d bytes", path, maxSecret)
	}
	// Editors end files with a newline; no provider's secret does.
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return nil, fmt.Errorf("secret file:%s is empty", path)
	}
	return b, nil
}

func split(ref config.Secret) (scheme, rest string, err error) {
	scheme, rest, ok := strings.Cut(string(ref), ":")
	if !ok || rest == "" || (scheme != "env" && scheme != "file") {
		return "", "", errLiteral
	}
	if scheme == "env" && strings.ContainsAny(rest, "= \t\n") {
		return "", "", errLiteral
	}
	return scheme, rest, nil
}
