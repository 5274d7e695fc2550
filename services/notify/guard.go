package notify

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// guarded dials only addresses of the public internet: a webhook address in a
// config file must not become a way into the network Plumbline runs in. The
// check is made on the address that is really dialed, after the name was
// resolved.
func guarded(allowPrivate bool) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		d.Control = func(_, address string, _ syscall.RawConn) error { return public(address) }
	}
	return d.DialContext
}

func public(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	ip := at.Addr().Unmap()
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return fmt.Errorf("%s is no public address: set notify.allow_private if that is meant", ip)
	}
	return nil
}

// shared is carrier-grade address space, private in all but name.
var shared = netip.MustParsePrefix("100.64.0.0/10")
