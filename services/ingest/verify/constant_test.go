package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What proves a sender is compared in constant time, and nowhere else than
// here: no other way to compare bytes or text may stand in these files. (A
// stopwatch cannot show it: a byte's compare is lost in the hash before it.)
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	constant := 0
	for _, file := range append(files, "../senders.go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, _ := sel.X.(*ast.Ident)
			if pkg == nil {
				return true
			}
			switch pkg.Name + "." + sel.Sel.Name {
			case "subtle.ConstantTimeCompare", "hmac.Equal":
				constant++
			case "bytes.Equal", "bytes.Compare", "slices.Equal", "strings.Compare", "reflect.DeepEqual":
				require.Fail(t, "compares in the time of its content", "%s: %s.%s", file, pkg.Name, sel.Sel.Name)
			}
			return true
		})
	}
	require.GreaterOrEqual(t, constant, 3)
}
