package sqltext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseInsert(t *testing.T) {
	for _, c := range []struct{ in, head, format, data string }{
		{"INSERT INTO t FORMAT CSV\n1,2", "INSERT INTO t ", "CSV", "1,2"},
		{"insert into db.t (a, `b)`) values (1,'x')", "insert into db.t (a, `b)`) ", "Values", " (1,'x')"},
		{"INSERT INTO t(a) SETTINGS async_insert=0 FORMAT Native\n\n\x01", "INSERT INTO t(a) SETTINGS async_insert=0 ", "Native", "\n\x01"},
		{"INSERT INTO t FORMAT JSONEachRow SETTINGS a=1, b='x' {\"a\":1}", "INSERT INTO t  SETTINGS a=1, b='x'", "JSONEachRow", `{"a":1}`},
		{"INSERT INTO t FORMAT JSONEachRow {\"a\":\"'\"}", "INSERT INTO t ", "JSONEachRow", `{"a":"'"}`},
		{"/* c */ INSERT INTO format FORMAT TSV\r\n1", "/* c */ INSERT INTO format ", "TSV", "1"},
		{"INSERT INTO FUNCTION file('x', 'CSV') FORMAT CSV 1", "INSERT INTO FUNCTION file('x', 'CSV') ", "CSV", "1"},
		{"INSERT INTO t -- FORMAT no\nFORMAT TSV\n", "INSERT INTO t -- FORMAT no\n", "TSV", ""},
	} {
		s := Parse([]byte(c.in))
		require.Equal(t, Insert, s.Kind, c.in)
		require.Equal(t, c.head, s.Head)
		require.Equal(t, c.format, s.Format)
		require.Equal(t, c.data, c.in[s.Data:])
	}
}

func TestParseOther(t *testing.T) {
	for in, format := range map[string]string{
		"SELECT 1":                                      "",
		"SELECT 1 FORMAT JSON":                          "JSON",
		"SELECT format FROM t FORMAT `CSV` ;":           "CSV",
		"SELECT (SELECT 1 FORMAT x), 'FORMAT TSV'":      "",
		"SELECT 1 FORMAT Native SETTINGS a=1":           "Native",
		"INSERT INTO t SELECT 1":                        "",
		"SELECT $a$ FORMAT TSV $a$ -- FORMAT CSV":       "",
		"SELECT 1 # FORMAT CSV\n FORMAT Parquet":        "Parquet",
		"SELECT 'it''s' AS a, 'b\\' FORMAT X' FORMAT Y": "Y",
	} {
		s := Parse([]byte(in))
		require.Equal(t, Other, s.Kind, in)
		require.Equal(t, format, s.Format, in)
		require.False(t, s.Outfile)
	}
	require.True(t, Parse([]byte("SELECT 1 INTO OUTFILE 'x'")).Outfile)
	require.True(t, Parse([]byte("INSERT INTO t FROM INFILE 'x' FORMAT CSV")).Outfile)
}

func TestParseKill(t *testing.T) {
	s := Parse([]byte("KILL QUERY WHERE query_id = 'a SYNC' and (user='x') SYNC FORMAT JSON"))
	require.Equal(t, Statement{Kind: Kill, Where: "query_id = 'a SYNC' and (user='x')", Sync: true, Format: "JSON"}, s)
	require.True(t, Parse([]byte("kill query where 1 TEST")).Test)
	require.Equal(t, Other, Parse([]byte("KILL MUTATION WHERE 1")).Kind)
}

func TestReplaceProcesses(t *testing.T) {
	require.Equal(t, "SELECT 1 FROM (X) AS p WHERE query_id='FROM system.processes'",
		ReplaceProcesses("SELECT 1 FROM system.processes AS p WHERE query_id='FROM system.processes'", "(X)"))
	require.Equal(t, "DESCRIBE system.processes", ReplaceProcesses("DESCRIBE system.processes", "(X)"))
}

func FuzzParse(f *testing.F) {
	f.Add("INSERT INTO t FORMAT CSV\n1,2")
	f.Add("SELECT '\\")
	f.Fuzz(func(t *testing.T, in string) {
		s := Parse([]byte(in))
		require.LessOrEqual(t, s.Data, len(in))
		ReplaceProcesses(in, "x")
	})
}
