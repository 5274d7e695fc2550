package tabular

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// OpenSQL reads a table or a query of Postgres (postgres://) or MySQL
// (mysql://). from is a table's name or a SELECT. Its errors never repeat the
// address, which may hold a password.
func OpenSQL(ctx context.Context, dsn, from string) (Reader, error) {
	return OpenSQLBy(ctx, dsn, from, nil)
}

// Dial opens connections: who calls says where they may lead.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// OpenSQLBy is OpenSQL through a dialer of the caller's.
func OpenSQLBy(ctx context.Context, dsn, from string, dial Dial) (Reader, error) {
	if strings.TrimSpace(from) == "" {
		return nil, errors.New("a database needs a table or a query: write postgres://host/db#table or 'postgres://host/db#SELECT ...'")
	}
	scheme, _, _ := strings.Cut(dsn, "://")
	switch scheme {
	case "postgres", "postgresql":
		return openPostgres(ctx, dsn, from, dial)
	case "mysql":
		return openMySQL(ctx, dsn, from, dial)
	}
	return nil, fmt.Errorf("no database that can be read: %.20s", scheme)
}

// IsQuery reports whether a text is a query and not a table's name.
func IsQuery(from string) bool {
	word := strings.ToLower(strings.TrimLeft(from, " \t\r\n("))
	for _, w := range []string{"select", "with"} {
		if rest, ok := strings.CutPrefix(word, w); ok && rest != "" && strings.ContainsAny(rest[:1], " \t\r\n*(") {
			return true
		}
	}
	return false
}

// Selection is a query over a table, or the query itself. Names are written
// between quotes.
func Selection(from, quote string) string {
	if IsQuery(from) {
		return strings.TrimRight(from, "; \t\r\n")
	}
	parts := strings.Split(from, ".")
	for i, p := range parts {
		parts[i] = quote + strings.ReplaceAll(strings.TrimSpace(p), quote, quote+quote) + quote
	}
	return "SELECT * FROM " + strings.Join(parts, ".")
}

// IsSQL reports whether OpenSQL knows the database of an address.
func IsSQL(dsn string) bool {
	scheme, _, _ := strings.Cut(dsn, "://")
	return scheme == "postgres" || scheme == "postgresql" || scheme == "mysql"
}
