package tabular

import (
	"fmt"
	"strings"
)

// Column is a named column. Kind is how its type compares (package value),
// empty where it is plain text or not known.
type Column struct {
	Name string
	Kind string
}

// Row is one record. Cells are valid until the next row is read; nil is NULL.
type Row struct {
	Line  int // of a file, counted from 1; else the number of the row
	Cells [][]byte
}

// Reader hands over rows until io.EOF.
type Reader interface {
	Columns() []Column
	Next() (Row, error)
	Close() error
}

// LineError is a row that cannot be read.
type LineError struct {
	Name string // of the file
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s, line %d: %v", e.Name, e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// unique gives every column a name of its own: a second "Email" becomes
// "Email (2)", one without a name "column 5".
func unique(names []string) []Column {
	seen := make(map[string]int, len(names))
	columns := make([]Column, len(names))
	for i, name := range names {
		if name = strings.TrimSpace(name); name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		seen[name]++
		if n := seen[name]; n > 1 {
			name = fmt.Sprintf("%s (%d)", name, n)
		}
		columns[i].Name = name
	}
	return columns
}
