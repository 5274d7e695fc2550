package diff

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"plumbline.dev/services/internal/tabular"
)

// engineRows reads back, as text, what only the engine can read.
type engineRows struct {
	columns []tabular.Column
	label   string
	ctx     context.Context //nolint:containedctx // bounds the one query, which begins with the first row
	url     string
	query   string

	body  io.ReadCloser
	in    *bufio.Reader
	n     int
	text  []byte
	cells [][]byte
}

func newEngineRows(ctx context.Context, o *Options, in *input) *engineRows {
	r := &engineRows{ctx: ctx, label: in.label, url: o.Engine.URL}
	var texts []string
	for i := range in.columns {
		c := &in.columns[i]
		r.columns = append(r.columns, tabular.Column{Name: c.name, Kind: c.kind})
		texts = append(texts, "CAST("+c.text()+", 'Nullable(String)')")
	}
	in.columns = nil
	query := fmt.Sprintf("SELECT %s FROM %s", strings.Join(texts, ", "), in.expr)
	r.query = "SELECT * FROM " + in.read(query) + " FORMAT RowBinary"
	return r
}

func (r *engineRows) Columns() []tabular.Column { return r.columns }

func (r *engineRows) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}

func (r *engineRows) start() error {
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, r.url, strings.NewReader(r.query))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req) //nolint:bodyclose // Close does
	if err != nil {
		return err
	}
	r.body, r.in = res.Body, bufio.NewReaderSize(res.Body, chunk)
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(r.in, 4<<10))
		return fmt.Errorf("read %s: %s", r.label, strings.TrimSpace(string(text)))
	}
	return nil
}

func (r *engineRows) Next() (tabular.Row, error) {
	if r.body == nil {
		if err := r.start(); err != nil {
			return tabular.Row{}, err
		}
	}
	if _, err := r.in.Peek(1); errors.Is(err, io.EOF) {
		return tabular.Row{}, io.EOF
	}
	r.n++
	r.text, r.cells = r.text[:0], r.cells[:0]
	ends := make([]int, 0, len(r.columns))
	for range r.columns {
		null, err := r.cell()
		if err != nil {
			return tabular.Row{}, fmt.Errorf("read %s, row %d: %w", r.label, r.n, err)
		}
		end := len(r.text)
		if null {
			end = -1
		}
		ends = append(ends, end)
	}
	from := 0
	for _, end := range ends {
		if end < 0 {
			r.cells = append(r.cells, nil)
			continue
		}
		r.cells = append(r.cells, r.text[from:end:end])
		from = end
	}
	return tabular.Row{Line: r.n, Cells: r.cells}, nil
}

func (r *engineRows) cell() (null bool, err error) {
	mark, err := r.in.ReadByte()
	if err != nil || mark == 1 {
		return true, err
	}
	n, err := binary.ReadUvarint(r.in)
	if err != nil {
		return false, err
	}
	from := len(r.text)
	r.text = append(r.text, make([]byte, n)...)
	_, err = io.ReadFull(r.in, r.text[from:])
	return false, err
}
