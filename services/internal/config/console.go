package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"

	"plumbline.dev/schemas/config"
)

var roles = []string{"viewer", "operator", "admin"}

// console refuses a page on the network that anybody may click in.
func (s *source) console(c *config.Config) {
	if u, err := url.Parse(c.Console.URL); c.Console.URL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		s.add("console.url", "is %q; expected an address like https://plumbline.example.com", c.Console.URL)
	}
	for i, p := range c.Console.People {
		path := fmt.Sprintf("console.people[%d]", i)
		s.required(path+".name", p.Name)
		s.word(path+".role", p.Role, roles)
		s.secret(path+".token", p.Token)
		if p.Token == "" && c.Console.Proxy == nil {
			s.add(path+".token", "is needed, as env:NAME or file:PATH; only people behind a console.proxy have none")
		}
	}
	if x := c.Console.Proxy; x != nil {
		s.required("console.proxy.header", x.Header)
		if len(x.From) == 0 {
			s.add("console.proxy.from", "is needed: the addresses that the proxy calls from")
		}
		for i, from := range x.From {
			if _, err := Prefix(from); err != nil {
				s.add(fmt.Sprintf("console.proxy.from[%d]", i), "is %q; expected an address like 10.0.0.7 or 10.0.0.0/28", from)
			}
		}
	}
	host, _, err := net.SplitHostPort(c.Listen.Console)
	if err == nil && len(c.Console.People) == 0 && !loopback(host) {
		s.add("listen.console", "is %q, reachable from the network, and nobody has to log in: "+
			"add console.people with a token and a role each, or listen on 127.0.0.1", c.Listen.Console)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Prefix reads an address or a network.
func Prefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}
