package event

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the bytes, a borrowed message is the decoded one.
func TestBorrowedIsDecoded(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's own dice
	for _, kind := range types {
		b := NewBorrower(kind)
		whole, err := Encode(nil, full(kind))
		require.NoError(t, err)
		empty, err := Encode(nil, New(kind))
		require.NoError(t, err)
		same := func(raw []byte) {
			want, wantErr := Decode(kind, raw)
			got, gotErr := b.Decode(raw)
			require.Equal(t, wantErr == nil, gotErr == nil, "%s %x: %v, %v", kind, raw, wantErr, gotErr)
			if wantErr == nil {
				require.Equal(t, mustEncode(t, want), mustEncode(t, got), "%s %x", kind, raw)
			}
			got, gotErr = DecodeShared(kind, raw)
			require.Equal(t, wantErr == nil, gotErr == nil, "%s %x: %v, %v", kind, raw, wantErr, gotErr)
			if wantErr == nil {
				require.Equal(t, want, got, "%s %x", kind, raw)
			}
		}
		for range 400 {
			same(whole)
			same(empty) // nothing of the one before is left
			raw := append([]byte(nil), whole...)
			for range 1 + rng.IntN(3) {
				raw[rng.IntN(len(raw))] = byte(rng.UintN(256))
			}
			same(raw[:rng.IntN(len(raw)+1)])
			same(raw)
		}
	}
	require.Nil(t, NewBorrower("no such type"))
}

func mustEncode(t *testing.T, e Event) []byte {
	t.Helper()
	raw, err := Encode(nil, e)
	require.NoError(t, err)
	return raw
}

func BenchmarkBorrow(b *testing.B) {
	raw, err := Encode(nil, full(TypeAttempt))
	require.NoError(b, err)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(TypeAttempt, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("shared", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeShared(TypeAttempt, raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("borrow", func(b *testing.B) {
		b.ReportAllocs()
		r := NewBorrower(TypeAttempt)
		for b.Loop() {
			if _, err := r.Decode(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}
