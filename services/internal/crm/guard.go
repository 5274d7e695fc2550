package crm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumbline.dev/services/internal/guard"
)

// Base checks the address that calls go to. Credentials travel encrypted,
// unless a private address is meant.
func Base(raw string, allowPrivate bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	switch {
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("%q is no address; expected https://host", raw)
	case u.Scheme != "https" && (u.Scheme != "http" || !allowPrivate):
		return nil, fmt.Errorf("%q would send the credential in clear; expected https", raw)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: expected https://host and nothing else", u.Redacted())
	}
	return u, nil
}

// Transport dials only where it may, whatever a name resolves to.
func Transport(allowPrivate bool) *http.Transport {
	return &http.Transport{
		DialContext: Dialer(allowPrivate), TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
}

// Dialer opens connections only where they may lead.
func Dialer(allowPrivate bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := guard.Dialer(allowPrivate, 5*time.Second)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, addr)
		if errors.Is(err, guard.ErrPrivate) {
			err = fmt.Errorf("%w: set allow_private on the connection if that is meant", err)
		}
		return conn, err
	}
}
