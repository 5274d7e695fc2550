package services

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	faultRow  = regexp.MustCompile(`(?m)^\| (\d+) \| [^|]+ \| (.+) \|$`)
	faultTest = regexp.MustCompile("`([a-z/]+)\\.(Test\\w+|Fuzz\\w+)`")
)

// TestFaultsHaveTests holds docs/faults.md to the code.
func TestFaultsHaveTests(t *testing.T) {
	page, err := os.ReadFile("../docs/faults.md")
	require.NoError(t, err)
	for i, row := range faultRow.FindAllStringSubmatch(string(page), -1) {
		require.Equal(t, strconv.Itoa(i+1), row[1], "every fault has its row, in order")
		tests := faultTest.FindAllStringSubmatch(row[2], -1)
		require.NotEmpty(t, tests, row[0])
		for _, test := range tests {
			require.True(t, declares(t, test[1], test[2]), "%s: no %s in %s", row[1], test[2], test[1])
		}
	}
	require.Len(t, faultRow.FindAllString(string(page), -1), 68)
}

func declares(t *testing.T, pkg, test string) bool {
	for _, module := range []string{".", "../pipelines"} {
		files, err := filepath.Glob(filepath.Join(module, pkg, "*_test.go"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			if regexp.MustCompile(`(?m)^func ` + test + `\(`).Match(text) {
				return true
			}
		}
	}
	return false
}
