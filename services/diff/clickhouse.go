package diff

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"plumbline.dev/services/internal/tabular"
)

func isClickHouse(dsn string) bool {
	scheme, _, _ := strings.Cut(dsn, "://")
	return scheme == "clickhouse" || scheme == "clickhouse+http" || scheme == "clickhouse+https"
}

// server is another ClickHouse, asked over its native protocol or over HTTP.
type server struct {
	scheme, host, user, password string
	database                     string // of names without one
	queried                      bool   // whether such names are in a query of the user's
}

// elsewhere finds the server, and what stands after FROM there.
func elsewhere(dsn, from string) (*server, string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return nil, "", usage("the address cannot be read: write clickhouse://user@host:9000/database#table or clickhouse+http://user@host:8123/database#table")
	}
	s := &server{scheme: u.Scheme, host: u.Host, user: u.User.Username(), database: strings.TrimPrefix(u.Path, "/"), queried: tabular.IsQuery(from)}
	if s.database == "" {
		s.database = "default"
	}
	if s.user == "" {
		s.user = "default"
	}
	var given bool
	if s.password, given = u.User.Password(); !given {
		s.password = os.Getenv("CLICKHOUSE_PASSWORD") // as ClickHouse's own client does
	}
	if s.scheme == "clickhouse" && u.Port() == "" {
		s.host += ":9000"
	}
	if s.queried {
		return s, "(" + from + ")", nil
	}
	return s, tableName(s.database, from), nil
}

// at is the table expression by which the engine has a query answered there:
// remote() for the native protocol, url() for HTTP.
func (s *server) at(query, structure string) string {
	if s.scheme == "clickhouse" {
		return fmt.Sprintf("remote(%s, view(%s), %s, %s)", quote(s.host), query, quote(s.user), quote(s.password))
	}
	address := url.URL{
		Scheme: strings.TrimPrefix(s.scheme, "clickhouse+"), Host: s.host, Path: "/",
		RawQuery: url.Values{"database": {s.database}, "query": {query + " FORMAT Native"}, "readonly": {"1"}}.Encode(),
	}
	if structure == "" {
		structure = "auto"
	}
	return fmt.Sprintf("url(%s, 'Native', %s, headers('X-ClickHouse-User' = %s, 'X-ClickHouse-Key' = %s))",
		quote(address.String()), quote(structure), quote(s.user), quote(s.password))
}

// same reports whether one query can be about tables of both.
func (s *server) same(o *server) bool {
	if s == nil || o == nil || s.database != o.database && (s.queried || o.queried) {
		return false
	}
	return s.scheme == o.scheme && s.host == o.host && s.user == o.user && s.password == o.password
}

func tableName(database, table string) string {
	if db, t, ok := strings.Cut(table, "."); ok {
		database, table = db, t
	}
	return backquote(database) + "." + backquote(table)
}

// quote writes a string literal.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(s) + "'"
}

// backquote writes a name.
func backquote(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
