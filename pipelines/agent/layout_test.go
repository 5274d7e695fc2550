package agent

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
)

// A restart reads what the version before wrote: new fields go to the end of
// their struct.
func TestLayoutStaysReadable(t *testing.T) {
	want := Touched{
		Fields: []Touch{{Field: 7, Value: 1 << 60, Prev: 9, Actor: 1 << 50, Human: true}, {Field: 1 << 31, Value: 9, Actor: 1 << 50}},
		Actors: []Visit{{Actor: 1 << 50, Wrote: 1_790_000_000_000, Seen: 1_790_000_000_500}}, Until: 1_792_000_000_000,
	}
	const golden = "07021f070000000000000000100009000000000000000000000000000004000b8080808008020301070380b083c59868e80798c8acf30e"
	require.Equal(t, golden, hex.EncodeToString(want.AppendState(nil)))
	raw, err := hex.DecodeString(golden)
	require.NoError(t, err)
	var got Touched
	require.NoError(t, got.ReadState(raw))
	require.Equal(t, want, got)
}
