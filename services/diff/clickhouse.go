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

// remote is the table expression by which the engine reads another ClickHouse:
// its native protocol by remote(), HTTP by url().
func remote(dsn, from string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || u.Host == "" {
		return "", usage("the address cannot be read: write clickhouse://user@host:9000/database#table or clickhouse+http://user@host:8123/database#table")
	}
	database := strings.TrimPrefix(u.Path, "/")
	if database == "" {
		database = "default"
	}
	user := u.User.Username()
	if user == "" {
		user = "default"
	}
	password, given := u.User.Password()
	if !given {
		password = os.Getenv("CLICKHOUSE_PASSWORD") // as ClickHouse's own client does
	}
	if u.Scheme == "clickhouse" {
		host := u.Host
		if u.Port() == "" {
			host += ":9000"
		}
		return remoteNative(host, database, from, user, password), nil
	}
	query := "SELECT * FROM " + tableName(database, from)
	if tabular.IsQuery(from) {
		query = from
	}
	address := url.URL{
		Scheme: strings.TrimPrefix(u.Scheme, "clickhouse+"), Host: u.Host, Path: "/",
		RawQuery: url.Values{"database": {database}, "query": {query + " FORMAT Native"}, "readonly": {"1"}}.Encode(),
	}
	return fmt.Sprintf("url(%s, 'Native', headers('X-ClickHouse-User' = %s, 'X-ClickHouse-Key' = %s))",
		quote(address.String()), quote(user), quote(password)), nil
}

func remoteNative(host, database, from, user, password string) string {
	if tabular.IsQuery(from) {
		return fmt.Sprintf("remote(%s, view(%s), %s, %s)", quote(host), from, quote(user), quote(password))
	}
	if db, table, ok := strings.Cut(from, "."); ok {
		database, from = db, table
	}
	return fmt.Sprintf("remote(%s, %s, %s, %s, %s)", quote(host), quote(database), quote(from), quote(user), quote(password))
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
