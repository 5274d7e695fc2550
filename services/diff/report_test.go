package diff_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/diff"
)

func html(t *testing.T, r *diff.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.HTML(&b, time.Date(2026, 8, 21, 10, 0, 0, 0, time.UTC)))
	return b.String()
}

func TestReportTellsTheSameAsTheText(t *testing.T) {
	r, _, err := run(t, &diff.Options{
		A: file(t, "a.csv", hubspot+"eve@x.com,<script>alert(1)</script>,,,\n"), B: file(t, "b.csv", salesforce+"eve@x.com;Eve;;;;\r\n"),
		Key: []string{"email"}, Map: map[string]string{"Email Address": "email"}, Compare: map[string]string{"email": "email", "amount": "number"},
	})
	require.NoError(t, err)
	page := html(t, r)
	for _, want := range []string{
		"5 records are not equal", "16.7 %", "Missing in target", "Duplicate keys", "lines 6, 7", "1 of the source, 0 of the target",
		"&lt;script&gt;", "Amount = amount (as number)", "Only in target", "21 August 2026, 10:00 UTC",
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "<script")
	require.NotRegexp(t, `(?i)https?://|src=|@import|url\(`, page, "a report asks nobody for anything")
}

func TestReportOfEqualSides(t *testing.T) {
	path := file(t, "a.csv", "id,v\n1,a\n2,b\n")
	r, lines, err := run(t, &diff.Options{A: path, B: path, Key: []string{"id"}})
	require.NoError(t, err)
	require.Empty(t, lines)
	page := html(t, r)
	require.Contains(t, page, "Both sides are equal")
	require.Contains(t, page, "100 %")
	require.NotContains(t, page, "Examples")
	require.Contains(t, r.Text(), "2 equal (100 %)")
}

func TestReportIsBounded(t *testing.T) {
	long := strings.Repeat("ü\x00<", 100_000)
	r, _, err := run(t, &diff.Options{
		A: file(t, "a.csv", "id,v\n1,"+long+"x\n"), B: file(t, "b.csv", "id,v\n1,"+long+"y\n"), Key: []string{"id"},
	})
	require.NoError(t, err)
	page := html(t, r)
	require.Less(t, len(page), 32<<10)
	require.Contains(t, page, "<mark>x</mark>")
	require.Contains(t, page, "<mark>y</mark>")
}

func TestShareNeverRoundsUpToAll(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id,v\n")
	for i := range 40_000 {
		fmt.Fprintf(&rows, "%d,same\n", i)
	}
	a := file(t, "a.csv", rows.String())
	b := file(t, "b.csv", strings.Replace(rows.String(), "\n7,same\n", "\n7,other\n", 1))
	r, _, err := run(t, &diff.Options{A: a, B: b, Key: []string{"id"}})
	require.NoError(t, err)
	require.Equal(t, "99.998 %", r.EqualShare())
	require.Contains(t, html(t, r), "1 record is not equal")
}
