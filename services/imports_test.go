package services_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "plumbline.dev/services/"

// wiring folders put everything together: they may import every role, and
// nothing imports them.
var wiring = []string{"standalone", "cmd"}

// clients are the folders that may hold a data store's client.
var clients = []struct {
	prefix string
	homes  []string
	why    string
}{
	{
		"github.com/twmb/franz-go",
		[]string{"internal/bus", "internal/kafkatest", "embedded/kafka"},
		"only bus speaks Kafka: acks, fencing and causes are decided in one place",
	},
	{
		"github.com/ClickHouse/",
		[]string{"internal/warehouse", "embedded/clickhouse"},
		"only warehouse speaks ClickHouse: limits and deduplication are decided in one place",
	},
	{
		"github.com/segmentio/kafka-go",
		[]string{"notify", "cmd"},
		"kafka-go only proves that the alert topics are plain Kafka; its group reader loses and stalls",
	},
	{
		"github.com/jackc/pgx",
		[]string{"internal/tabular"},
		"other people's databases are read as rows of text, in one place and read-only",
	},
	{
		"github.com/go-sql-driver/mysql",
		[]string{"internal/tabular"},
		"other people's databases are read as rows of text, in one place and read-only",
	},
	{
		"google.golang.org/grpc",
		[]string{"ingest/pubsub"},
		"one vendor streams over gRPC; between roles there are topics and tables",
	},
	{
		"github.com/twmb/avro",
		[]string{"ingest/pubsub"},
		"strangers' Avro is decoded in one place, bounded and fuzzed",
	},
	{
		"github.com/ebitengine/purego",
		[]string{"embedded/clickhouse"},
		"the engine is loaded in one child process: a crash of it must not be ours",
	},
}

func TestImportRules(t *testing.T) {
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		files++
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if why := forbidden(filepath.ToSlash(path), imported); why != "" {
				t.Errorf("%s imports %s: %s", path, imported, why)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, files, 20)
}

// forbidden says why a file may not import a path, "" if it may. Tests may
// hold clients: they look at the stores from outside.
func forbidden(file, imported string) string {
	folder := filepath.ToSlash(filepath.Dir(file))
	top, _, _ := strings.Cut(folder, "/")
	isTest := strings.HasSuffix(file, "_test.go")
	for _, c := range clients {
		if strings.HasPrefix(imported, c.prefix) && !isTest && !slices.ContainsFunc(c.homes, func(home string) bool {
			return folder == home || strings.HasPrefix(folder, home+"/")
		}) {
			return c.why
		}
	}
	rest, ours := strings.CutPrefix(imported, module)
	other, _, _ := strings.Cut(rest, "/")
	switch {
	case !ours || other == top || other == "internal" || slices.Contains(wiring, top):
		return ""
	case isTest && top == "simulate" && other == "ingest":
		return "" // what it sends has to pass the real door: that is what its tests are for
	case isTest && other == "simulate" && (strings.HasPrefix(folder, "internal/crm") || top == "reconcile" || top == "connect" || top == "resync"):
		return "" // readers are proven against the fake APIs: the vendors' own cannot stand in a test
	case slices.Contains(wiring, other):
		return "standalone and cmd wire the roles: nothing imports them"
	case other == "embedded":
		if isTest || strings.HasPrefix(folder, "internal/") && strings.HasSuffix(folder, "test") {
			return ""
		}
		return "a role does not know whether its broker and engine are embedded: only tests and the wiring do"
	case top == "internal":
		return "internal is what roles import, not the reverse"
	}
	return "roles meet on topics and tables only: else they cannot run, scale or fail alone"
}

func TestForbidden(t *testing.T) {
	for _, tt := range []struct {
		file, imported string
		banned         bool
	}{
		{"ingest/server.go", module + "internal/bus", false},
		{"ingest/server.go", module + "ingest/verify", false},
		{"ingest/server.go", module + "sink", true},
		{"ingest/server_test.go", module + "sink", true},
		{"simulate/run_test.go", module + "ingest", false},
		{"simulate/run.go", module + "ingest", true},
		{"internal/crm/hubspot/reader_test.go", module + "simulate/hubspot", false},
		{"internal/crm/hubspot/reader.go", module + "simulate/hubspot", true},
		{"internal/bus/session.go", module + "process", true},
		{"standalone/up.go", module + "ingest", false},
		{"cmd/plumbline/main.go", module + "standalone", false},
		{"ingest/server.go", module + "standalone", true},
		{"sink/runner.go", module + "embedded/clickhouse", true},
		{"sink/runner_test.go", module + "embedded/clickhouse", false},
		{"internal/kafkatest/fake.go", module + "embedded/kafka", false},
		{"internal/warehouse/warehousetest/x.go", module + "embedded/clickhouse", false},
		{"internal/bus/topics.go", module + "embedded/kafka", true},
		{"ingest/produce.go", "github.com/twmb/franz-go/pkg/kgo", true},
		{"ingest/x_test.go", "github.com/twmb/franz-go/pkg/kgo", false},
		{"internal/bus/topics.go", "github.com/twmb/franz-go/pkg/kgo", false},
		{"notify/read.go", "github.com/segmentio/kafka-go", false},
		{"sink/runner.go", "github.com/ClickHouse/clickhouse-go/v2", true},
		{"internal/warehouse/x.go", "github.com/ClickHouse/ch-go", false},
	} {
		require.Equal(t, tt.banned, forbidden(tt.file, tt.imported) != "", "%s imports %s", tt.file, tt.imported)
	}
}
