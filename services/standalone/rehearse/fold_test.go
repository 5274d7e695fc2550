package rehearse

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/evaluate"
	"plumbline.dev/services/simulate/scenario"
)

// Whatever is silently wrong for longer than its deadline is found, and nothing
// else is, whoever reports what: the same in every run.
func TestTheLedgerFindsWhatIsSilentlyWrong(t *testing.T) {
	for name, length := range map[string]time.Duration{
		"swallowed_errors": 24 * time.Minute, "nobody_reports": 24 * time.Minute, "several_drop_and_picklist": 24 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := scenario.Load("../../../scenarios/" + name + ".yaml")
			require.NoError(t, err)
			s.Length, s.Population, s.Traffic.Rate = config.Duration(length), 80, s.Traffic.Rate/2
			r, err := Fold(t.Context(), Options{Scenario: s})
			require.NoError(t, err)
			share := func(group, row string) evaluate.Row {
				for _, x := range r.Rows {
					if x.Group == group && x.Name == row {
						return x
					}
				}
				return evaluate.Row{}
			}
			for _, row := range []string{"precision", "recall"} {
				got := share(evaluate.GroupSilent, row)
				require.NotZero(t, got.Of, row)
				require.Equal(t, got.Of, got.Hits, row)
			}
			got := share(evaluate.GroupDeliveries, "followed")
			require.Equal(t, got.Of, got.Hits)
		})
	}
}
