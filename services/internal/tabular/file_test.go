package tabular

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/value"
)

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// read is every row of a file; "<null>" stands for NULL.
func read(t *testing.T, path string, o FileOptions) ([]Column, [][]string, error) {
	t.Helper()
	r, err := OpenFile(path, o)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var rows [][]string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Columns(), rows, nil
		}
		if err != nil {
			return nil, nil, err
		}
		var cells []string
		for _, c := range row.Cells {
			if c == nil {
				c = []byte("<null>")
			}
			cells = append(cells, string(c))
		}
		rows = append(rows, cells)
	}
}

func zipped(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte("a,b\n1,ü\n"))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestPackingAndEncodings(t *testing.T) {
	plain := []byte("a,b\n1,ü\n")
	var gz, zst bytes.Buffer
	gw := gzip.NewWriter(&gz)
	_, err := gw.Write(plain)
	require.NoError(t, err)
	require.NoError(t, gw.Close())
	zw, err := zstd.NewWriter(&zst)
	require.NoError(t, err)
	_, err = zw.Write(plain)
	require.NoError(t, err)
	require.NoError(t, zw.Close())
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(string(plain))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, c := range map[string]struct {
		content []byte
		o       FileOptions
	}{
		"plain":        {content: plain},
		"gzip":         {content: gz.Bytes()},
		"zstd":         {content: zst.Bytes()},
		"zip":          {content: zipped(t, "x.csv", "__MACOSX/x")},
		"BOM":          {content: append([]byte("\ufeff"), plain...)},
		"UTF-16":       {content: wide},
		"windows-1252": {content: []byte("a,b\n1,\xfc\n"), o: FileOptions{Encoding: "windows-1252"}},
		"declared":     {content: append([]byte("\ufeff"), plain...), o: FileOptions{Encoding: "utf-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			columns, rows, err := read(t, write(t, "file", c.content), c.o)
			require.NoError(t, err)
			require.Equal(t, []Column{{Name: "a"}, {Name: "b"}}, columns)
			require.Equal(t, [][]string{{"1", "ü"}}, rows)
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		content []byte
		o       FileOptions
		want    string
	}{
		"Excel":     {content: zipped(t, "[Content_Types].xml", "xl/workbook.xml"), want: "save it as CSV"},
		"many":      {content: zipped(t, "a.csv", "b.csv"), want: "a zip of 2 files"},
		"encoding":  {content: []byte("a"), o: FileOptions{Encoding: "klingon"}, want: `encoding "klingon" is not known`},
		"parquet":   {content: []byte("PAR1...."), want: "is Parquet"},
		"cut gzip":  {content: []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, want: "EOF"},
		"no record": {content: []byte("[]"), want: "holds no records"},
		"scalar":    {content: []byte("[1]"), want: "line 1: 1 is no JSON object"},
		"bad JSON":  {content: []byte("{\"a\":1}\n{\"a\":2}\n{a:3}\n"), want: "line 3"},
		"cut JSON":  {content: []byte("{\"a\":1}\n{\"a\":"), want: "line 2: the file ends in the middle of a record"},
		"twice":     {content: []byte(`{"a":1,"a":2}`), want: "duplicate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := read(t, write(t, "file", c.content), c.o)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := FormatOf(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestJSON(t *testing.T) {
	for name, in := range map[string]string{
		"lines": `{"id":1,"p":{"email":"a@x","q":{}},"big":12345678901234567890,"mix":1,"ok":true}

{"id":2.50,"p":{"email":null,"tags":[1, "b"]},"mix":"x","late":"\u00fc\n"}
`,
		"list": `[
{"id":1,"p":{"email":"a@x","q":{}},"big":12345678901234567890,"mix":1,"ok":true}, {"id":2.50,"p":{"email":null,"tags":[1, "b"]},"mix":"x","late":"\u00fc\n"}
]`,
	} {
		t.Run(name, func(t *testing.T) {
			columns, rows, err := read(t, write(t, "file.json", []byte(in)), FileOptions{})
			require.NoError(t, err)
			require.Equal(t, []Column{
				{"id", value.Number}, {"p.email", ""}, {"big", value.Number}, {"mix", ""}, {"ok", value.Bool}, {"p.tags", ""}, {"late", ""},
			}, columns)
			require.Equal(t, [][]string{
				{"1", "a@x", "12345678901234567890", "1", "true", "<null>", "<null>"},
				{"2.50", "<null>", "<null>", "x", "<null>", `[1,"b"]`, "ü\n"},
			}, rows)
		})
	}
}

func TestJSONLines(t *testing.T) {
	r, err := OpenFile(write(t, "file.json", []byte("\n{\"a\":1}\n\n{\n\"a\":2}\n{\"a\":3}")), FileOptions{})
	require.NoError(t, err)
	defer r.Close()
	for _, want := range []int{2, 4, 6} {
		row, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, want, row.Line)
	}
}
