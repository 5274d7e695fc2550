package ingest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	conf "plumbline.dev/services/internal/config"
)

// anySecret answers every reference with one of the form its source needs.
type anySecret struct{}

func (anySecret) Resolve(ref config.Secret) ([]byte, error) {
	switch {
	case strings.Contains(string(ref), "WHSEC"):
		return []byte(whsec), nil
	case strings.Contains(string(ref), "CLOSE"):
		return []byte(closeKey), nil
	}
	return []byte(shared), nil
}

// What the pages tell people to paste is a configuration that starts, and
// every source has a page.
func TestConnectPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/connect/*.md")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		require.NoError(t, err)
		text := string(b)
		for {
			_, rest, ok := strings.Cut(text, "```yaml\n")
			if !ok {
				break
			}
			var yaml string
			yaml, text, ok = strings.Cut(rest, "```\n")
			require.True(t, ok, page)
			for _, id := range []string{"hubspot-salesforce", "warehouse-hubspot", "salesforce-warehouse", "merge-salesforce"} {
				if strings.Contains(yaml, id) && !strings.Contains(yaml, "integrations:") {
					yaml += "integrations:\n  - { id: " + id + ", source: { system: hubspot }, target: { system: salesforce } }\n"
				}
			}
			cfg, err := conf.Parse(filepath.Base(page), []byte(yaml))
			require.NoError(t, err, page)
			o := options(t, &recorder{})
			o.Config, o.Secrets = cfg, anySecret{}
			newServer(t, o)
			for _, h := range cfg.Hooks {
				seen[h.Source] = true
			}
		}
	}
	for source := range providers {
		require.True(t, seen[source], "%s has no page in docs/connect", source)
	}
}
