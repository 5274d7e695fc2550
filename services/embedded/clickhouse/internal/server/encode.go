package server

import (
	"compress/zlib"
	"io"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// blockWriter writes ClickHouse's compressed blocks, as compress=1 asks for.
type blockWriter struct {
	dst io.Writer
	enc *compress.Writer
	buf []byte
}

const blockSize = 1 << 20

func newBlockWriter(dst io.Writer, method string) *blockWriter {
	m := compress.LZ4
	if strings.EqualFold(method, "ZSTD") {
		m = compress.ZSTD
	}
	return &blockWriter{dst: dst, enc: compress.NewWriter(compress.LevelZero, m)}
}

func (b *blockWriter) Write(p []byte) (int, error) {
	b.buf = append(b.buf, p...)
	for len(b.buf) >= blockSize {
		if err := b.emit(b.buf[:blockSize]); err != nil {
			return 0, err
		}
		b.buf = append(b.buf[:0], b.buf[blockSize:]...)
	}
	return len(p), nil
}

func (b *blockWriter) emit(p []byte) error {
	if err := b.enc.Compress(p); err != nil {
		return err
	}
	_, err := b.dst.Write(b.enc.Data)
	return err
}

func (b *blockWriter) flush() error {
	if len(b.buf) == 0 {
		return nil
	}
	defer func() { b.buf = b.buf[:0] }()
	return b.emit(b.buf)
}

// encodings in the order of preference when a client accepts several.
var encodings = []string{"zstd", "lz4", "br", "gzip", "deflate"}

// acceptedEncoding picks what the client accepts and this server speaks; "" for none.
func acceptedEncoding(header string) string {
	accepted := map[string]bool{}
	for part := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if q = strings.ReplaceAll(q, " ", ""); q != "q=0" && q != "q=0.0" {
			accepted[strings.ToLower(strings.TrimSpace(name))] = true
		}
	}
	for _, e := range encodings {
		if accepted[e] {
			return e
		}
	}
	return ""
}

func contentEncoder(w io.Writer, encoding string) io.WriteCloser {
	switch encoding {
	case "zstd":
		e, _ := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
		return e
	case "lz4":
		return lz4.NewWriter(w)
	case "br":
		return brotli.NewWriterLevel(w, 1)
	case "gzip":
		e, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		return e
	}
	e, _ := zlib.NewWriterLevel(w, zlib.BestSpeed)
	return e
}
