package crm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// errPrivate is where a configuration must not send a credential by mistake.
var errPrivate = errors.New("leads into a private network: set allow_private on the connection if that is meant")

// shared is the carriers' address space, which netip does not count as private.
var shared = netip.MustParsePrefix("100.64.0.0/10")

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

// Transport dials only where it may: the address is judged after the name was
// resolved, so that no name leads inside.
func Transport(allowPrivate bool) *http.Transport {
	d := &net.Dialer{Timeout: 5 * time.Second}
	if !allowPrivate {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error { return public(address) }
	}
	return &http.Transport{
		DialContext: d.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: callTimeout,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
}

func public(address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	ip := a.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || shared.Contains(ip) {
		return fmt.Errorf("%s %w", ip, errPrivate)
	}
	return nil
}
