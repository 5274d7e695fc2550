package warehouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// post sends a block over HTTP as it lies in memory. The client library would
// build its own copy, cell by cell, at several times the cost (docs/adr/0008).
func (d *DB) post(ctx context.Context, b Block, settings clickhouse.Settings) error {
	doing := "insert into " + b.Table.Name
	args := url.Values{
		"query": {b.Table.insert + " FORMAT Native"}, "database": {d.database}, "query_id": {b.QueryID},
	}
	for _, set := range []clickhouse.Settings{d.opts.Settings, settings} {
		for name, value := range set {
			args.Set(name, fmt.Sprint(value))
		}
	}
	body, size := b.Cells.native()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.address()+"?"+args.Encode(), body)
	if err != nil {
		return wrap(doing, err)
	}
	req.ContentLength = int64(size)
	d.identify(req)
	res, err := d.http.Do(req)
	if err != nil {
		return wrap(doing, withoutURL(err))
	}
	defer res.Body.Close()
	return wrap(doing, answer(res))
}

// Download writes a query's whole result in one of ClickHouse's formats,
// as it arrives. The query cannot write.
func (d *DB) Download(ctx context.Context, w io.Writer, sql, format string) error {
	if d.opts.Protocol != clickhouse.HTTP {
		return errors.New("a download needs a DSN that begins with http:// or https://")
	}
	args := url.Values{"database": {d.database}, "readonly": {"2"}, "default_format": {format}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.address()+"?"+args.Encode(), strings.NewReader(sql))
	if err != nil {
		return wrap("download", err)
	}
	d.identify(req)
	res, err := d.http.Do(req)
	if err != nil {
		return wrap("download", withoutURL(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return wrap("download", answer(res))
	}
	_, err = io.Copy(w, res.Body) // the server cuts the connection where a query fails half-way
	return wrap("download", err)
}

func (d *DB) identify(req *http.Request) {
	req.Header.Set("X-ClickHouse-User", d.opts.Auth.Username)
	req.Header.Set("X-ClickHouse-Key", d.opts.Auth.Password)
	for name, value := range d.opts.HttpHeaders {
		req.Header.Set(name, value)
	}
}

// withoutURL keeps the query out of log lines.
func withoutURL(err error) error {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // what Do returns, not what it wraps
		return e.Err
	}
	return err
}

const maxAnswer = 64 << 10

func answer(res *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if res.StatusCode == http.StatusOK && err == nil && len(text) == 0 {
		return nil
	}
	code, codeErr := strconv.ParseInt(res.Header.Get("X-ClickHouse-Exception-Code"), 10, 32)
	if codeErr != nil { // a proxy's word, or an answer cut short: nobody knows
		return fmt.Errorf("status %d: %.200q %w", res.StatusCode, text, err)
	}
	return &clickhouse.Exception{Code: int32(code), Message: strings.TrimSpace(string(text))}
}

func (d *DB) address() string {
	scheme := "http"
	if d.opts.TLS != nil {
		scheme = "https"
	}
	u := url.URL{Scheme: scheme, Host: d.opts.Addr[0], Path: d.opts.HttpUrlPath}
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

func newHTTP(o *clickhouse.Options) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: o.TLS, MaxIdleConnsPerHost: o.MaxIdleConns,
		// Below the server's own: a connection it closes under a request makes an INSERT uncertain.
		IdleConnTimeout: 3 * time.Second, WriteBufferSize: 256 << 10,
	}}
}
