package diff

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/tabular"
)

// prepare makes a table of the engine for the columns that matter, and for the
// keys that have a normal form.
func (in *input) prepare(ctx context.Context, o *Options, table string, needed []int, kinds map[int]string) error {
	if in.rows == nil {
		return nil
	}
	var ddl []string
	for _, i := range needed {
		c := &in.columns[i]
		c.typ, c.expr = "Nullable(String)", fmt.Sprintf("c%d", i)
		ddl = append(ddl, c.expr+" Nullable(String)")
		if kinds[i] != "" {
			ddl = append(ddl, fmt.Sprintf("n%d String", i))
		}
	}
	in.expr, in.server = backquote(o.Engine.Database)+"."+backquote(table), nil
	create := fmt.Sprintf("CREATE TABLE %s (line UInt64, %s) ENGINE = MergeTree ORDER BY tuple()", in.expr, strings.Join(ddl, ", "))
	return o.Engine.DB.Exec(ctx, create)
}

// load fills the table.
func (in *input) load(ctx context.Context, o *Options, needed []int, kinds map[int]string) error {
	if in.rows == nil {
		return nil
	}
	o.progress("read %s", in.label)
	out, body := io.Pipe()
	enc := &encoder{in: in, needed: needed, kinds: kinds, progress: o.progress}
	done := make(chan struct{})
	go func() {
		defer close(done)
		body.CloseWithError(enc.run(body))
	}()
	err := insert(ctx, o.Engine.URL, "INSERT INTO "+in.expr+" FORMAT RowBinary", out)
	_ = out.CloseWithError(errStopped)
	<-done
	if enc.err != nil && !errors.Is(enc.err, errStopped) {
		return enc.err // the cause: the engine only saw its data end
	}
	return err
}

var errStopped = errors.New("stopped")

func insert(ctx context.Context, engine, query string, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, engine+"?query="+url.QueryEscape(query), body)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10))
		return fmt.Errorf("load rows: %s", strings.TrimSpace(string(text)))
	}
	return nil
}

// encoder turns rows into ClickHouse's RowBinary.
type encoder struct {
	in       *input
	needed   []int
	kinds    map[int]string
	progress func(string, ...any)

	buf  []byte
	rows int
	told time.Time
	err  error
}

const (
	chunk     = 256 << 10
	tellEvery = 5 * time.Second
)

func (e *encoder) run(out io.Writer) error {
	e.told = time.Now()
	for {
		row, err := e.in.rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			e.err = err
			return err
		}
		e.add(row)
		if len(e.buf) < chunk {
			continue
		}
		if err := e.flush(out); err != nil {
			return err
		}
		if time.Since(e.told) > tellEvery {
			e.told = time.Now()
			e.progress("read %s: %d rows so far", e.in.label, e.rows)
		}
	}
	return e.flush(out)
}

func (e *encoder) add(row tabular.Row) {
	e.rows++
	e.buf = binary.LittleEndian.AppendUint64(e.buf, uint64(row.Line))
	for _, i := range e.needed {
		cell := row.Cells[i]
		if cell == nil {
			e.buf = append(e.buf, 1)
		} else {
			e.buf = append(e.buf, 0)
			e.buf = binary.AppendUvarint(e.buf, uint64(len(cell)))
			e.buf = append(e.buf, cell...)
		}
		if kind := e.kinds[i]; kind != "" {
			normal := value.Normalize(kind, event.Value{Text: string(cell)})
			e.buf = binary.AppendUvarint(e.buf, uint64(len(normal)))
			e.buf = append(e.buf, normal...)
		}
	}
}

func (e *encoder) flush(out io.Writer) error {
	_, err := out.Write(e.buf)
	e.buf = e.buf[:0]
	return err
}
