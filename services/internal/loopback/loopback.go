// Package loopback gives tests addresses that a process started later listens on.
package loopback

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports are taken from below the range the kernel gives to outgoing
// connections (32768 and up, ip(7)): a client's socket cannot take the port of
// a broker between its death and its restart.
const lowest, highest = 12000, 32000

var given sync.Map // port: in this process, never twice

// Port is free now and was not given before; nothing holds it until somebody
// listens.
func Port(t testing.TB) int {
	t.Helper()
	var refused error
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest) //nolint:gosec // not a secret
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at(port))
		if err != nil {
			refused = err
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("loopback: %v", err)
		}
		if _, twice := given.LoadOrStore(port, true); !twice {
			return port
		}
	}
	t.Fatalf("loopback: no free port between %d and %d: %v", lowest, highest, refused)
	return 0
}

// Addr is host:port of a Port.
func Addr(t testing.TB) string {
	t.Helper()
	return at(Port(t))
}

// Pair is two addresses whose ports follow each other.
func Pair(t testing.TB) (first, second string) {
	t.Helper()
	for {
		port := Port(t)
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", at(port+1))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatalf("loopback: %v", err)
		}
		if _, twice := given.LoadOrStore(port+1, true); !twice {
			return at(port), at(port + 1)
		}
	}
}

func at(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
