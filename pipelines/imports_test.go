package pipelines_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bans are what no code of this module may import, each with its reason.
var bans = []struct{ prefix, why string }{
	{"net", "an operator talks to nobody: what it cannot see it asks for with a record on checks"},
	{"os", "an operator's outputs depend on its inputs only: no files, no environment"},
	{"database", "state is Save and Load: the process role keeps it with the offsets"},
	{"math/rand", "a replay must draw the same: derive it from the input"},
	{"plumbline.dev/services", "imports point left: schemas, pipelines, services"},
}

// clocks are calls that read what a replay cannot repeat.
var clocks = map[string]string{
	"time.Now": "stream time is Ctx.Now", "time.Since": "stream time is Ctx.Now", "time.Until": "stream time is Ctx.Now",
	"time.Sleep": "only ticks move time", "time.After": "only ticks fire timers", "time.NewTimer": "only ticks fire timers",
	"time.NewTicker": "only ticks fire timers", "time.Tick": "only ticks fire timers", "time.AfterFunc": "only ticks fire timers",
}

func TestImportRules(t *testing.T) {
	files := 0
	each(t, func(file, folder string, f *ast.File) {
		files++
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if why := forbidden(folder, path); why != "" {
				t.Errorf("%s imports %s: %s", file, path, why)
			}
		}
	})
	require.Greater(t, files, 20)
}

// forbidden says why a folder may not import a path, "" if it may.
func forbidden(folder, path string) string {
	for _, b := range bans {
		if folder != "streamtest" && (path == b.prefix || strings.HasPrefix(path, b.prefix+"/")) {
			return b.why
		}
	}
	rest, ours := strings.CutPrefix(path, "plumbline.dev/pipelines/")
	other, _, _ := strings.Cut(rest, "/")
	switch {
	case !ours || other == folder:
		return ""
	case folder == "stream":
		return "stream is what operators import, not the reverse"
	case folder == "value" || folder == "compact":
		return folder + " is a leaf all share"
	case other != "stream" && other != "value" && other != "compact":
		return "operators meet on topics only: one that imports another cannot be replayed, tested or scaled alone"
	}
	return ""
}

func TestForbidden(t *testing.T) {
	for _, tt := range []struct {
		folder, path string
		banned       bool
	}{
		{"ledger", "plumbline.dev/pipelines/stream", false},
		{"ledger", "plumbline.dev/pipelines/value", false},
		{"ledger", "plumbline.dev/pipelines/compact", false},
		{"compact", "plumbline.dev/pipelines/stream", true},
		{"ledger", "plumbline.dev/pipelines/ledger/internal/x", false},
		{"ledger", "plumbline.dev/pipelines/kpi", true},
		{"stream", "plumbline.dev/pipelines/value", true},
		{"value", "plumbline.dev/pipelines/stream", true},
		{"ledger", "net/http", true},
		{"ledger", "os", true},
		{"ledger", "database/sql", true},
		{"ledger", "os/exec", true},
		{"ledger", "network", false},
		{"streamtest", "os", false},
		{"streamtest", "plumbline.dev/pipelines/kpi", true},
		{"ledger", "plumbline.dev/services/internal/bus", true},
	} {
		require.Equal(t, tt.banned, forbidden(tt.folder, tt.path) != "", "%s imports %s", tt.folder, tt.path)
	}
}

func TestNobodyReadsAClock(t *testing.T) {
	each(t, func(file, _ string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || pkg.Obj != nil { // a variable that is called time
				return true
			}
			if why := clocks[pkg.Name+"."+sel.Sel.Name]; why != "" {
				t.Errorf("%s uses %s.%s: %s, so that a replay sees the same time", file, pkg.Name, sel.Sel.Name, why)
			}
			return true
		})
		for _, spec := range f.Imports {
			require.False(t, spec.Path.Value == `"time"` && spec.Name != nil, "%s renames time: this test would not see it", file)
		}
	})
}

// each parses every file of the module that is not a test.
func each(t *testing.T, f func(file, folder string, parsed *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		folder, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		f(path, folder, parsed)
		return nil
	})
	require.NoError(t, err)
}
