package services

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// stories are scenarios that the alert operator's test plays.
var stories = regexp.MustCompile("`(\\w+\\.txt)`")

// TestTrapsHaveTests holds docs/traps.md to the code.
func TestTrapsHaveTests(t *testing.T) {
	page, err := os.ReadFile("../docs/traps.md")
	require.NoError(t, err)
	rows := faultRow.FindAllStringSubmatch(string(page), -1)
	require.Len(t, rows, 30)
	told := map[string]bool{}
	for i, row := range rows {
		require.Equal(t, strconv.Itoa(i+1), row[1], "every trap has its row, in order")
		tests, played := faultTest.FindAllStringSubmatch(row[2], -1), stories.FindAllStringSubmatch(row[2], -1)
		require.NotZero(t, len(tests)+len(played), row[0])
		for _, test := range tests {
			require.True(t, declares(t, test[1], test[2]), "%s: no %s in %s", row[1], test[2], test[1])
		}
		for _, s := range played {
			told[s[1]] = true
		}
	}
	require.True(t, declares(t, "alert", "TestScenarios"))
	files, err := filepath.Glob("../pipelines/alert/testdata/*.txt")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, told[filepath.Base(f)], "%s has no row", f)
		delete(told, filepath.Base(f))
	}
	require.Empty(t, told, "no such story")
}
