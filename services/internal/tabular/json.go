package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/pipelines/value"
)

// jsonReader reads one object after the other: a line each, or the elements of
// one list. Objects inside become columns of their own ("properties.email"),
// lists stay as compact JSON.
type jsonReader struct {
	name    string
	dec     *jsontext.Decoder
	lines   *lineCounter
	close   func() error
	columns []Column
	index   map[string]int
	learn   bool // a first reading: it only finds out which columns there are

	n     int
	list  bool
	text  []byte
	spans []span
	cells [][]byte
}

type span struct {
	from, to int
	set      bool
}

func newJSON(name string, in io.Reader, closer func() error) *jsonReader {
	lines := &lineCounter{in: in}
	return &jsonReader{
		name: name, lines: lines, close: closer, index: map[string]int{},
		dec: jsontext.NewDecoder(lines, jsontext.AllowDuplicateNames(false)),
	}
}

// openJSON reads the file twice: any object may bring a new column.
func openJSON(name string, open func() (*bufio.Reader, func() error, error)) (Reader, error) {
	in, closer, err := open()
	if err != nil {
		return nil, err
	}
	first := newJSON(name, in, closer)
	first.learn = true
	for err == nil {
		_, err = first.Next()
	}
	if closed := closer(); !errors.Is(err, io.EOF) {
		return nil, err
	} else if closed != nil {
		return nil, closed
	}
	if len(first.columns) == 0 {
		return nil, fmt.Errorf("%s holds no records", name)
	}
	if in, closer, err = open(); err != nil {
		return nil, err
	}
	second := newJSON(name, in, closer)
	second.columns, second.index = first.columns, first.index
	for i := range second.columns {
		second.columns[i].Kind = strings.TrimPrefix(second.columns[i].Kind, mixed)
	}
	return second, nil
}

func (r *jsonReader) Columns() []Column { return r.columns }
func (r *jsonReader) Close() error      { return r.close() }

func (r *jsonReader) Next() (Row, error) {
	for {
		kind := r.dec.PeekKind()
		switch {
		case kind == '[' && r.n == 0 && !r.list:
			r.list = true
			if _, err := r.dec.ReadToken(); err != nil {
				return Row{}, r.fail(err)
			}
			continue
		case kind == ']':
			if _, err := r.dec.ReadToken(); err != nil {
				return Row{}, r.fail(err)
			}
			continue
		}
		break
	}
	v, err := r.dec.ReadValue()
	if errors.Is(err, io.EOF) {
		return Row{}, io.EOF
	}
	if err != nil {
		return Row{}, r.fail(err)
	}
	r.n++
	line := r.lines.at(r.dec.InputOffset() - int64(len(v)))
	if v.Kind() != '{' {
		return Row{}, &LineError{r.name, line, fmt.Errorf("%.40s is no JSON object", v)}
	}
	r.text = r.text[:0]
	r.spans = append(r.spans[:0], make([]span, len(r.columns))...)
	if err := r.object("", v); err != nil {
		return Row{}, &LineError{r.name, line, err}
	}
	return Row{Line: line, Cells: r.split()}, nil
}

func (r *jsonReader) split() [][]byte {
	r.cells = r.cells[:0]
	for _, s := range r.spans {
		if !s.set {
			r.cells = append(r.cells, nil)
			continue
		}
		r.cells = append(r.cells, r.text[s.from:s.to:s.to])
	}
	return r.cells
}

// object puts the members of an object into their columns.
func (r *jsonReader) object(prefix string, v jsontext.Value) error {
	dec := jsontext.NewDecoder(bytes.NewReader(v))
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		full := prefix + name.String()
		member, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if member.Kind() == '{' {
			if err := r.object(full+".", member); err != nil {
				return err
			}
			continue
		}
		if err := r.member(full, member); err != nil {
			return err
		}
	}
	return nil
}

func (r *jsonReader) member(name string, v jsontext.Value) error {
	i, known := r.index[name]
	if !known {
		if !r.learn {
			return fmt.Errorf("column %q was not there when the file was read first: does somebody write to it?", name)
		}
		i = len(r.columns)
		r.index[name] = i
		r.columns = append(r.columns, Column{Name: name})
		r.spans = append(r.spans, span{})
	}
	if r.learn {
		r.columns[i].Kind = together(r.columns[i].Kind, v.Kind())
	}
	from := len(r.text)
	switch v.Kind() {
	case 'n':
		return nil
	case '"':
		var err error
		if r.text, err = jsontext.AppendUnquote(r.text, v); err != nil {
			return err
		}
	case '[':
		if err := v.Compact(); err != nil {
			return err
		}
		r.text = append(r.text, v...)
	default:
		r.text = append(r.text, v...)
	}
	r.spans[i] = span{from, len(r.text), true}
	return nil
}

// mixed marks a column of several kinds while the file is read first.
const mixed = "mixed"

// together is the kind of a column that held values of one kind and now
// another.
func together(kind string, v jsontext.Kind) string {
	now := mixed
	switch v {
	case 'n':
		return kind
	case '0':
		now = value.Number
	case 't', 'f':
		now = value.Bool
	}
	if kind == "" || kind == now {
		return now
	}
	return mixed
}

func (r *jsonReader) fail(err error) error {
	at := r.dec.InputOffset()
	if bad, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at = bad.ByteOffset
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = r.lines.read, errors.New("the file ends in the middle of a record")
	}
	return &LineError{r.name, r.lines.at(at), err}
}

// lineCounter remembers where lines ended, as far as they are still needed.
type lineCounter struct {
	in   io.Reader
	read int64
	line int // lines that ended before ends[0]
	ends []int64
}

func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.in.Read(p)
	for rest, at := p[:n], l.read; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		l.ends = append(l.ends, at+int64(i))
		rest, at = rest[i+1:], at+int64(i)+1
	}
	l.read += int64(n)
	return n, err
}

// at is the line of an offset; offsets are asked for in ascending order.
func (l *lineCounter) at(offset int64) int {
	n, _ := slices.BinarySearch(l.ends, offset)
	l.line += n
	l.ends = l.ends[n:]
	return l.line + 1
}
