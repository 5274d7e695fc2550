package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

const chart = "../../../deploy/helm/plumbline"

// render does what helm does with the chart, as far as the chart asks for it:
// the same template language, and the functions it uses by their documented
// meaning. A function that is not here fails the test.
func render(t *testing.T, change func(values map[string]any)) []map[string]any {
	t.Helper()
	values, meta := map[string]any{}, map[string]any{}
	unmarshal(t, filepath.Join(chart, "values.yaml"), &values)
	unmarshal(t, filepath.Join(chart, "Chart.yaml"), &meta)
	change(values)
	all := template.New("chart").Option("missingkey=error")
	all.Funcs(helmFuncs(t, all))
	files, err := filepath.Glob(filepath.Join(chart, "templates", "*"))
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		_, err = all.New(filepath.Base(f)).Parse(string(b))
		require.NoError(t, err, f)
	}
	data := map[string]any{
		"Values": values, "Chart": map[string]any{"AppVersion": meta["appVersion"], "Name": meta["name"]},
		"Release": map[string]any{"Name": "pl", "Service": "Helm", "Namespace": "default"},
	}
	var out []map[string]any
	for _, f := range files {
		if strings.HasSuffix(f, ".tpl") {
			continue
		}
		var b bytes.Buffer
		require.NoError(t, all.ExecuteTemplate(&b, filepath.Base(f), data), f)
		for doc := range strings.SplitSeq("\n"+b.String(), "\n---\n") {
			var m map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(doc), &m), "%s:\n%s", f, doc)
			if len(m) > 0 {
				out = append(out, m)
			}
		}
	}
	return out
}

func unmarshal(t *testing.T, path string, into any) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, into), path)
}

func helmFuncs(t *testing.T, all *template.Template) template.FuncMap {
	indent := func(n int, s string) string {
		pad := strings.Repeat(" ", n)
		return pad + strings.ReplaceAll(s, "\n", "\n"+pad)
	}
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var b bytes.Buffer
			err := all.ExecuteTemplate(&b, name, data)
			return b.String(), err
		},
		"nindent": func(n int, s string) string { return "\n" + indent(n, s) },
		"toYaml": func(v any) string {
			b, err := yaml.Marshal(v)
			require.NoError(t, err)
			return strings.TrimSuffix(string(b), "\n")
		},
		"quote": func(v any) string { return fmt.Sprintf("%q", fmt.Sprint(v)) },
		"default": func(d, v any) any {
			if v == nil || v == "" {
				return d
			}
			return v
		},
		"int": func(v any) int { var n int; _, _ = fmt.Sscan(fmt.Sprint(v), &n); return n },
		"join": func(sep string, list []any) string {
			var words []string
			for _, x := range list {
				words = append(words, fmt.Sprint(x))
			}
			return strings.Join(words, sep)
		},
		"list": func(v ...any) []any { return v },
		"dict": func(v ...any) map[string]any {
			m := map[string]any{}
			for pair := range slices.Chunk(v, 2) {
				m[pair[0].(string)] = pair[1]
			}
			return m
		},
	}
}
