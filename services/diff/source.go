package diff

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"plumbline.dev/services/internal/tabular"
)

// source is where a side's records are.
type source struct {
	label string // for people: never a password
	path  string // of a file
	dsn   string // of a database
	from  string // its table or query
}

// locate finds out what an argument names. Data that can be read only once is
// written to a file first.
func locate(ctx context.Context, o *Options, arg, name string) (*source, error) {
	if variable, ok := strings.CutPrefix(arg, "env:"); ok {
		variable, from, _ := strings.Cut(variable, "#")
		dsn := os.Getenv(variable)
		if dsn == "" {
			return nil, usage("%s: the environment has no %s", arg, variable)
		}
		if arg = dsn; from != "" {
			arg += "#" + from
		}
	}
	scheme, _, isURL := strings.Cut(arg, "://")
	switch {
	case arg == "-":
		path, err := spool(o, name, o.Stdin)
		return &source{label: "standard input", path: path}, err
	case isURL && (scheme == "http" || scheme == "https"):
		return fetch(ctx, o, arg, name)
	case isURL && (tabular.IsSQL(arg) || isClickHouse(arg)):
		dsn, from, _ := strings.Cut(arg, "#")
		if strings.TrimSpace(from) == "" {
			return nil, usage("%s: name a table or a query behind #, for instance %s", redact(dsn), "'"+scheme+"://host/database#contacts'")
		}
		return &source{label: redact(dsn) + "#" + from, dsn: dsn, from: from}, nil
	case isURL:
		return nil, usage("%s:// cannot be read: use a file, http(s), postgres, mysql, clickhouse or clickhouse+http(s)", scheme)
	}
	path, err := filepath.Abs(arg)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil && !isGlob(path) {
		return nil, usage("%s cannot be read: %w", arg, err)
	}
	return &source{label: arg, path: path}, nil
}

// isGlob reports whether a path stands for many Parquet files.
func isGlob(path string) bool {
	return strings.HasSuffix(path, ".parquet") && strings.ContainsAny(path, "*?{")
}

// redact takes the password out of an address.
func redact(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		scheme, _, _ := strings.Cut(dsn, "://")
		return scheme + "://..."
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	u.RawQuery = ""
	return u.String()
}

func spool(o *Options, name string, in io.Reader) (string, error) {
	path := filepath.Join(o.Dir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(f, in); err != nil {
		f.Close()
		return "", err
	}
	return path, f.Close()
}

func fetch(ctx context.Context, o *Options, address, name string) (*source, error) {
	label := redact(address)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, usage("%s is no address", label)
	}
	o.progress("fetch %s", label)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", label, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: the server answers %s", label, res.Status)
	}
	path, err := spool(o, name, res.Body)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", label, err)
	}
	return &source{label: label, path: path}, nil
}
