package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxRecord bounds one record of a file: past it, a quote was left open.
const maxRecord = 16 << 20

var (
	errOpenQuote  = errors.New("a quote is opened here and never closed")
	errAfterQuote = errors.New(`text follows a closing quote: inside quotes, a quote is written twice ("")`)
	errNotUTF8    = errors.New("not UTF-8: name the encoding, for instance `--encoding windows-1252` for a file saved by Excel")
	errLong       = fmt.Errorf("the record is longer than %d MiB: is a quote left open?", maxRecord>>20)
)

// csvReader reads RFC 4180 with any delimiter. It differs from encoding/csv in
// what a comparison needs: line ends inside quotes stay as they are, and a
// quoted empty field is told from one with nothing.
type csvReader struct {
	name      string
	in        *bufio.Reader
	close     func() error
	delimiter byte
	nulls     bool // nothing at all is NULL, as Postgres writes it

	columns []Column
	line    int
	text    []byte // the fields of the record, one behind the other
	ends    []int
	empty   []bool // the field was not quoted and holds nothing
	cells   [][]byte
}

func newCSV(name string, in *bufio.Reader, closer func() error, delimiter byte) (*csvReader, error) {
	r := &csvReader{name: name, in: in, close: closer, delimiter: delimiter}
	if delimiter == 0 {
		r.sniff()
	}
	err := r.record()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty: the first line has to name the columns", name)
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, len(r.ends))
	for i, cell := range r.split() {
		names[i] = string(cell)
	}
	r.columns = unique(names)
	return r, nil
}

func (r *csvReader) Columns() []Column { return r.columns }
func (r *csvReader) Close() error      { return r.close() }

func (r *csvReader) Next() (Row, error) {
	for {
		line := r.line + 1
		if err := r.record(); err != nil {
			return Row{}, err
		}
		if len(r.ends) == 1 && r.empty[0] && len(r.columns) > 1 {
			continue // an empty line
		}
		if len(r.ends) != len(r.columns) {
			return Row{}, r.fail(line, fmt.Errorf("%d fields where the first line names %d columns", len(r.ends), len(r.columns)))
		}
		return Row{Line: line, Cells: r.split()}, nil
	}
}

// split cuts the record into its cells.
func (r *csvReader) split() [][]byte {
	r.cells = r.cells[:0]
	from := 0
	for i, end := range r.ends {
		cell := r.text[from:end:end]
		if r.nulls && r.empty[i] {
			cell = nil
		}
		r.cells = append(r.cells, cell)
		from = end
	}
	return r.cells
}

// record reads the next record into text, ends and empty.
func (r *csvReader) record() error {
	r.text, r.ends, r.empty = r.text[:0], r.ends[:0], r.empty[:0]
	first := r.line + 1
	line, err := r.readLine()
	if err != nil {
		return err
	}
	for {
		if len(line) > 0 && line[0] == '"' {
			if line, err = r.quoted(line[1:]); err != nil {
				return err
			}
			r.ends, r.empty = append(r.ends, len(r.text)), append(r.empty, false)
		} else {
			line = r.plain(line)
		}
		if len(line) == 0 {
			break
		}
		line = line[1:] // the delimiter
	}
	if !utf8.Valid(r.text) {
		return r.fail(first, errNotUTF8)
	}
	return nil
}

// plain takes a field without quotes and returns the rest, which begins with
// the delimiter or is empty.
func (r *csvReader) plain(line []byte) []byte {
	end := bytes.IndexByte(line, r.delimiter)
	if end < 0 {
		end = len(trimEnd(line))
		r.text = append(r.text, line[:end]...)
		line = nil
	} else {
		r.text = append(r.text, line[:end]...)
		line = line[end:]
	}
	r.ends, r.empty = append(r.ends, len(r.text)), append(r.empty, end == 0)
	return line
}

// quoted takes a field up to its closing quote, over as many lines as it has.
func (r *csvReader) quoted(line []byte) ([]byte, error) {
	opened := r.line
	for {
		end := bytes.IndexByte(line, '"')
		switch {
		case end < 0:
			r.text = append(r.text, line...)
			if len(r.text) > maxRecord {
				return nil, r.fail(opened, errLong)
			}
			var err error
			if line, err = r.readLine(); errors.Is(err, io.EOF) {
				return nil, r.fail(opened, errOpenQuote)
			} else if err != nil {
				return nil, err
			}
		case end+1 < len(line) && line[end+1] == '"':
			r.text = append(r.text, line[:end+1]...)
			line = line[end+2:]
		default:
			r.text = append(r.text, line[:end]...)
			line = line[end+1:]
			if rest := trimEnd(line); len(rest) == 0 {
				return nil, nil
			}
			if line[0] != r.delimiter {
				return nil, r.fail(r.line, errAfterQuote)
			}
			return line, nil
		}
	}
}

// readLine reads up to and with the line end; the last line may have none.
func (r *csvReader) readLine() ([]byte, error) {
	line, err := r.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxRecord {
			line, err = r.in.ReadSlice('\n')
			long = append(long, line...)
		}
		if len(long) > maxRecord {
			return nil, r.fail(r.line+1, errLong)
		}
		line = long
	}
	if len(line) > 0 && (err == nil || errors.Is(err, io.EOF)) {
		r.line++
		return line, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("read %s after line %d: %w", r.name, r.line, err)
	}
	return nil, err
}

func (r *csvReader) fail(line int, err error) error { return &LineError{r.name, line, err} }

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// sniff takes the delimiter from Excel's "sep=;" line, or from the header:
// what stands there most often outside quotes.
func (r *csvReader) sniff() {
	r.delimiter = ','
	head, _ := r.in.Peek(r.in.Size())
	if rest, ok := bytes.CutPrefix(head, []byte("sep=")); ok && len(rest) > 1 && len(trimEnd(rest[1:min(3, len(rest))])) == 0 {
		r.delimiter = rest[0]
		_, _ = r.readLine()
		return
	}
	counts, quoted := map[byte]int{}, false
	for _, c := range head {
		if c == '"' {
			quoted = !quoted
		}
		if c == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[c]++
		}
	}
	for _, c := range []byte{';', '\t', '|'} {
		if counts[c] > counts[r.delimiter] {
			r.delimiter = c
		}
	}
}
