// Package guard keeps calls to configured addresses out of the network that
// Plumbline runs in: an address in a config file must not become a way to its
// neighbours, or to a cloud's metadata.
package guard

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate is what a dial that leads inside fails with.
var ErrPrivate = errors.New("is no public address")

// embedding are prefixes whose addresses carry an IPv4 address in their last
// bytes and are routed to it: NAT64 (RFC 6052), 6to4 keeps it after the prefix
// (RFC 3056). Shared is carriers' space (RFC 6598), private in all but name.
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixto4 = netip.MustParsePrefix("2002::/16")
	shared = netip.MustParsePrefix("100.64.0.0/10")
)

// Dialer dials public addresses only, or any where private ones are meant. The
// check is made on the address that is really dialed, after the name was
// resolved, so that no name, spelling or redirect leads inside.
func Dialer(allowPrivate bool, timeout time.Duration) *net.Dialer {
	d := &net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		d.Control = func(_, address string, _ syscall.RawConn) error { return Public(address) }
	}
	return d
}

// Public refuses host:port where host is an IP address that is not public.
func Public(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	ip := carried(at.Addr().Unmap())
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return fmt.Errorf("%s %w", at.Addr(), ErrPrivate)
	}
	return nil
}

// carried is the IPv4 address that an IPv6 address stands for, or itself.
func carried(ip netip.Addr) netip.Addr {
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixto4.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return ip
}
