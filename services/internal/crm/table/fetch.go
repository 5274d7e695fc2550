package table

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/guard"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/internal/warehouse"
)

// fetcher gets files over HTTP, or from S3, whose requests it signs.
type fetcher struct {
	system string
	base   *url.URL
	token  string
	client *http.Client
	clock  pace.Clock
	region string
	keys   aws.Credentials // of S3; zero = a bucket that everybody may read
}

// maxFile bounds what is fetched: exports of ten million records have some GB.
const maxFile = 32 << 30

func (f *fetcher) close() { f.client.CloseIdleConnections() }

func (f *fetcher) get(ctx context.Context, name string, to io.Writer) error {
	u := f.base.JoinPath(name)
	u.RawQuery = f.base.RawQuery // of signed addresses
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return f.failed(crm.KindSchema, 0, "the address of "+name+" cannot be read", nil)
	}
	if f.token != "" {
		req.Header.Set("Authorization", "Bearer "+f.token)
	}
	if f.keys.HasKeys() {
		nothing := sha256.Sum256(nil)
		hash := hex.EncodeToString(nothing[:])
		req.Header.Set("X-Amz-Content-Sha256", hash)
		if err := v4.NewSigner().SignHTTP(ctx, f.keys, req, hash, "s3", f.region, f.clock.Now()); err != nil {
			return fmt.Errorf("sign the request for %s: %w", name, err)
		}
	}
	res, err := f.client.Do(req)
	if err != nil {
		kind := crm.KindNetwork
		if errors.Is(err, guard.ErrPrivate) {
			kind = crm.KindRefused
		}
		return f.failed(kind, 0, crm.WithoutURL(err), err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return f.failed(crm.ByStatus(res.StatusCode), res.StatusCode, name+": "+crm.Cut(string(text), 200), nil)
	}
	n, err := io.Copy(to, io.LimitReader(res.Body, maxFile+1))
	switch {
	case err != nil:
		return f.failed(crm.KindNetwork, 0, name+" broke off", err)
	case n > maxFile:
		return f.failed(crm.KindRefused, 0, name+" is larger than 32 GiB", nil)
	}
	return nil
}

func (f *fetcher) failed(kind crm.Kind, status int, message string, err error) error {
	return &crm.Error{Kind: kind, System: f.system, Status: status, Message: message, Err: err}
}

// locate makes the source that an address means. No error repeats it.
func locate(o *Options) (source, error) {
	scheme, rest, ok := strings.Cut(o.DSN, "://")
	if !ok {
		scheme, rest = "file", o.DSN
	}
	dial := crm.Dialer(o.AllowPrivate)
	switch scheme {
	case "postgres", "postgresql":
		return &database{dsn: o.DSN, system: o.System, dialect: &postgres, dial: dial}, nil
	case "mysql":
		return &database{dsn: o.DSN, system: o.System, dialect: &mysql, dial: dial}, nil
	case "clickhouse", "clickhouse+http", "clickhouse+https":
		dsn := o.DSN
		if scheme != "clickhouse" {
			dsn = strings.TrimPrefix(dsn, "clickhouse+")
		}
		db, err := warehouse.Open(warehouse.Options{DSN: dsn, MaxConns: 2, Dial: dialTo(dial)})
		return &engine{db: db, system: o.System, owned: true}, err
	case "http", "https", "s3":
		return remoteFiles(o, scheme)
	case "file":
		if rest == "" {
			return nil, errors.New("the dsn is empty: name a folder, or an address like postgres://, mysql://, clickhouse://, https:// or s3://")
		}
		return &files{o: o, dir: rest}, nil
	}
	return nil, fmt.Errorf("a dsn of %.20s:// cannot be read: use a folder, postgres, mysql, clickhouse, clickhouse+http(s), http(s) or s3", scheme)
}

func remoteFiles(o *Options, scheme string) (source, error) {
	u, err := url.Parse(o.DSN)
	if err != nil || u.Host == "" {
		return nil, errors.New("the dsn cannot be read: write https://host/folder or s3://KEY:SECRET@bucket/folder?region=eu-west-1")
	}
	f := &fetcher{
		system: o.System, base: u, token: o.Token, clock: o.Clock,
		client: &http.Client{Transport: crm.Transport(o.AllowPrivate), CheckRedirect: crm.NoRedirect, Timeout: patience},
	}
	if scheme == "s3" {
		if err := f.bucket(u); err != nil {
			return nil, err
		}
	}
	if f.base.Scheme != "https" && !o.AllowPrivate {
		return nil, errors.New("http would send records in clear: use https, or allow_private inside a network of your own")
	}
	dir, err := os.MkdirTemp("", "plumbline-files-")
	if err != nil {
		return nil, err
	}
	return &files{o: o, fetch: f, dir: dir, fetched: map[string]copied{}}, nil
}

// bucket turns s3://KEY:SECRET@bucket/folder into an address. endpoint names
// another server that speaks S3.
func (f *fetcher) bucket(u *url.URL) error {
	q := u.Query()
	if f.region = q.Get("region"); f.region == "" {
		f.region = "us-east-1"
	}
	if u.User != nil {
		secret, _ := u.User.Password()
		f.keys = aws.Credentials{AccessKeyID: u.User.Username(), SecretAccessKey: secret, SessionToken: q.Get("session_token")}
	}
	address := "https://" + u.Host + ".s3." + f.region + ".amazonaws.com"
	if e := q.Get("endpoint"); e != "" {
		address = strings.TrimRight(e, "/") + "/" + u.Host
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" {
		return errors.New("the endpoint of the bucket cannot be read: write endpoint=https://host")
	}
	f.base = base.JoinPath(u.Path)
	return nil
}
