package server

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
)

// output is the response. It holds the first part back, because an error can only have its status code
// as long as nothing was sent; with wait_end_of_query it holds everything, on disk when it is large.
type output struct {
	w       http.ResponseWriter
	control *http.ResponseController
	head    []byte
	limit   int
	spill   *os.File // wait_end_of_query only
	waitEnd bool
	sent    bool

	top     io.Writer      // where results go: blocks, encoder and sink, as far as asked for
	blocks  *blockWriter   // compress=1
	enc     io.WriteCloser // Content-Encoding
	tag     string         // frames an exception that comes after the headers
	started time.Time
}

func newOutput(w http.ResponseWriter, limit int, waitEnd bool) *output {
	o := &output{w: w, control: http.NewResponseController(w), limit: limit, waitEnd: waitEnd, started: time.Now()}
	o.tag = newQueryID()[:8] + newQueryID()[:8]
	o.top = sink{o}
	return o
}

func (o *output) Write(p []byte) (int, error) { return o.top.Write(p) }

// sink is the lowest layer.
type sink struct{ o *output }

func (s sink) Write(p []byte) (int, error) {
	o := s.o
	if o.sent {
		_ = o.control.SetWriteDeadline(time.Now().Add(ioTimeout))
		return o.w.Write(p)
	}
	if o.spill != nil {
		return o.spill.Write(p)
	}
	o.head = append(o.head, p...)
	if len(o.head) < o.limit {
		return len(p), nil
	}
	if o.waitEnd {
		return len(p), o.spillOver()
	}
	return len(p), o.send()
}

func (o *output) spillOver() error {
	f, err := os.CreateTemp("", "plumbline-result-*")
	if err != nil {
		return err
	}
	_ = os.Remove(f.Name()) // the open file is enough, and a crash leaves nothing behind
	o.spill = f
	_, err = f.Write(o.head)
	o.head = nil
	return err
}

func (o *output) send() error {
	o.sent = true
	_ = o.control.SetWriteDeadline(time.Now().Add(ioTimeout))
	o.w.WriteHeader(http.StatusOK)
	_, err := o.w.Write(o.head)
	o.head = nil
	return err
}

// finish completes a good answer. When nothing was sent yet the summary is exact.
func (o *output) finish(stats chdb.Stats) error {
	if err := o.closeBlocks(); err != nil {
		return err
	}
	if o.enc != nil {
		if err := o.enc.Close(); err != nil {
			return err
		}
	}
	if o.sent {
		return nil
	}
	o.summary(stats)
	if o.spill == nil {
		o.w.Header().Set("Content-Length", strconv.Itoa(len(o.head)))
		return o.send()
	}
	defer o.spill.Close()
	if _, err := o.spill.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := o.send(); err != nil {
		return err
	}
	_, err := io.Copy(sink{o}, o.spill)
	return err
}

func (o *output) summary(s chdb.Stats) {
	text := func(n uint64) string { return strconv.FormatUint(n, 10) }
	b, _ := json.Marshal(map[string]string{
		"read_rows": text(s.ReadRows), "read_bytes": text(s.ReadBytes),
		"written_rows": text(s.WrittenRows), "written_bytes": text(s.WrittenBytes),
		"result_rows": text(s.ResultRows), "total_rows_to_read": "0",
		"elapsed_ns": text(uint64(time.Since(o.started))),
	})
	o.w.Header().Set("X-ClickHouse-Summary", string(b))
}

// fail answers with an error: by status while that is possible, and after that as a framed block and a
// connection cut off, so that no client takes the part it has for the whole.
func (o *output) fail(err error, version string) {
	code := codeOf(err)
	text := message(err, version)
	if o.spill != nil {
		o.spill.Close()
	}
	if !o.sent {
		h := o.w.Header()
		h.Del("Content-Encoding")
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(code))
		h.Set("Content-Length", strconv.Itoa(len(text)))
		_ = o.control.SetWriteDeadline(time.Now().Add(ioTimeout))
		o.w.WriteHeader(statusOf(code))
		_, _ = io.WriteString(o.w, text)
		return
	}
	text = cut(text, 15<<10)
	block := fmt.Sprintf("\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", o.tag, text, len(text), o.tag)
	o.abort([]byte(block))
	panic(http.ErrAbortHandler)
}

// abort writes the block past the native compressor, where clients look for it, but inside HTTP's.
func (o *output) abort(block []byte) {
	_ = o.closeBlocks()
	if o.enc != nil {
		_, _ = o.enc.Write(block)
		_ = o.enc.Close()
	} else {
		_, _ = sink{o}.Write(block)
	}
	_ = o.control.Flush()
}

func (o *output) closeBlocks() error {
	if o.blocks == nil {
		return nil
	}
	return o.blocks.flush()
}
