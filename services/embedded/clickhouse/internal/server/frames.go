package server

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/ClickHouse/ch-go/compress"
)

const (
	frameHeader = 16 + 1 + 4 + 4 // checksum, method, sizes
	maxFrame    = 128 << 20
)

// frameReader hands the decoder one whole compressed block at a time. The decoder cannot tell the end
// of the data from a block that is cut right after its header; here the two differ.
type frameReader struct {
	src   io.Reader
	dec   *compress.Reader
	frame []byte
	rest  []byte
	left  int // decompressed bytes that the decoder still holds or can get from rest
}

func (f *frameReader) Read(p []byte) (int, error) {
	if len(f.rest) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// next loads a block; io.EOF means that the data ended between two.
func (f *frameReader) next() error {
	var head [frameHeader]byte
	if _, err := io.ReadFull(f.src, head[:]); err != nil {
		return err
	}
	packed, raw := binary.LittleEndian.Uint32(head[17:]), binary.LittleEndian.Uint32(head[21:])
	if packed < 9 || packed > maxFrame || raw > maxFrame {
		return errors.New("the data is not in ClickHouse's compressed blocks")
	}
	size := frameHeader + int(packed) - 9
	if cap(f.frame) < size {
		f.frame = make([]byte, size)
	}
	f.frame = f.frame[:size]
	copy(f.frame, head[:])
	if _, err := io.ReadFull(f.src, f.frame[frameHeader:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	f.rest, f.left = f.frame, int(raw)
	return nil
}

// blockReader is the decompressed data.
type blockReader struct{ frames *frameReader }

// Read never asks the decoder for a block that is not there: having failed once, it gives out its
// last block a second time.
func (b *blockReader) Read(p []byte) (int, error) {
	f := b.frames
	for f.left == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n, err := f.dec.Read(p)
	f.left -= n
	return n, err
}
