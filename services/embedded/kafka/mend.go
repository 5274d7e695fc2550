package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// entryHeader is kfake's framing of groups.log and pids.log, little endian:
// length (4), CRC32-C (4), then length bytes that start with a version (2).
const entryHeader = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mendLog cuts a half-written entry from the end of one of kfake's state logs
// and tells how many bytes went. kfake skips such a tail when it reads, then
// appends behind it: every offset committed from then on would be lost at the
// next start.
func mendLog(path string) (int64, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	whole := wholeEntries(raw)
	if whole == len(raw) {
		return 0, nil
	}
	if err := os.Truncate(path, int64(whole)); err != nil {
		return 0, fmt.Errorf("cut half-written entry: %w", err)
	}
	return int64(len(raw) - whole), nil
}

// wholeEntries is the length of the valid prefix of raw.
func wholeEntries(raw []byte) int {
	at := 0
	for {
		rest := raw[at:]
		if len(rest) < entryHeader {
			return at
		}
		size := int64(binary.LittleEndian.Uint32(rest))
		if size < 2 || size > int64(len(rest)-entryHeader) {
			return at
		}
		body := rest[entryHeader : entryHeader+int(size)]
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(rest[4:]) {
			return at
		}
		at += entryHeader + int(size)
	}
}
