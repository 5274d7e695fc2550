package tabular

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func readCSV(text string, delimiter byte, buffer int) (columns []Column, rows [][]string, lines []int, err error) {
	r, err := newCSV("x.csv", bufio.NewReaderSize(strings.NewReader(text), buffer), func() error { return nil }, delimiter)
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.columns, rows, lines, nil
		}
		if err != nil {
			return nil, nil, nil, err
		}
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, string(c))
		}
		rows, lines = append(rows, cells), append(lines, row.Line)
	}
}

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     [][]string
		lines    []int
	}{
		{"plain", "a,b\n1,2\n", [][]string{{"1", "2"}}, []int{2}},
		{"no end of the last line", "a,b\n1,2", [][]string{{"1", "2"}}, []int{2}},
		{"empty last field", "a,b\n1,\n", [][]string{{"1", ""}}, []int{2}},
		{"Windows line ends", "a,b\r\n1,2\r\n", [][]string{{"1", "2"}}, []int{2}},
		{"empty lines", "a,b\n\n1,2\n\r\n3,4\n\n", [][]string{{"1", "2"}, {"3", "4"}}, []int{3, 5}},
		{"one column keeps empty lines", "a\n\n1\n", [][]string{{""}, {"1"}}, []int{2, 3}},
		{"quotes", "a,b\n\"x,y\",\"say \"\"hi\"\"\"\n", [][]string{{"x,y", `say "hi"`}}, []int{2}},
		{"lines inside quotes stay as they are", "a,b\n\"x\r\ny\n\",2\n3,4\n", [][]string{{"x\r\ny\n", "2"}, {"3", "4"}}, []int{2, 5}},
		{"a quote inside a plain field", "a,b\n5\" pipe,2\n", [][]string{{`5" pipe`, "2"}}, []int{2}},
		{"semicolons", "a;b\n1,5;2\n", [][]string{{"1,5", "2"}}, []int{2}},
		{"tabs", "a\tb\n1,5\t2\n", [][]string{{"1,5", "2"}}, []int{2}},
		{"bars", "a|b\n1|2\n", [][]string{{"1", "2"}}, []int{2}},
		{"the header's quotes hide delimiters", "\"a;;;\",b\n1,2\n", [][]string{{"1", "2"}}, []int{2}},
		{"Excel names the delimiter", "sep=;\r\na;b\r\n1;2\r\n", [][]string{{"1", "2"}}, []int{3}},
		{"NUL and odd bytes", "a,b\n\x00,ü\n", [][]string{{"\x00", "ü"}}, []int{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, rows, lines, err := readCSV(c.in, 0, 4096)
			require.NoError(t, err)
			require.Equal(t, c.want, rows)
			require.Equal(t, c.lines, lines)
		})
	}
}

func TestColumnsHaveNamesOfTheirOwn(t *testing.T) {
	columns, _, _, err := readCSV(" Email ,,Email\n", 0, 4096)
	require.NoError(t, err)
	require.Equal(t, []Column{{Name: "Email"}, {Name: "column 2"}, {Name: "Email (2)"}}, columns)
}

func TestMalformedCSVNamesTheLine(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "x.csv is empty"},
		{"too few fields", "a,b\n1,2\n\n3\n", "x.csv, line 4: 1 fields where the first line names 2 columns"},
		{"too many fields", "a,b\n\"1\n\",2\n3,4,5\n", "x.csv, line 4: 3 fields"},
		{"open quote", "a,b\n1,2\n3,\"4\n5,6\n", "x.csv, line 3: a quote is opened here and never closed"},
		{"text after a quote", "a,b\n\"1\"x,2\n", "x.csv, line 2: text follows a closing quote"},
		{"not UTF-8", "a,b\n1,2\nM\xfcller,2\n", "x.csv, line 3: not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := readCSV(c.in, 0, 4096)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestCSVIsBounded(t *testing.T) {
	for _, record := range []string{strings.Repeat("x", maxRecord+1), `"` + strings.Repeat("x\n", maxRecord/2+1)} {
		_, _, _, err := readCSV("a,b\n"+record, 0, 4096)
		require.ErrorIs(t, err, errLong)
	}
}

// What encoding/csv writes is read as it was, whatever the buffer's size cuts.
func TestReadsWhatOthersWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 5).Draw(t, "width")
		cell := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"`, `""`, "\n", "\r\n", ",", ";", " ", "a\rb"}))
		rows := rapid.SliceOf(rapid.SliceOfN(cell, width, width)).Draw(t, "rows")
		delimiter := rapid.SampledFrom([]rune{',', ';', '\t', '|'}).Draw(t, "delimiter")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		w.Comma = delimiter
		header := []string{"a", "b", "c", "d", "e"}[:width]
		require.NoError(t, w.Write(header))
		require.NoError(t, w.WriteAll(rows))
		_, got, _, err := readCSV(b.String(), 0, rapid.IntRange(16, 64).Draw(t, "buffer"))
		require.NoError(t, err)
		require.Len(t, got, len(rows))
		for i := range rows {
			require.Equal(t, rows[i], got[i])
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,\"2\n\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		columns, rows, _, err := readCSV(text, 0, 64)
		if err != nil {
			return
		}
		for _, row := range rows {
			require.Len(t, row, len(columns))
		}
	})
}
