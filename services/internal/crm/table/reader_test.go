package table

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

func TestMain(m *testing.M) {
	code := warehousetest.Main(m)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// The rows that every source holds in these tests: n of them, the last one
// deleted, the one before it without an address.
const n = 4100

var begun = time.Date(2026, 3, 1, 12, 0, 0, 250e6, time.UTC)

type person struct {
	id              int
	email, name     string
	score, modified string
	gone            bool
}

func people() []person {
	out := make([]person, n)
	for i := range out {
		out[i] = person{
			id: i + 1, email: fmt.Sprintf("p%d@example.com", i+1), name: fmt.Sprintf("O'Neill \\ \"%d\"", i+1), score: "9007199254740993.25",
			modified: begun.Add(time.Duration(i) * time.Second).Format("2006-01-02 15:04:05.000"), gone: i == n-1,
		}
	}
	out[n-2].email = ""
	return out
}

func table(from string) map[string]config.Table {
	return map[string]config.Table{"contact": {From: from, ID: "id", Modified: "updated_at", Deleted: "gone"}}
}

func open(t *testing.T, o Options) *Reader {
	t.Helper()
	o.AllowPrivate = true
	o.Budget = crm.NewBudget(crm.BudgetOptions{System: o.System, Share: 1, Daily: 1e6})
	r, err := New(o)
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

var contacts = crm.Query{Object: "contact", Fields: []string{"email", "name", "score", "nowhere"}}

func all(t *testing.T, r *Reader, q crm.Query) map[string]crm.Record {
	t.Helper()
	out := map[string]crm.Record{}
	require.NoError(t, r.All(t.Context(), q, func(p crm.Page) error {
		require.NotZero(t, p.At)
		for _, x := range p.Records {
			_, twice := out[x.ID]
			require.False(t, twice)
			out[x.ID] = x
		}
		return nil
	}))
	return out
}

// conforms is what every source has to do alike.
func conforms(t *testing.T, r *Reader) {
	t.Helper()
	got := all(t, r, contacts)
	require.Len(t, got, n-1)
	first := got["1"]
	require.Equal(t, "p1@example.com", first.Field("email").Text)
	require.Equal(t, "O'Neill \\ \"1\"", first.Field("name").Text)
	require.Contains(t, first.Field("score").Text, "9007199254740993.25")
	require.True(t, first.Field("nowhere").Blank())
	require.Equal(t, event.At(begun), first.ModifiedAt)
	require.True(t, got[fmt.Sprint(n-1)].Fields[0].Value.Blank())

	count, err := r.Count(t.Context(), contacts)
	require.NoError(t, err)
	require.EqualValues(t, n-1, count, "as many as All yields")

	some, err := r.Get(t.Context(), contacts, []string{"7", "12", "99999999", "no' number", fmt.Sprint(n)})
	require.NoError(t, err)
	require.Len(t, some, 2, "neither the unknown nor the deleted one")
	some, err = r.Find(t.Context(), contacts, "name", []string{"O'Neill \\ \"9\"", "nobody"})
	require.NoError(t, err)
	require.Len(t, some, 1)
	require.Equal(t, "9", some[0].ID)

	q := contacts
	q.Since = event.At(begun.Add((n - 100) * time.Second))
	var changed []crm.Record
	require.NoError(t, modifiedOf(t, r, q, func(records []crm.Record) error { changed = append(changed, records...); return nil }))
	require.Len(t, changed, 100)
	require.Equal(t, fmt.Sprint(n-99), changed[0].ID, "the oldest first")
	require.True(t, changed[99].Deleted)

	latest, err := r.Latest(t.Context(), contacts, 3)
	require.NoError(t, err)
	require.Len(t, latest, 3)
	require.Equal(t, fmt.Sprint(n), latest[0].ID)

	m, err := r.Metadata(t.Context(), "contact")
	require.NoError(t, err)
	id, ok := m.Property("id")
	require.True(t, ok)
	require.True(t, id.Unique)
	_, err = r.Describe(t.Context(), "nothing_of_that_name")
	require.Equal(t, crm.KindSchema, crm.KindOf(err), "%v", err)
	require.NoError(t, r.Probe(t.Context()))
}

// scopes is what databases can and files cannot.
func scopes(t *testing.T, r *Reader) {
	t.Helper()
	q := contacts
	q.Scope = "id <= 10"
	require.Len(t, all(t, r, q), 10)
	got, err := r.Get(t.Context(), q, []string{"10", "11"})
	require.NoError(t, err)
	require.Len(t, got, 2)
	for _, x := range got {
		require.Equal(t, x.ID == "11", x.OutOfScope)
	}
}

func csvOf(rows []person) string {
	var b strings.Builder
	b.WriteString("id,email,name,score,updated_at,gone\n")
	for _, p := range rows {
		fmt.Fprintf(&b, "%d,%s,\"%s\",%s,%s,%t\n", p.id, p.email, strings.ReplaceAll(p.name, `"`, `""`), p.score, p.modified, p.gone)
	}
	return b.String()
}

func TestCSVAndNDJSON(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "contacts.csv"), []byte(csvOf(people())), 0o600))
	var lines strings.Builder
	for _, p := range people() {
		fmt.Fprintf(&lines, `{"id":%d,"email":%q,"name":%q,"score":%s,"updated_at":%q,"gone":%t}`+"\n", p.id, p.email, p.name, p.score, p.modified, p.gone)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "contacts.ndjson"), []byte(lines.String()), 0o600))
	for _, name := range []string{"contacts.csv", "contacts.ndjson"} {
		t.Run(name, func(t *testing.T) { conforms(t, open(t, Options{System: "files", DSN: dir, Tables: table(name)})) })
	}
	r := open(t, Options{System: "files", DSN: dir, Tables: table("../../etc/passwd")})
	_, err := r.Describe(t.Context(), "contact")
	require.ErrorContains(t, err, "leads out of the folder")
	q := contacts
	q.Scope = "id < 3"
	_, err = open(t, Options{System: "files", DSN: dir, Tables: table("contacts.csv")}).Count(t.Context(), q)
	require.ErrorContains(t, err, "a file has no scope")
}

// fill makes the table in a ClickHouse.
func fill(t *testing.T, db *warehouse.DB) {
	t.Helper()
	require.NoError(t, db.Exec(t.Context(), `CREATE TABLE contacts ENGINE = MergeTree ORDER BY id AS SELECT toUInt32(number + 1) AS id,
if(id = 4099, NULL, concat('p', toString(id), '@example.com')) AS email, concat('O''Neill \\ "', toString(id), '"') AS name,
toDecimal64('9007199254740993.25', 2) AS score, toDateTime64('2026-03-01 12:00:00.250', 3, 'UTC') + number AS updated_at, id = 4100 AS gone
FROM numbers(4100)`))
}

func TestClickHouseAndParquet(t *testing.T) {
	address := warehousetest.Addr(t)
	res, err := http.Post("http://default@"+address+"/", "", strings.NewReader("CREATE DATABASE tables"))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	db := warehousetest.Open(t, address, "tables")
	fill(t, db)
	t.Run("clickhouse", func(t *testing.T) {
		r := open(t, Options{System: "clickhouse", DSN: "clickhouse+http://" + address + "/tables", Tables: table("tables.contacts")})
		conforms(t, r)
		scopes(t, r)
		q := open(t, Options{System: "clickhouse", DSN: "clickhouse+http://" + address + "/tables", Tables: table("SELECT * FROM tables.contacts WHERE id < 6")})
		require.Len(t, all(t, q, contacts), 5)
	})
	t.Run("parquet", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, db.Exec(t.Context(), "INSERT INTO FUNCTION file('"+filepath.Join(dir, "contacts.parquet")+"', 'Parquet') SELECT * FROM contacts"))
		conforms(t, open(t, Options{System: "files", DSN: dir, Tables: table("contacts.parquet"), Engine: db}))
		_, err := open(t, Options{System: "files", DSN: dir, Tables: table("contacts.parquet")}).Count(t.Context(), contacts)
		require.ErrorContains(t, err, "embedded engine")
	})
}

// TestHTTPAndS3 fetches what others only serve, and signs what S3 wants signed.
func TestHTTPAndS3(t *testing.T) {
	body := csvOf(people())
	var asked []*http.Request
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r)
		switch {
		case !strings.HasSuffix(r.URL.Path, "/contacts.csv"):
			http.Error(w, "no such file", http.StatusNotFound)
		case r.URL.Path == "/exports/contacts.csv" && r.Header.Get("Authorization") != "Bearer secret":
			http.Error(w, "no", http.StatusUnauthorized)
		default:
			_, _ = w.Write([]byte(body))
		}
	}))
	t.Cleanup(s.Close)
	r := open(t, Options{System: "files", DSN: s.URL + "/exports", Token: "secret", Tables: table("contacts.csv")})
	require.Len(t, all(t, r, contacts), n-1)
	_, err := r.Get(t.Context(), contacts, []string{"3"})
	require.NoError(t, err)
	require.Len(t, asked, 1, "what was fetched a moment ago serves again")
	_, err = open(t, Options{System: "files", DSN: s.URL + "/exports", Tables: table("contacts.csv")}).Count(t.Context(), contacts)
	require.Equal(t, crm.KindAuth, crm.KindOf(err))
	_, err = open(t, Options{System: "files", DSN: s.URL, Tables: table("none.csv")}).Count(t.Context(), contacts)
	require.Equal(t, crm.KindGone, crm.KindOf(err))

	asked = nil
	r = open(t, Options{System: "files", DSN: "s3://KEY:hunter2@bucket/nightly?region=eu-west-1&endpoint=" + s.URL, Tables: table("contacts.csv")})
	require.Len(t, all(t, r, contacts), n-1)
	require.Equal(t, "/bucket/nightly/contacts.csv", asked[0].URL.Path)
	require.Regexp(t, `^AWS4-HMAC-SHA256 Credential=KEY/\d{8}/eu-west-1/s3/aws4_request`, asked[0].Header.Get("Authorization"))
	r = open(t, Options{System: "files", DSN: "s3://bucket/nightly?endpoint=" + s.URL, Tables: table("contacts.csv")})
	require.Len(t, all(t, r, contacts), n-1)
	require.Empty(t, asked[len(asked)-1].Header.Get("Authorization"), "a public bucket")
}

// TestGuard: no name leads into a private network, whatever is configured, and
// no error repeats an address, which holds a password.
func TestGuard(t *testing.T) {
	for _, dsn := range []string{
		"postgres://u:hunter2@127.0.0.1:1/db", "mysql://u:hunter2@127.0.0.1:1/db", "clickhouse://u:hunter2@127.0.0.1:1/db",
		"clickhouse+http://u:hunter2@127.0.0.1:1/db", "https://u:hunter2@127.0.0.1:1/x", "s3://u:hunter2@b?endpoint=https://127.0.0.1:1",
	} {
		r, err := New(Options{
			System: "warehouse", DSN: dsn, Tables: table("contacts"),
			Budget: crm.NewBudget(crm.BudgetOptions{Share: 1, Daily: 100}),
		})
		require.NoError(t, err, dsn)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err = r.Describe(ctx, "contact")
		cancel()
		require.Error(t, err, dsn)
		require.Contains(t, err.Error(), "is no public address", dsn)
		require.Equal(t, crm.KindRefused, crm.KindOf(err), dsn)
		require.NotContains(t, err.Error(), "hunter2")
		r.Close()
	}
	for _, dsn := range []string{"ftp://u:hunter2@h/x", "http://u:hunter2@example.com/x", "://hunter2"} {
		_, err := New(Options{DSN: dsn, Budget: crm.NewBudget(crm.BudgetOptions{})})
		require.Error(t, err, dsn)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestATableWithoutItsColumns(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.csv"), []byte("id,email\n1,a@b\n,c@d\n"), 0o600))
	r := open(t, Options{System: "files", DSN: dir, Tables: map[string]config.Table{"contact": {From: "x.csv"}}})
	require.ErrorContains(t, r.All(t.Context(), contacts, func(crm.Page) error { return nil }), "has no id")
	require.ErrorContains(t, modifiedOf(t, r, contacts, nil), "name its column of last modification")
	r = open(t, Options{System: "files", DSN: dir, Tables: table("x.csv")})
	_, err := r.Latest(t.Context(), contacts, 1)
	require.ErrorContains(t, err, `no column "updated_at"; it has id, email`)
}

func modifiedOf(t *testing.T, r *Reader, q crm.Query, yield func([]crm.Record) error) error {
	t.Helper()
	return r.Modified(t.Context(), []crm.Query{q}, func(_ int, records []crm.Record) error { return yield(records) })[0]
}
