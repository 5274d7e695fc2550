package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/services/diff"
	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/internal/warehouse"
)

const diffLong = `Compares two sets of records and writes each divergence as a JSON line to stdout:
record_key, field, kind, source_value, target_value. A is the source. A summary goes to stderr.

A and B are each one of
  contacts.csv, x.ndjson, x.json, x.parquet    also .gz, .zst or .zip; delimiter and UTF-16 are found out
  -                                            standard input
  https://host/export.csv                      fetched first
  'postgres://user@host/db#table'              or '#SELECT ...'; password also from PGPASSWORD
  'mysql://user@host/db#table'                 password also from MYSQL_PWD
  'clickhouse://user@host:9000/db#table'       clickhouse+http(s):// for HTTP; password also from CLICKHOUSE_PASSWORD
  'env:NAME#table'                             the address stands in the environment

Columns of one name are compared, without regard to case, spaces, dashes and underscores. Text compares exactly, typed
columns (of databases, Parquet, JSON) by value; null and empty text are the same. Kinds of --compare: text (case and
spaces ignored), phone, email, date, datetime, number, bool, picklist, multi, reference, exact.

Exit code: 0 equal, 1 different, 2 the comparison could not be made.`

const diffExample = `  plumbline diff hubspot.csv salesforce.csv --key email --compare email=email --compare phone=phone --html report.html
  plumbline diff hubspot.csv salesforce.csv --key 'Email' --map 'Lifecycle Stage=Lifecycle__c' --ignore-case
  plumbline diff yesterday.parquet today.parquet --key id --limit 100`

type diffFlags struct {
	opts      diff.Options
	maps      []string
	compares  []string
	delimiter string
	html      string
	memory    int
	quiet     bool
}

func diffCommand() *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use: "diff A B --key COLUMN", Short: "Compare two files or tables: divergences as JSON lines, a report in HTML",
		Long: diffLong, Example: diffExample, Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.opts.A, f.opts.B = args[0], args[1]
			return f.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.opts.Key, "key", nil, "column that identifies a record; several with commas")
	flags.StringArrayVar(&f.maps, "map", nil, "'X=Y': column X of A is column Y of B (repeatable)")
	flags.StringArrayVar(&f.compares, "compare", nil, "COLUMN=KIND: compare by normal form, for instance phone=phone (repeatable)")
	flags.StringSliceVar(&f.opts.Columns, "columns", nil, "compare only these columns")
	flags.BoolVar(&f.opts.IgnoreCase, "ignore-case", false, "ignore upper and lower case, also of keys")
	flags.StringVar(&f.html, "html", "", "write a report to this file")
	flags.IntVar(&f.opts.Limit, "limit", 0, "write at most so many divergences; the summary counts all")
	flags.StringVar(&f.delimiter, "delimiter", "", "of CSV files, when the first line does not show it (\\t for tab)")
	flags.StringVar(&f.opts.File.Encoding, "encoding", "", "of files that are not UTF-8 or UTF-16, for instance windows-1252")
	flags.IntVar(&f.memory, "memory", 2048, "MiB the engine may use before it works on disk")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on stderr")
	return cmd
}

// run leaves 2 for what kept it from comparing: 1 says that they differ.
func (f *diffFlags) run(cmd *cobra.Command) error {
	if err := f.parse(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	f.opts.Out, f.opts.Stdin = cmd.OutOrStdout(), cmd.InOrStdin()
	if !f.quiet {
		began := time.Now()
		f.opts.Progress = func(s string) {
			if took := time.Since(began); took > patience {
				fmt.Fprintf(os.Stderr, "%6.1fs  %s\n", took.Seconds(), s)
			}
		}
	}
	result, err := f.compare(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return errTrouble{errors.New("interrupted")}
	case errors.Is(err, diff.ErrUsage):
		return errors.Join(errUsage, err)
	case err != nil:
		return errTrouble{err}
	}
	fmt.Fprint(os.Stderr, result.Text())
	if f.html != "" {
		if err := writeReport(f.html, result); err != nil {
			return errTrouble{err}
		}
		fmt.Fprintf(os.Stderr, "report: %s\n", f.html)
	}
	if !result.Same() {
		return errQuiet{errors.New("the two sides differ")}
	}
	return nil
}

// patience is how long nobody wonders what a command does.
const patience = 2 * time.Second

// errTrouble is a failure that exits with 2, though nothing was used wrongly.
type errTrouble struct{ error }

func writeReport(path string, result *diff.Result) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(result.HTML(file, time.Now()), file.Close())
}

func (f *diffFlags) parse() error {
	var err error
	if f.opts.Map, err = assignments("--map", f.maps); err != nil {
		return err
	}
	if f.opts.Compare, err = assignments("--compare", f.compares); err != nil {
		return err
	}
	switch d := strings.ReplaceAll(f.delimiter, `\t`, "\t"); len(d) {
	case 0:
	case 1:
		f.opts.File.Delimiter = d[0]
	default:
		return fmt.Errorf("%w: --delimiter is one character", errUsage)
	}
	return nil
}

func assignments(flag string, list []string) (map[string]string, error) {
	m := make(map[string]string, len(list))
	for _, a := range list {
		name, v, ok := strings.Cut(a, "=")
		name, v = strings.TrimSpace(name), strings.TrimSpace(v)
		if !ok || name == "" || v == "" {
			return nil, fmt.Errorf("%w: %s %q has to be X=Y", errUsage, flag, a)
		}
		if _, twice := m[name]; twice {
			return nil, fmt.Errorf("%w: %s names %q twice", errUsage, flag, name)
		}
		m[name] = v
	}
	return m, nil
}

// compare starts an engine of its own in a folder that goes with it.
func (f *diffFlags) compare(ctx context.Context) (*diff.Result, error) {
	dir, err := os.MkdirTemp("", "plumbline-diff-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	password := rand.Text() // whoever reaches the port could read this user's files
	memory := int64(f.memory) << 20
	engine, err := clickhouse.Start(ctx, clickhouse.Options{
		Data: dir + "/engine", Password: password, MaxMemory: 3 * memory, MaxQueryMemory: 3 * memory,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		defer cancel()
		_ = engine.Stop(stop)
	}()
	const database = "diff"
	db, err := warehouse.Open(warehouse.Options{DSN: "http://default@" + engine.Addr() + "/system", Password: password})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if err := db.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "http", User: url.UserPassword("default", password), Host: engine.Addr(), Path: "/"}
	f.opts.Dir = dir
	f.opts.Engine = diff.Engine{DB: db, URL: address.String(), Database: database, Memory: uint64(memory)}
	return diff.Run(ctx, &f.opts)
}
