// Package clickhouse holds the analytics schema: numbered SQL files that are
// applied in order and never changed afterwards. It knows no client.
package clickhouse

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Database is the name that analysts use, and the one the files are written
// for. Another database is put in its place with In.
const Database = "plumbline"

//go:embed *.sql
var files embed.FS

// File is one step of the schema.
type File struct {
	Version  int
	Name     string
	Checksum string
	SQL      string
}

// Files returns every step in order. A gap or a double number is an error.
func Files() ([]File, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("read the embedded schema: %w", err)
	}
	out := make([]File, 0, len(entries))
	for i, e := range entries { // ReadDir sorts by name
		number, _, _ := strings.Cut(e.Name(), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 || len(number) != 4 {
			return nil, fmt.Errorf("schema file %s: want number %04d", e.Name(), i+1)
		}
		b, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read schema file %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(b)
		out = append(out, File{Version: version, Name: e.Name(), Checksum: hex.EncodeToString(sum[:]), SQL: string(b)})
	}
	return out, nil
}

// Statements splits a file: a statement ends with a semicolon at the end of a
// line, so no text inside one may.
func (f File) Statements() []string {
	var out []string
	for s := range strings.SplitSeq(f.SQL, ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// In makes a statement work in another database. Only calls of parameterised
// views name theirs, because ClickHouse does not add it to them.
func In(database, statement string) string {
	if database == Database {
		return statement
	}
	return strings.ReplaceAll(statement, Database+".", "`"+database+"`.")
}
