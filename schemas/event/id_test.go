package event

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Anyone can recompute an id with plain SHA-256; the literals are what other
// people have stored.
func TestIDs(t *testing.T) {
	minute := Time(1_767_225_660_000)
	tests := map[string]struct {
		got   string
		parts []string
		want  string
	}{
		"delivery": {
			DeliveryID("hs-sf", "contact", "hs-sf/contact/101", "c1"),
			[]string{"delivery", "hs-sf", "contact", "hs-sf/contact/101", "c1"},
			"cdfea25ab381fff7b843d47087c86971",
		},
		"divergence": {
			DivergenceID("hs-sf", "contact", "hs-sf/contact/101", "", Stale),
			[]string{"divergence", "hs-sf", "contact", "hs-sf/contact/101", "", "stale"},
			"7c668e7238694fd2c0f810d4279df02d",
		},
		"incident": {
			IncidentID("hs-sf", "fp", minute),
			[]string{"incident", "hs-sf", "fp", "2026-01-01T00:01:00.000Z"},
			"f40306cb9ab35337b8aa31892acbfcb4",
		},
		"alert": {AlertID("drift", "hs-sf/contact"), []string{"alert", "drift", "hs-sf/contact"}, "c75469146e73d0fb9c12083559523519"},
		"long":  {Hash(strings.Repeat("x", 1000)), []string{strings.Repeat("x", 1000)}, "44f8354494a5ba03ba1792a8d3e9c534"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sum := sha256.Sum256([]byte(strings.Join(tt.parts, "\x1f")))
			require.Equal(t, fmt.Sprintf("%x", sum[:16]), tt.got)
			require.Equal(t, tt.want, tt.got)
		})
	}
	require.NotEqual(t, Hash("a", "b"), Hash("ab"))
	require.NotEqual(t, Hash("a", ""), Hash("a"))
}

func TestHashAllocatesItsResultOnly(t *testing.T) {
	n := testing.AllocsPerRun(100, func() { DeliveryID("hs-sf", "contact", "hs-sf/contact/101", "c1") })
	require.LessOrEqual(t, n, 1.0)
}

func TestKeys(t *testing.T) {
	require.Equal(t, "hubspot/62515/contact/101", NativeKey("hubspot", "62515", "contact", "101"))
	require.Equal(t, "hs-sf/contact/101", RecordKey("hs-sf", "contact", "101"))
}

func TestTime(t *testing.T) {
	at := time.Date(2026, 1, 1, 1, 0, 0, 123_999_999, time.FixedZone("CET", 3600))
	require.Equal(t, "2026-01-01T00:00:00.123Z", At(at).String())
	require.Equal(t, at.Truncate(time.Millisecond).UTC(), At(at).Std())
	require.Equal(t, "-", Time(0).String())
	require.EqualValues(t, 24*time.Hour/time.Millisecond, Day)
}

func TestValue(t *testing.T) {
	tests := map[string]struct {
		v     Value
		blank bool
		show  string
	}{
		"text":       {Value{Text: "Ann"}, false, "Ann"},
		"empty text": {Value{}, true, ""},
		"null":       {Value{Kind: KindNull}, true, ""},
		"zero":       {Value{Kind: KindNumber, Text: "0"}, false, "0"},
		"hash":       {Value{Kind: KindHash, Text: "ab12", Mask: "j***@example.com", Len: 16}, false, "j***@example.com"},
		"seal":       {Value{Kind: KindSeal, Text: "c2VjcmV0"}, false, "(sealed)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, tt.blank, tt.v.Blank())
			require.Equal(t, tt.show, tt.v.Show())
		})
	}
	fields := []Field{{Name: "a", Value: Value{Text: "1"}}, {Name: "b", Value: Value{Text: "2"}}}
	v, ok := Find(fields, "b")
	require.True(t, ok)
	require.Equal(t, "2", v.Text)
	_, ok = Find(fields, "c")
	require.False(t, ok)
}

func TestAttemptFailed(t *testing.T) {
	require.True(t, (&Attempt{Outcome: OutcomeError}).Failed())
	require.False(t, (&Attempt{Outcome: OutcomeOK}).Failed())
}
