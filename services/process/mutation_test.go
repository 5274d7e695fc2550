package process

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSuiteSeesMissingProtection switches one protection off and demands that
// the suite notices: a check that cannot fail proves nothing.
func TestSuiteSeesMissingProtection(t *testing.T) {
	for name, child := range map[string]childConfig{
		"repeats accepted":         {AcceptRepeats: true},
		"last transaction trusted": {TrustLast: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := uint64(1); seed <= 12; seed++ {
				if _, err := killRun(t, "torn", seed, child); err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			require.Fail(t, "twelve seeds did not notice")
		})
	}
}
