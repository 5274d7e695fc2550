package stream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// BlockKey is the changelog key of a block: many state entries in one record.
// An entry of its own under its own key, as earlier versions wrote them, is
// read all the same.
const BlockKey = "@block"

const (
	// blockFormat starts every block, so that a later version knows what it reads.
	blockFormat = 1
	// blockBytes is when a block is full: far below what a broker takes as one
	// message, far above what a record costs by itself.
	blockBytes = 32 << 10
)

var errBlock = errors.New("damaged block of state entries")

// blocks packs state entries into changelog records.
type blocks struct {
	emit    Emit
	buf     []byte
	entries int // packed so far
	bytes   int // of them
	records int // handed on so far
}

func (b *blocks) add(key string, value []byte) error {
	if len(b.buf) == 0 {
		b.buf = append(b.buf, blockFormat)
	}
	b.buf = binary.AppendUvarint(b.buf, uint64(len(key)))
	b.buf = append(b.buf, key...)
	if value == nil {
		b.buf = append(b.buf, 0)
	} else {
		b.buf = binary.AppendUvarint(b.buf, uint64(len(value))+1)
		b.buf = append(b.buf, value...)
	}
	b.entries++
	b.bytes += len(key) + len(value)
	if len(b.buf) < blockBytes {
		return nil
	}
	return b.flush()
}

func (b *blocks) flush() error {
	if len(b.buf) == 0 {
		return nil
	}
	b.records++
	err := b.emit(BlockKey, b.buf)
	b.buf = b.buf[:0]
	return err
}

// readBlock hands over a block's entries. Keys and values are the block's own
// bytes.
func readBlock(b []byte, each Emit) error {
	if len(b) == 0 || b[0] != blockFormat {
		return fmt.Errorf("%w: written in a layout that this version does not know", errBlock)
	}
	for b = b[1:]; len(b) > 0; {
		key, rest, ok := cut(b, 0)
		if !ok {
			return errBlock
		}
		value, rest, ok := cut(rest, 1)
		if !ok {
			return errBlock
		}
		if err := each(unsafe.String(unsafe.SliceData(key), len(key)), value); err != nil {
			return fmt.Errorf("state of %q: %w", key, err)
		}
		b = rest
	}
	return nil
}

// cut takes one piece, whose length plus one of less stands before it. Length
// zero less one is nil.
func cut(b []byte, less uint64) (piece, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 {
		return nil, nil, false
	}
	b = b[used:]
	if n < less {
		return nil, b, true
	}
	if n -= less; n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}
