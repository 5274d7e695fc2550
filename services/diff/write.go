package diff

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/compare"
)

// unlinkable counts the rows of each side that have no key (design §4).
const unlinkable = "unlinkable"

// line is a divergence as it is written.
type line struct {
	RecordKey   string   `json:"record_key"`
	Field       string   `json:"field"`
	Kind        string   `json:"kind"`
	SourceValue *string  `json:"source_value"`
	TargetValue *string  `json:"target_value"`
	Difference  string   `json:"difference,omitempty"`
	SourceLines []uint64 `json:"source_lines,omitempty"`
	TargetLines []uint64 `json:"target_lines,omitempty"`
}

// writer writes divergences as NDJSON and keeps a few for the report.
type writer struct {
	out      *bufio.Writer
	enc      *json.Encoder
	limit    int
	written  int
	examples examples
}

func newWriter(out io.Writer, limit int) *writer {
	w := &writer{out: bufio.NewWriterSize(out, 64<<10), limit: limit}
	w.enc = json.NewEncoder(w.out)
	w.enc.SetEscapeHTML(false)
	return w
}

func (w *writer) divergence(d *compare.Divergence) error {
	return w.write(line{
		RecordKey: d.Key, Field: d.Field, Kind: d.Kind, Difference: d.Difference,
		SourceValue: shown(d.Source), TargetValue: shown(d.Target), SourceLines: lines(d.CarryA), TargetLines: lines(d.CarryB),
	})
}

// noKey tells of the rows that could not be compared.
func (w *writer) noKey(sum *compare.Summary) error {
	if sum.A.NoKey+sum.B.NoKey == 0 {
		return nil
	}
	a, b := strconv.FormatUint(sum.A.NoKey, 10), strconv.FormatUint(sum.B.NoKey, 10)
	return w.write(line{Kind: unlinkable, SourceValue: &a, TargetValue: &b})
}

func (w *writer) write(l line) error {
	w.examples.add(&l)
	if w.limit > 0 && w.written >= w.limit {
		return nil
	}
	w.written++
	return w.enc.Encode(l)
}

func (w *writer) flush() error { return w.out.Flush() }

func shown(v event.Value) *string {
	if v.Kind == event.KindNull {
		return nil
	}
	return &v.Text
}

func lines(carried [][]string) []uint64 {
	var out []uint64
	for _, row := range carried {
		if len(row) > 0 {
			if n, err := strconv.ParseUint(row[0], 10, 64); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// examples keeps the first divergences of each field and kind.
type examples struct {
	lists map[[2]string][]line
}

const examplesEach = 5

func (e *examples) add(l *line) {
	if e.lists == nil {
		e.lists = map[[2]string][]line{}
	}
	at := [2]string{l.Kind, l.Field}
	if len(e.lists[at]) < examplesEach {
		e.lists[at] = append(e.lists[at], *l)
	}
}
