package loopback

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPortsAreFreeAndGivenOnce(t *testing.T) {
	seen := map[int]bool{}
	for range 500 {
		p := Port(t)
		require.False(t, seen[p], "given twice: %d", p)
		require.Less(t, p, 32768, "the kernel gives those to clients")
		seen[p] = true
	}
	first, second := Pair(t)
	a, err := net.ResolveTCPAddr("tcp", first)
	require.NoError(t, err)
	b, err := net.ResolveTCPAddr("tcp", second)
	require.NoError(t, err)
	require.Equal(t, a.Port+1, b.Port)
	require.False(t, seen[a.Port] || seen[b.Port])
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", Addr(t))
	require.NoError(t, err)
	require.NoError(t, l.Close())
}
