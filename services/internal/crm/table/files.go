package table

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/tabular"
)

// files are exports: a folder, a web server or a bucket, an object a file.
type files struct {
	o      *Options
	fetch  *fetcher // nil = files of this machine
	dir    string   // where they are, or where fetched ones are kept
	parser tabular.FileOptions

	mu      sync.Mutex
	fetched map[string]copied
}

// copied is a file as it was fetched. One look at what differs reads it many
// times; it is fetched anew when it is older than keptFor.
type copied struct {
	path string
	at   time.Time
}

const keptFor = 2 * time.Minute

func (s *files) close() {
	if s.fetch != nil {
		s.fetch.close()
		_ = os.RemoveAll(s.dir)
	}
}

func (s *files) path(ctx context.Context, from string) (string, error) {
	if s.fetch == nil {
		path := filepath.Join(s.dir, filepath.FromSlash(from))
		if rel, err := filepath.Rel(s.dir, path); err != nil || strings.HasPrefix(rel, "..") {
			return "", s.failed(errors.New(from + " leads out of the folder"))
		}
		return path, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.fetched[from]; ok && s.o.Clock.Now().Sub(c.at) < keptFor {
		return c.path, nil
	}
	at := s.o.Clock.Now()
	f, err := os.CreateTemp(s.dir, "fetched-*")
	if err != nil {
		return "", err
	}
	err = errors.Join(s.fetch.get(ctx, from, f), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	if old, ok := s.fetched[from]; ok { // whoever still reads it holds it open
		_ = os.Remove(old.path)
	}
	s.fetched[from] = copied{f.Name(), at}
	return f.Name(), nil
}

// scan reads the whole file; whoever asked for a part of it gets that part.
func (s *files) scan(ctx context.Context, t config.Table, w wanted, to sink) error {
	if w.scope != "" {
		return &crm.Error{Kind: crm.KindSchema, System: s.o.System, Message: "a file has no scope: leave out of it what is not meant to be synced"}
	}
	path, err := s.path(ctx, t.From)
	if err != nil {
		return err
	}
	format, err := tabular.FormatOf(path)
	if err != nil {
		return s.failed(err)
	}
	err = s.rows(ctx, path, format, narrow(w, to))
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (s *files) rows(ctx context.Context, path string, format tabular.Format, to sink) error {
	if format == tabular.Parquet {
		if s.o.Engine == nil {
			return s.failed(errors.New("a Parquet file is read by the embedded engine, which this role does not have: export CSV or NDJSON"))
		}
		e := &engine{db: s.o.Engine, system: s.o.System}
		return e.rows(ctx, "SELECT * FROM file("+clickh.literal(path)+", 'Parquet')", false, to)
	}
	rows, err := tabular.OpenFile(path, s.parser)
	if err != nil {
		return s.failed(err)
	}
	defer rows.Close()
	return pump(rows, to, s.failed)
}

// errEnough ends a scan that has what it wanted.
var errEnough = errors.New("enough")

// narrow leaves out rows without the values asked for.
func narrow(w wanted, to sink) sink {
	if w.none {
		return sink{columns: func(c []column) error {
			if err := to.columns(c); err != nil {
				return err
			}
			return errEnough
		}, row: nothing}
	}
	if w.field == "" {
		return to
	}
	asked := make(map[string]bool, len(w.values))
	for _, v := range w.values {
		asked[v] = true
	}
	at := -1
	return sink{
		columns: func(columns []column) error {
			for i, c := range columns {
				if strings.EqualFold(c.name, w.field) {
					at = i
				}
			}
			return to.columns(columns)
		},
		row: func(cells [][]byte) error {
			if at < 0 || at >= len(cells) || !asked[string(cells[at])] {
				return nil
			}
			return to.row(cells)
		},
	}
}

func (s *files) failed(err error) error {
	if e := (*crm.Error)(nil); errors.As(err, &e) {
		return err
	}
	e := &crm.Error{Kind: crm.KindSchema, System: s.o.System, Message: crm.Cut(err.Error(), 300), Err: err}
	if errors.Is(err, fs.ErrPermission) {
		e.Kind = crm.KindScope
	}
	return e
}
