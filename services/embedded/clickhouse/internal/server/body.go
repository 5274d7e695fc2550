package server

import (
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// timedBody gives each read its own deadline, so that a stalled client frees its slot, and ends when
// the query is killed.
type timedBody struct {
	ctx     context.Context
	body    io.Reader
	control *http.ResponseController
	stop    func() bool
}

func newTimedBody(ctx context.Context, w http.ResponseWriter, body io.Reader) *timedBody {
	b := &timedBody{ctx: ctx, body: body, control: http.NewResponseController(w)}
	// A read that waits for the client only returns when its deadline passes.
	b.stop = context.AfterFunc(ctx, func() { _ = b.control.SetReadDeadline(time.Unix(1, 0)) })
	return b
}

func (b *timedBody) Read(p []byte) (int, error) {
	_ = b.control.SetReadDeadline(time.Now().Add(ioTimeout))
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	n, err := b.body.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		// net/http goes on reading to notice a client that leaves; that must not time out.
		_ = b.control.SetReadDeadline(time.Time{})
	case err != nil && b.ctx.Err() != nil:
		err = context.Cause(b.ctx)
	case err != nil:
		err = fail(codeCannotRead, "Cannot read the request body: "+err.Error())
	}
	return n, err
}

func (b *timedBody) close() {
	b.stop()
	_ = b.control.SetReadDeadline(time.Time{})
}

// decode undoes Content-Encoding and then ClickHouse's own block compression.
func decode(r io.Reader, encoding string, blocks bool) (io.Reader, error) {
	r, err := contentDecoder(r, strings.ToLower(strings.TrimSpace(encoding)))
	if err != nil {
		return nil, err
	}
	if blocks {
		frames := &frameReader{src: r}
		frames.dec = compress.NewReader(frames)
		r = &blockReader{frames}
	}
	return r, nil
}

func contentDecoder(r io.Reader, encoding string) (io.Reader, error) {
	switch encoding {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		return lazy(r, func() (io.Reader, error) { return gzip.NewReader(r) }), nil
	case "deflate":
		return lazy(r, func() (io.Reader, error) { return zlib.NewReader(r) }), nil
	case "br":
		return brotli.NewReader(r), nil
	case "lz4":
		return lz4.NewReader(r), nil
	case "zstd":
		return lazy(r, func() (io.Reader, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		}), nil
	}
	return nil, fail(codeNotImplemented, "Unknown Content-Encoding "+encoding+": gzip, deflate, br, zstd and lz4 are understood")
}

// lazyReader opens its decoder at the first read: an empty body is no error.
type lazyReader struct {
	src  io.Reader
	open func() (io.Reader, error)
	r    io.Reader
}

func lazy(src io.Reader, open func() (io.Reader, error)) io.Reader {
	return &lazyReader{src: src, open: open}
}

func (l *lazyReader) Read(p []byte) (int, error) {
	if l.r == nil {
		r, err := l.open()
		if err != nil {
			return 0, err
		}
		l.r = r
	}
	return l.r.Read(p)
}
