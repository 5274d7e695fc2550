package console_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

const deploy = "../../deploy"

// grafana fills in what Grafana would.
var grafana = strings.NewReplacer(
	"${integration:singlequote}", "'a', 'b'",
)

var (
	interval = regexp.MustCompile(`\$__timeInterval\((\w+)\)`)
	filter   = regexp.MustCompile(`\$__timeFilter\((\w+)\)`)
)

// Every panel of every dashboard is SQL that runs, over public names.
func TestDashboardsRun(t *testing.T) {
	db := warehousetest.New(t)
	files, err := filepath.Glob(deploy + "/grafana/dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		var board struct {
			Templating struct{ List []struct{ Query string } }
			Panels     []struct {
				Title   string
				Targets []struct{ RawSQL string }
			}
		}
		require.NoError(t, json.Unmarshal(b, &board))
		run := func(what, sql string) {
			sql = interval.ReplaceAllString(filter.ReplaceAllString(grafana.Replace(sql), "$1 >= now() - 3600"), "toStartOfInterval(toDateTime($1), INTERVAL 60 second)")
			require.NotContains(t, sql, "_raw", "%s: public names only", what)
			_, _, err := db.Table(t.Context(), warehouse.Limits{Time: 30e9, Rows: 1000, Memory: 1 << 30}, sql)
			require.NoError(t, err, "%s: %s", file, what)
		}
		for _, v := range board.Templating.List {
			run("variable", v.Query)
		}
		require.NotEmpty(t, board.Panels)
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				run(p.Title, target.RawSQL)
			}
		}
	}
}

// Every rule names a metric that exists and a heading that tells what to do.
func TestPrometheusRules(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	b, err := os.ReadFile(deploy + "/prometheus/rules.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalWithOptions(b, &rules))
	runbook, err := os.ReadFile("../../docs/runbook.md")
	require.NoError(t, err)
	headings := map[string]bool{}
	for line := range strings.Lines(string(runbook)) {
		if h, ok := strings.CutPrefix(line, "## "); ok {
			headings["docs/runbook.md#"+strings.ToLower(strings.TrimSpace(h))] = true
		}
	}
	source := sourceText(t)
	n := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			n++
			require.True(t, headings[r.Annotations["runbook"]], "%s: %s", r.Alert, r.Annotations["runbook"])
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			require.Contains(t, []string{"page", "ticket"}, r.Labels["severity"], r.Alert)
			for _, metric := range regexp.MustCompile(`plumbline_\w+`).FindAllString(r.Expr, -1) {
				part, rest, _ := strings.Cut(strings.TrimPrefix(metric, "plumbline_"), "_")
				require.True(t, strings.Contains(source, `"`+metric+`"`) || strings.Contains(source, `"`+rest+`"`) && strings.Contains(source, part),
					"%s: nothing exposes %s", r.Alert, metric)
			}
		}
	}
	require.GreaterOrEqual(t, n, 8)
}

func sourceText(t *testing.T) string {
	var all strings.Builder
	for _, pattern := range []string{"../*/metrics.go", "../*/gauges.go", "../ingest/durable.go", "../ingest/spool/*.go", "../internal/*/metrics.go", "../ingest/*/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, f := range files {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			all.Write(b)
		}
	}
	return all.String()
}
