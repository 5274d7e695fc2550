package kafka

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// kfake keeps groups.log and pids.log as framed JSON, little endian: length
// (4), CRC32-C (4), then length bytes, of which the first two are a version.
const (
	frameBytes   = 8
	stateVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readState returns the entries of a state log and where the whole ones end.
func readState(path string) (entries [][]byte, whole, size int64, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, 0, nil
	}
	if err != nil {
		return nil, 0, 0, err
	}
	at := 0
	for {
		body := nextFrame(raw[at:])
		if body == nil {
			return entries, int64(at), int64(len(raw)), nil
		}
		entries = append(entries, body[2:])
		at += frameBytes + len(body)
	}
}

func nextFrame(raw []byte) []byte {
	if len(raw) < frameBytes {
		return nil
	}
	size := int64(binary.LittleEndian.Uint32(raw))
	if size < 2 || size > int64(len(raw)-frameBytes) {
		return nil
	}
	body := raw[frameBytes : frameBytes+int(size)]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(raw[4:]) {
		return nil
	}
	return body
}

func frame(entry any) ([]byte, error) {
	data, err := json.Marshal(entry)
	if err != nil {
		return nil, err
	}
	out := make([]byte, frameBytes+2, frameBytes+2+len(data))
	binary.LittleEndian.PutUint16(out[frameBytes:], stateVersion)
	out = append(out, data...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)-frameBytes)) //nolint:gosec // entries are small
	binary.LittleEndian.PutUint32(out[4:], crc32.Checksum(out[frameBytes:], castagnoli))
	return out, nil
}

// extendState cuts a half-written entry from the end of a state log and adds
// entries. kfake itself skips such a tail when it reads and then appends behind
// it: all it writes from then on would be lost at the next start.
func extendState[E any](path string, whole int64, entries []E) error {
	var add []byte
	for _, e := range entries {
		b, err := frame(e)
		if err != nil {
			return err
		}
		add = append(add, b...)
	}
	return writeAt(path, whole, add)
}

// writeAt makes data the end of the file, from offset at on, and syncs it.
func writeAt(path string, at int64, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // kfake's own mode
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(at); err != nil {
		return fmt.Errorf("cut half-written end: %w", err)
	}
	if _, err := f.WriteAt(data, at); err != nil {
		return err
	}
	return f.Sync()
}
