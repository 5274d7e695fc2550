package diff_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/diff"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// engine is a fresh database on the embedded engine.
func engine(t testing.TB) diff.Engine {
	addr, name := warehousetest.Addr(t), warehousetest.Name(t)
	db := warehousetest.Open(t, addr, "system")
	require.NoError(t, db.Exec(t.Context(), "CREATE DATABASE "+name))
	t.Cleanup(func() { require.NoError(t, db.Exec(context.Background(), "DROP DATABASE "+name)) })
	return diff.Engine{DB: db, URL: "http://default@" + addr + "/", Database: name}
}

func file(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

type found struct {
	RecordKey   string  `json:"record_key"`
	Field       string  `json:"field"`
	Kind        string  `json:"kind"`
	SourceValue *string `json:"source_value"`
	TargetValue *string `json:"target_value"`
	Difference  string  `json:"difference"`
	SourceLines []int   `json:"source_lines"`
	TargetLines []int   `json:"target_lines"`
}

func (f found) String() string {
	show := func(s *string) string {
		if s == nil {
			return "null"
		}
		return fmt.Sprintf("%q", *s)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s", f.RecordKey, f.Field, f.Kind, show(f.SourceValue), show(f.TargetValue), f.Difference))
}

func run(t testing.TB, o *diff.Options) (*diff.Result, []found, error) {
	t.Helper()
	var out bytes.Buffer
	o.Out, o.Dir, o.Engine = &out, t.TempDir(), engine(t)
	r, err := diff.Run(t.Context(), o)
	var lines []found
	for line := range bytes.Lines(out.Bytes()) {
		var f found
		require.NoError(t, json.Unmarshal(line, &f))
		lines = append(lines, f)
	}
	return r, lines, err
}

func texts(lines []found) (out []string) {
	for _, l := range lines {
		out = append(out, l.String())
	}
	slices.Sort(out)
	return out
}

const hubspot = `Email Address,First Name,Phone,Amount,Stage
Ann@x.com,Ann,+1 (415) 555-0100,1.50,Closed Won
bob@x.com,"Bob ""B""",,7,lead
carl@x.com,Carl,,,
,Nobody,,,
dup@x.com,D,,,
dup@x.com,E,,,
`

const salesforce = "\ufeffemail;first_name;Phone;amount;Stage__c;Owner\r\n" +
	"ann@x.com;Ann;14155550100;1.5;closed_won;o\r\n" +
	"bob@x.com;Bob \"B\";;7.0;customer;o\r\n" +
	"dora@x.com;Dora;;;;\r\n" +
	"dup@x.com;D;;;;\r\n"

func TestTwoExports(t *testing.T) {
	r, lines, err := run(t, &diff.Options{
		A: file(t, "a.csv", hubspot), B: file(t, "b.csv", salesforce), Key: []string{"email"},
		Map:     map[string]string{"Email Address": "email", "Stage": "Stage__c"},
		Compare: map[string]string{"email": "email", "Phone": "phone", "amount": "number", "Stage__c": "picklist"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{
		`bob@x.com Stage value_mismatch "lead" "customer" picklist`,
		`carl@x.com  missing_in_target null null`,
		`dora@x.com  missing_in_source null null`,
		`dup@x.com  duplicate "2" "1"`,
		`unlinkable "1" "0"`,
	}, texts(lines))
	for _, l := range lines {
		if l.RecordKey == "dup@x.com" {
			require.Equal(t, [][]int{{6, 7}, {5}}, [][]int{l.SourceLines, l.TargetLines})
		}
	}
	require.EqualValues(t, 1, r.Equal)
	require.EqualValues(t, 5, r.Records)
	require.False(t, r.Same())
	require.Equal(t, []string{"Owner"}, r.OnlyTarget)
	text := r.Text()
	for _, want := range []string{"5 records by Email Address, 1 equal (20.0 %)", "1  missing in target", "1  Stage (1 picklist)", "only in target: Owner"} {
		require.Contains(t, text, want)
	}
}

func TestExactUnlessAsked(t *testing.T) {
	a, b := file(t, "a.csv", "id,name,note\n1,Ann,x\nA,Bob,\n"), file(t, "b.csv", "ID,NAME,NOTE\n1,ANN,x \na,BOB,\n")
	_, lines, err := run(t, &diff.Options{A: a, B: b, Key: []string{"id"}})
	require.NoError(t, err)
	require.Equal(t, []string{
		`1 name value_mismatch "Ann" "ANN" other`, `1 note value_mismatch "x" "x " format_only`,
		`A  missing_in_target null null`, `a  missing_in_source null null`,
	}, texts(lines))
	_, lines, err = run(t, &diff.Options{A: a, B: b, Key: []string{"id"}, IgnoreCase: true, Columns: []string{"name"}})
	require.NoError(t, err)
	require.Empty(t, lines)
	_, lines, err = run(t, &diff.Options{A: a, B: b, Key: []string{"id", "name"}, IgnoreCase: true, Compare: map[string]string{"note": "text"}})
	require.NoError(t, err)
	require.Empty(t, lines, "a key of two columns")
}

// parquet writes a query's rows as a Parquet file.
func parquet(t testing.TB, query string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.parquet")
	res, err := http.Post("http://default@"+warehousetest.Addr(t)+"/", "", strings.NewReader(query+" FORMAT Parquet"))
	require.NoError(t, err)
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, b.String())
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

const typed = `SELECT number AS id, if(number = 3, NULL, number * 1.25)::Nullable(Decimal(10, 2)) AS amount,
	toDateTime64('2026-08-21 10:00:00', 3, 'Europe/Berlin') + number AS at, toDate('2026-08-21') + number AS day,
	(number %% 2 = 1)::Bool AS ok, if(number = 5, '%s', concat('name ', toString(number))) AS name, toFloat64(number) / 3 AS share FROM numbers(%d)`

func TestParquetByItself(t *testing.T) {
	a, b := parquet(t, fmt.Sprintf(typed, "x", 8)), parquet(t, fmt.Sprintf(typed, "y", 7))
	_, lines, err := run(t, &diff.Options{A: a, B: b, Key: []string{"id"}})
	require.NoError(t, err)
	require.Equal(t, []string{`5 name value_mismatch "x" "y" other`, `7  missing_in_target null null`}, texts(lines))
	_, lines, err = run(t, &diff.Options{A: a, B: a, Key: []string{"id"}, IgnoreCase: true})
	require.NoError(t, err)
	require.Empty(t, lines)
}

// The same records, once with types and once as text, are equal.
func TestTypesMeetText(t *testing.T) {
	a := parquet(t, fmt.Sprintf(typed, "x", 4))
	csv := `id,amount,at,day,ok,name
0,0.00,2026-08-21T08:00:00Z,2026-08-21,no,name 0
1,"1.250",2026-08-21 08:00:01,2026-08-22T00:00:00Z,TRUE,name 1
2,$2.5,2026-08-21T10:00:02+02:00,2026/08/23,0,name 2
3,,1787299203000,20260824,yes,name 3
`
	r, lines, err := run(t, &diff.Options{A: a, B: file(t, "b.csv", csv), Key: []string{"id"}})
	require.NoError(t, err)
	require.Empty(t, texts(lines))
	require.True(t, r.Same())
	json := `{"id":0,"amount":0,"at":"2026-08-21T08:00:00Z","day":"2026-08-21","ok":false,"name":"name 0"}
{"id":1,"amount":1.25,"at":"2026-08-21T08:00:01Z","day":"2026-08-22","ok":true,"name":"name 1"}
{"id":2,"amount":2.5,"at":"2026-08-21T08:00:02Z","day":"2026-08-23","ok":false,"name":"name 2"}
{"id":3,"amount":null,"at":"2026-08-21T08:00:03Z","day":"2026-08-24","ok":true}
`
	_, lines, err = run(t, &diff.Options{A: a, B: file(t, "b.ndjson", json), Key: []string{"id"}})
	require.NoError(t, err)
	require.Equal(t, []string{`3 name value_mismatch "name 3" null blank_in_target`}, texts(lines))
}

// Keys that are paired by their normal form pass through Go, also from files
// that the engine reads itself.
func TestKeysInNormalForm(t *testing.T) {
	a := parquet(t, "SELECT concat('+49 30 ', toString(1000000 + number)) AS phone, number AS n FROM numbers(3)")
	_, lines, err := run(t, &diff.Options{
		A: a, B: file(t, "b.csv", "phone,n\n0049301000000,0\n49-30-1000001,1\n49 30 1000002,5\n"), Key: []string{"phone"},
		Compare: map[string]string{"phone": "phone"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{`49301000002 n value_mismatch "2" "5" other`}, texts(lines))
}

func TestValuesOfAllKindsSurvive(t *testing.T) {
	nasty := []string{"it's", `"q"`, "two\nlines", "\x00", `\N`, "NULL", "ü", "日本", "9007199254740993", "-0", ",;\t|", `a\|b`}
	var a, b strings.Builder
	for i, v := range nasty {
		for j, out := range []*strings.Builder{&a, &b} {
			line, err := json.Marshal(map[string]string{"id": v, "o|her": "x|", "v'`\"": v + strconv.Itoa(i*j)})
			require.NoError(t, err)
			fmt.Fprintf(out, "%s\n", line)
		}
	}
	_, lines, err := run(t, &diff.Options{A: file(t, "a.json", a.String()), B: file(t, "b.json", b.String()), Key: []string{"id", "o|her"}})
	require.NoError(t, err)
	require.Len(t, lines, len(nasty)-1)
	for _, l := range lines {
		i := slices.IndexFunc(nasty, func(v string) bool { return strings.HasPrefix(*l.SourceValue, v) && *l.SourceValue == v+"0" })
		require.Positive(t, i, "%q", *l.SourceValue)
		require.Equal(t, nasty[i]+strconv.Itoa(i), *l.TargetValue)
		require.Equal(t, strings.NewReplacer(`\`, `\\`, "|", `\|`).Replace(nasty[i])+`|x\|`, l.RecordKey)
	}
}

func TestLimitBoundsTheOutputOnly(t *testing.T) {
	r, lines, err := run(t, &diff.Options{A: file(t, "a.csv", "id,v\n1,a\n2,a\n3,a\n"), B: file(t, "b.csv", "id,v\n1,b\n2,b\n3,b\n"), Key: []string{"id"}, Limit: 2})
	require.NoError(t, err)
	require.Len(t, lines, 2)
	require.EqualValues(t, 3, r.Different)
}

func TestFromElsewhere(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/x.csv" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, "id,v\n1,a\n")
	}))
	defer web.Close()
	_, lines, err := run(t, &diff.Options{A: web.URL + "/x.csv", B: "-", Stdin: strings.NewReader(`{"id":"1","v":"b"}`), Key: []string{"id"}})
	require.NoError(t, err)
	require.Equal(t, []string{`1 v value_mismatch "a" "b" other`}, texts(lines))
	_, _, err = run(t, &diff.Options{A: web.URL + "/y.csv", B: "-", Key: []string{"id"}})
	require.ErrorContains(t, err, "404")

	table := "clickhouse+http://default@" + warehousetest.Addr(t) + "/system"
	t.Setenv("CRM", table)
	_, lines, err = run(t, &diff.Options{
		A: table + "#SELECT number AS id, 'a' AS v FROM numbers(3)", B: "env:CRM#SELECT number, 'a' AS v FROM numbers(2)",
		Map: map[string]string{"id": "number"}, Key: []string{"number"},
	})
	require.NoError(t, err)
	require.Equal(t, []string{`2  missing_in_target null null`}, texts(lines))
	_, _, err = run(t, &diff.Options{A: table + "#one", B: "env:CRM#no_such", Key: []string{"dummy"}})
	require.ErrorContains(t, err, "no_such")
}

// A server that holds both sides runs the query that costs something once: no
// HEAD before it, and no table read only to learn its columns.
func TestAServerIsAskedOnce(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: warehousetest.Addr(t)})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Query().Get("query"))
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	defer web.Close()
	server := "clickhouse+" + web.URL + "/system#"
	_, lines, err := run(t, &diff.Options{A: server + "SELECT number AS id FROM numbers(3)", B: server + "SELECT number AS id FROM numbers(2)", Key: []string{"id"}})
	require.NoError(t, err)
	require.Len(t, lines, 1)
	require.Len(t, asked, 5, "columns and rows of each side, and the comparison")
	for i, query := range asked {
		require.True(t, strings.HasPrefix(query, "GET "), query)
		require.True(t, i >= 2 || strings.HasSuffix(query, "LIMIT 1 FORMAT Native"), query)
	}
}

// Tables of a ClickHouse server are compared there if it holds both, else
// hashed there: in every arrangement the same is found.
func TestTablesOfServers(t *testing.T) {
	addr := warehousetest.Addr(t)
	name := warehousetest.Name(t)
	db := warehousetest.Open(t, addr, "system")
	require.NoError(t, db.Exec(t.Context(), "CREATE DATABASE "+name))
	t.Cleanup(func() { require.NoError(t, db.Exec(context.Background(), "DROP DATABASE "+name)) })
	const rows = `number AS id, if(number = 3, NULL, toString(number)) AS v, if(number % 4 = 0, NULL, number) AS n,
		CAST(toString(number % 3), 'LowCardinality(Nullable(String))') AS low`
	for table, query := range map[string]string{
		"a": "SELECT " + rows + " FROM numbers(1000)",
		"b": "SELECT id, ifNull(v, '') AS v, if(id IN (5, 8), 0, n) AS n, if(id = 6, 'x', CAST(low, 'String')) AS low FROM (SELECT " + rows +
			" FROM numbers(1001)) WHERE id != 7 UNION ALL SELECT " + rows + " FROM numbers(9, 1) UNION ALL SELECT NULL, 'no key', 1, ''",
	} {
		require.NoError(t, db.Exec(t.Context(), "CREATE TABLE "+name+"."+table+" ENGINE = MergeTree ORDER BY tuple() AS "+query))
	}
	file := map[string]string{"a": parquet(t, "SELECT * FROM "+name+".a"), "b": parquet(t, "SELECT * FROM "+name+".b")}
	server := "clickhouse+http://default@" + addr + "/"
	want := []string{
		`1000  missing_in_source null null`, `5 n value_mismatch "5" "0" other`, `6 low value_mismatch "0" "x" other`,
		`7  missing_in_target null null`, `8 n value_mismatch null "0" blank_in_source`, `9  duplicate "1" "2"`, `unlinkable "0" "1"`,
	}
	for _, sides := range [][2]string{
		{server + name + "#a", server + name + "#b"},
		{server + name + "#a", server + "system#" + name + ".b"},
		{server + name + "#SELECT * FROM a", server + name + "#b"},
		{server + name + "#a", server + "system#SELECT * FROM " + name + ".b"},
		{server + name + "#a", file["b"]},
		{file["a"], server + name + "#b"},
		{file["a"], file["b"]},
	} {
		r, lines, err := run(t, &diff.Options{A: sides[0], B: sides[1], Key: []string{"id"}})
		require.NoError(t, err)
		require.Equal(t, want, texts(lines), sides)
		require.EqualValues(t, 1000, r.A.Rows)
		require.EqualValues(t, 1002, r.B.Rows)
		require.EqualValues(t, 1001, r.Records)
		require.EqualValues(t, 995, r.Equal)
	}
	_, lines, err := run(t, &diff.Options{A: server + name + "#a", B: server + name + "#a", Key: []string{"id"}, Compare: map[string]string{"id": "number"}})
	require.NoError(t, err)
	require.Empty(t, lines)
}

func TestWrongUsageSaysWhatToDo(t *testing.T) {
	a, b := file(t, "a.csv", "id,Name,x\n1,A,1\n"), file(t, "b.csv", "id,name,y\n1,A,1\n")
	for name, c := range map[string]struct {
		o    diff.Options
		want string
	}{
		"no key":        {diff.Options{A: a, B: b}, "--key"},
		"unknown key":   {diff.Options{A: a, B: b, Key: []string{"mail"}}, "it has id, Name, x"},
		"key of one":    {diff.Options{A: a, B: b, Key: []string{"x"}}, "--map"},
		"no file":       {diff.Options{A: a + "x", B: b, Key: []string{"id"}}, "cannot be read"},
		"kind":          {diff.Options{A: a, B: b, Key: []string{"id"}, Compare: map[string]string{"name": "fuzzy"}}, "a kind is one of"},
		"compare what":  {diff.Options{A: a, B: b, Key: []string{"id"}, Compare: map[string]string{"zip": "text"}}, "no column \"zip\""},
		"map what":      {diff.Options{A: a, B: b, Key: []string{"id"}, Map: map[string]string{"zip": "y"}}, "--map 'zip=y'"},
		"two stdins":    {diff.Options{A: "-", B: "-", Key: []string{"id"}}, "standard input"},
		"scheme":        {diff.Options{A: "ftp://x/y", B: b, Key: []string{"id"}}, "ftp:// cannot be read"},
		"no table":      {diff.Options{A: "postgres://u:secret@h/db", B: b, Key: []string{"id"}}, "name a table or a query behind #"},
		"no variable":   {diff.Options{A: "env:NOT_THERE#x", B: b, Key: []string{"id"}}, "no NOT_THERE"},
		"columns what":  {diff.Options{A: a, B: b, Key: []string{"id"}, Columns: []string{"y"}}, "only"},
		"two in target": {diff.Options{A: a, B: b, Key: []string{"id"}, Map: map[string]string{"Name": "y", "x": "y"}}, "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := run(t, &c.o)
			require.ErrorIs(t, err, diff.ErrUsage)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestMalformedRowsEndIt(t *testing.T) {
	good := file(t, "b.csv", "id,v\n1,a\n")
	for _, content := range []string{"id,v\n1,a\n2\n", "id,v\n1,\"a\n"} {
		path := file(t, "a.csv", content)
		for _, sides := range [][2]string{{path, good}, {good, path}} {
			_, lines, err := run(t, &diff.Options{A: sides[0], B: sides[1], Key: []string{"id"}})
			require.ErrorContains(t, err, "a.csv, line ")
			require.Empty(t, lines)
		}
	}
}
