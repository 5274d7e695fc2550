package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Another speed holds from the moment it is set.
func TestTurn(t *testing.T) {
	g := NewGated(1000, time.Hour)
	g.Done(g.Now().Add(time.Hour))
	require.Equal(t, time.Millisecond, g.Wall(time.Second))
	g.Turn(1)
	require.Equal(t, time.Second, g.Wall(time.Second))
	before := g.Now()
	require.Less(t, g.Now().Sub(before), time.Hour)
}
