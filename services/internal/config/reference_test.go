package config

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
)

const referenceHead = `# Configuration

One YAML file for every role, read strictly: a name that is not here is refused, with the nearest that is. Only ` + "`integrations`" + ` with ids and
systems are required. Secrets are references, ` + "`env:NAME`" + ` or ` + "`file:PATH`" + `. ` + "`plumbline config check`" + ` reads a file and says what it means.

Made from ` + "`schemas/config`" + ` by ` + "`go generate ./internal/config`" + ` in ` + "`services`" + `.

| name | value | meaning |
|---|---|---|
`

// TestReference holds docs/configuration.md to the types it describes. What
// the page says is so; names it does not have yet are written into it by
// go generate, which `make check` runs.
func TestReference(t *testing.T) {
	r := reference{docs: comments(t)}
	r.walk(reflect.TypeFor[config.Config](), reflect.ValueOf(*Default()), "")
	got := referenceHead + r.out.String()
	const path = "../../../docs/configuration.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	for text := range strings.Lines(string(want)) {
		if strings.HasPrefix(text, "| `") {
			name, _, _ := strings.Cut(text[3:], "`")
			require.Contains(t, got, "| `"+name+"` |", "run go generate and review the page")
		}
	}
	require.Contains(t, string(want), referenceHead)
}

type reference struct {
	docs map[string]string // Type.Field
	out  strings.Builder
}

// walk writes a line for each name, deeper ones behind their parent.
func (r *reference) walk(t reflect.Type, v reflect.Value, prefix string) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		path := prefix + name
		kind, inner, list := shapeOf(f.Type)
		if list {
			path += "[]"
		}
		meaning := r.docs[t.Name()+"."+f.Name]
		if meaning == "" && inner != nil {
			meaning = r.docs[inner.Name()]
		}
		at := reflect.Value{}
		if v.IsValid() {
			at = v.FieldByIndex(f.Index)
			if inner == nil && at.IsValid() && !at.IsZero() {
				meaning = strings.TrimSpace(meaning + fmt.Sprintf(" Default `%v`.", at.Interface()))
			}
		}
		fmt.Fprintf(&r.out, "| `%s` | %s | %s |\n", path, kind, strings.ReplaceAll(meaning, "|", "\\|"))
		if inner != nil {
			if at.Kind() != reflect.Struct {
				at = reflect.Value{}
			}
			r.walk(inner, at, path+".")
		}
	}
}

func shapeOf(t reflect.Type) (kind string, inner reflect.Type, list bool) {
	switch {
	case t.Kind() == reflect.Pointer:
		return shapeOf(t.Elem())
	case t == reflect.TypeFor[config.Secret]():
		return "secret", nil, false
	case t == reflect.TypeFor[config.Duration]():
		return "duration", nil, false
	case t.Kind() == reflect.Slice:
		kind, inner, _ = shapeOf(t.Elem())
		return "list of " + kind, inner, true
	case t.Kind() == reflect.Map:
		return "map", nil, false
	case t.Kind() == reflect.Struct:
		return "block", t, false
	}
	return map[reflect.Kind]string{
		reflect.String: "text", reflect.Bool: "true/false", reflect.Int: "number", reflect.Float64: "number", reflect.Int64: "number",
	}[t.Kind()], nil, false
}

// comments are what the source says beside or above each field, and of each type.
func comments(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob("../../../schemas/config/*.go")
	require.NoError(t, err)
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok {
					out[ts.Name.Name] = strings.TrimPrefix(line(g.Doc), ts.Name.Name+" ")
					fieldComments(out, ts)
				}
			}
		}
	}
	return out
}

func fieldComments(out map[string]string, ts *ast.TypeSpec) {
	st, ok := ts.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range st.Fields.List {
		for _, n := range f.Names {
			text := line(f.Comment)
			if above := line(f.Doc); above != "" {
				text = strings.TrimSpace(above + " " + text)
			}
			out[ts.Name.Name+"."+n.Name] = text
		}
	}
}

func line(g *ast.CommentGroup) string { return strings.Join(strings.Fields(g.Text()), " ") }
