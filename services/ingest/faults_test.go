package ingest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The table of faults names tests that are there.
func TestFaultTable(t *testing.T) {
	table, err := os.ReadFile("../../docs/hostile-input.md")
	require.NoError(t, err)
	found := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	for _, root := range []string{"..", "../../pipelines"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range declared.FindAllSubmatch(b, -1) {
				found[string(m[1])] = true
			}
			return err
		}))
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`").FindAllSubmatch(table, -1)
	require.Greater(t, len(named), 50)
	for _, m := range named {
		require.True(t, found[string(m[1])], "%s is in the table and nowhere else", m[1])
	}
}
