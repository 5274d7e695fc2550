package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// A segment begins with its version; then frames follow:
//
//	magic (4) | length (4) | CRC-32C of length and record (4) | record
//
// The magic lets a reader find the next frame behind a broken one.
const (
	headSize   = 8
	prefixSize = 12
)

var (
	head  = []byte("PLSPOOL1")
	magic = []byte{0xf5, 'P', 'L', 0xa7}
	table = crc32.MakeTable(crc32.Castagnoli)
)

func frameSize(record []byte) int64 { return prefixSize + int64(len(record)) }

// appendFrame adds a record's frame.
func appendFrame(dst, record []byte) []byte {
	dst = append(dst, magic...)
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(record)))
	sum := crc32.Update(crc32.Checksum(dst[at:], table), table, record)
	dst = binary.LittleEndian.AppendUint32(dst, sum)
	return append(dst, record...)
}

// verdict is what stands at a place of a segment.
type verdict int

const (
	whole verdict = iota
	short         // a frame begins here, but the bytes end before it does
	rotten
)

// parseFrame reads the frame at the beginning of b and tells its size.
func parseFrame(b []byte) (record []byte, size int, v verdict) {
	if len(b) < prefixSize {
		if n := min(len(b), len(magic)); bytes.Equal(b[:n], magic[:n]) {
			return nil, 0, short
		}
		return nil, 0, rotten
	}
	n := binary.LittleEndian.Uint32(b[4:])
	switch {
	case !bytes.Equal(b[:4], magic) || n > MaxRecord:
		return nil, 0, rotten
	case int(n) > len(b)-prefixSize:
		return nil, 0, short
	}
	record = b[prefixSize : prefixSize+int(n)]
	sum := crc32.Update(crc32.Checksum(b[4:8], table), table, record)
	if sum != binary.LittleEndian.Uint32(b[8:]) {
		return nil, 0, rotten
	}
	return record, prefixSize + int(n), whole
}

// resync finds the next whole frame in b, or len(b). A magic inside a record
// does not count unless a whole frame stands behind it.
func resync(b []byte) int {
	for i := 1; i < len(b); i++ {
		n := bytes.Index(b[i:], magic)
		if n < 0 {
			break
		}
		i += n
		if _, _, v := parseFrame(b[i:]); v == whole {
			return i
		}
	}
	return len(b)
}
