package diff

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/services/internal/tabular"
	"plumbline.dev/services/internal/warehouse"
)

// ErrUsage marks what the user has to ask for differently.
var ErrUsage = errors.New("wrong usage")

func usage(format string, args ...any) error {
	return errors.Join(ErrUsage, fmt.Errorf(format, args...))
}

// Options are one comparison.
type Options struct {
	A, B       string            // a path, "-", an http address, or a database's with #table or #SELECT
	Key        []string          // columns, by the names of either side
	Map        map[string]string // columns of A to columns of B
	Compare    map[string]string // columns to kinds of package value
	Columns    []string          // compare only these; empty = all that both sides have
	IgnoreCase bool
	File       tabular.FileOptions

	Limit    int // divergences written at most; 0 = all
	Out      io.Writer
	Stdin    io.Reader
	Progress func(string) // one line about what is being done

	Engine Engine
	Dir    string // for temporary files
}

// Engine is the ClickHouse that does the work. It has to be able to read the
// machine's files.
type Engine struct {
	DB       *warehouse.DB // its database is used for scratch tables
	URL      string        // of its HTTP interface, with user and password
	Memory   uint64        // before it spills to disk
	Database string
}

func (o *Options) validate() error {
	if len(o.Key) == 0 {
		return usage("--key has to name the column that identifies a record, for instance --key email")
	}
	for column, kind := range o.Compare {
		if !slices.Contains(value.Kinds, kind) {
			return usage("--compare %s=%s: a kind is one of %s", column, kind, strings.Join(value.Kinds, ", "))
		}
	}
	if o.A == "-" && o.B == "-" {
		return usage("only one side can be read from standard input")
	}
	return nil
}

func (o *Options) progress(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}
