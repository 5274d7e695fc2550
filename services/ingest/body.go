package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"plumbline.dev/services/ingest/own"
)

// problem is a refusal with its status. Its text is for the sender.
type problem struct {
	code   int
	reason string
}

func (p *problem) Error() string { return p.reason }

var (
	errTooLarge = &problem{http.StatusRequestEntityTooLarge, "body is larger than 8 MiB decompressed: send it in parts"}
	errBusy     = &problem{http.StatusServiceUnavailable, "too many bodies in flight"}
	errCut      = &problem{http.StatusBadRequest, "body could not be read to its end"}
	errEncoding = &problem{http.StatusUnsupportedMediaType, "Content-Encoding is not supported: send the body plain, or as gzip or zstd where that is accepted"}
	errType     = &problem{http.StatusUnsupportedMediaType, "Content-Type is not supported: send application/json or application/x-ndjson in UTF-8"}
)

// body is a request's body in reusable memory, and the room it takes up.
type body struct {
	s        *Server
	bytes    []byte
	reserved int64
}

const (
	firstRead = 4 << 10
	keepBody  = 256 << 10 // larger buffers are left to the collector
)

var bodyPool = sync.Pool{New: func() any { return &body{bytes: make([]byte, 0, firstRead)} }}

// read takes the body in. The caller releases it when nothing points into it.
func (s *Server) read(w http.ResponseWriter, r *http.Request, compressed bool) (*body, error) {
	if r.ContentLength > s.o.Limits.Body {
		w.Header().Set("Connection", "close")
		return nil, errTooLarge
	}
	b := bodyPool.Get().(*body)
	b.s = s
	err := b.fill(w, r, compressed)
	if err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

func (b *body) release() {
	b.s.inflight.Add(-b.reserved)
	b.s.metrics.inflight.Sub(float64(b.reserved))
	b.s, b.reserved = nil, 0
	if cap(b.bytes) > keepBody {
		b.bytes = make([]byte, 0, firstRead)
	}
	b.bytes = b.bytes[:0]
	bodyPool.Put(b)
}

func (b *body) fill(w http.ResponseWriter, r *http.Request, compressed bool) error {
	limit := b.s.o.Limits.Body
	var in io.Reader = r.Body
	if r.ContentLength < 0 { // net/http holds a declared length itself
		in = http.MaxBytesReader(w, r.Body, limit)
	}
	switch enc := r.Header["Content-Encoding"]; {
	case len(enc) == 0 || (len(enc) == 1 && strings.EqualFold(enc[0], "identity")):
		return b.copy(in, limit, r.ContentLength)
	case !compressed || len(enc) != 1:
		return errEncoding
	default:
		return b.decompress(in, strings.ToLower(enc[0]), limit)
	}
}

// copy reads to the end, at most limit bytes, making room as it goes: what a
// sender announces is not taken for what it sends.
func (b *body) copy(in io.Reader, limit, expect int64) error {
	room := firstRead
	if expect > 0 && expect < keepBody {
		room = int(expect) + 1 // one byte more shows the end
	}
	for {
		if len(b.bytes) == room {
			room *= 2
		}
		// The reused memory may be larger: only what this body needs counts.
		if !b.reserve(int64(room)) {
			return errBusy
		}
		b.bytes = slices.Grow(b.bytes, room-len(b.bytes))
		n, err := in.Read(b.bytes[len(b.bytes):room])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if int64(len(b.bytes)) > limit {
			return errTooLarge
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return readError(err)
		}
	}
}

// reserve makes the body's share of the memory for bodies n bytes.
func (b *body) reserve(n int64) bool {
	more := n - b.reserved
	if more <= 0 {
		return true
	}
	if b.s.inflight.Add(more) > b.s.o.Limits.InFlight {
		b.s.inflight.Add(-more)
		return false
	}
	b.reserved = n
	b.s.metrics.inflight.Add(float64(more))
	return true
}

func readError(err error) error {
	var large *http.MaxBytesError
	var p *problem
	switch {
	case errors.As(err, &large):
		return errTooLarge
	case errors.As(err, &p):
		return p
	}
	return errCut
}

// ratioReader stops a bomb: the decompressed bytes may be ratio times the
// compressed ones, beyond a first part that any small body may have.
type ratioReader struct {
	in, out int64
	ratio   int64
	plain   io.Reader
}

const freeRatio = 64 << 10

func (r *ratioReader) Read(p []byte) (int, error) {
	n, err := r.plain.Read(p)
	r.out += int64(n)
	if r.out > freeRatio && r.out > r.in*r.ratio {
		return n, &problem{http.StatusRequestEntityTooLarge, fmt.Sprintf("body decompresses to more than %d times its size", r.ratio)}
	}
	return n, err
}

// counter counts what the decompressor takes.
type counter struct {
	io.Reader
	n *int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

var (
	gzipPool = sync.Pool{New: func() any { return new(kgzip.Reader) }}
	zstdPool = sync.Pool{New: func() any {
		d, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(16<<20))
		return d // constant options: cannot fail
	}}
)

func (b *body) decompress(in io.Reader, encoding string, limit int64) error {
	r := &ratioReader{ratio: b.s.o.Limits.Ratio}
	in = counter{in, &r.in}
	switch encoding {
	case "gzip":
		z := gzipPool.Get().(*kgzip.Reader)
		defer gzipPool.Put(z)
		if err := z.Reset(in); err != nil {
			return notEncoded(err, "gzip")
		}
		r.plain = z
	case "zstd":
		z := zstdPool.Get().(*zstd.Decoder)
		defer func() { _ = z.Reset(nil); zstdPool.Put(z) }()
		if err := z.Reset(in); err != nil {
			return notEncoded(err, "zstd")
		}
		r.plain = z
	default:
		return errEncoding
	}
	if err := b.copy(r, limit, -1); err != nil {
		if errors.Is(err, errCut) {
			return notEncoded(err, encoding)
		}
		return err
	}
	return nil
}

func notEncoded(err error, encoding string) error {
	if p := readError(err); !errors.Is(p, errCut) {
		return p
	}
	return &problem{http.StatusBadRequest, "body is not " + encoding + ", as its Content-Encoding says, or breaks off"}
}

// content is what a body's Content-Type says about its form.
type content struct {
	lines    bool // of JSON
	envelope own.Envelope
}

// jsonType reports how the body is JSON. No type at all is taken for JSON.
func jsonType(h http.Header) (c content, err error) {
	v := h["Content-Type"]
	switch {
	case len(v) == 0 || (len(v) == 1 && (v[0] == "" || v[0] == "application/json")):
		return c, nil
	case len(v) > 1:
		return c, errType
	}
	t, params, err := mime.ParseMediaType(v[0])
	if charset := params["charset"]; err != nil || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return c, errType
	}
	switch {
	case t == "application/x-ndjson", t == "application/ndjson", t == "application/jsonl", t == "application/x-jsonlines":
		c.lines = true
	case t == "application/cloudevents+json", t == "application/cloudevents-batch+json":
		c.envelope = own.CloudEvents
	case t == "application/json", t == "text/json", strings.HasSuffix(t, "+json"):
	default:
		return c, errType
	}
	return c, nil
}

// isXML reports a body declared as XML in UTF-8.
func isXML(contentType string) bool {
	t, params, err := mime.ParseMediaType(contentType)
	charset := params["charset"]
	return err == nil && (t == "text/xml" || t == "application/xml") && (charset == "" || strings.EqualFold(charset, "utf-8"))
}

// isMarkup reports a body that is XML, whatever it was declared as.
func isMarkup(b []byte) bool {
	t := bytes.TrimLeft(b, "\ufeff \t\r\n")
	return len(t) > 0 && t[0] == '<'
}
