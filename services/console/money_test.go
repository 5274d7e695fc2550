package console

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMoneyIsShort(t *testing.T) {
	for amount, want := range map[float64]string{0: "0", 950.4: "950", 12_300: "12 k", 412_300: "412 k", 2_450_000: "2.5 m", -1_200_000: "-1.2 m"} {
		require.Equal(t, want, money(amount))
	}
}

func TestMoneyLeadsToItsRecords(t *testing.T) {
	lines := moneyLines(&Snapshot{Impact: []ImpactRow{{Integration: "a&b", Object: "deal", Sentence: "412 k USD open on 63 deal records"}}})
	require.Equal(t, []moneyLine{{Words: "412 k USD open on 63 deal records", Where: "a&b", Href: "/rows/impact_records?integration=a%26b&object=deal"}}, lines)
}
