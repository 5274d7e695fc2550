// Package native turns the Native format of revision 0, which the engine writes, into the one of the
// revision a client asked for with client_protocol_version.
//
// Values are the same bytes in both; a newer revision adds a block header and a flag per column. So the
// columns are not decoded, only walked: cheap, and exact for every type.
package native

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// withCustomSerialization is the first revision that has a flag byte after a column's type.
const withCustomSerialization = 54454

// blockInfo is what a server sends: not overflows, bucket -1.
var blockInfo = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

const maxText = 1 << 30

type copier struct {
	r        *bufio.Reader
	w        *bufio.Writer
	revision uint64
}

// Copy re-encodes all blocks of src. It flushes after each, so that a slow query's rows arrive.
func Copy(dst io.Writer, src io.Reader, revision uint64) error {
	c := &copier{bufio.NewReaderSize(src, 64<<10), bufio.NewWriterSize(dst, 64<<10), revision}
	for {
		if _, err := c.r.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := c.block(); err != nil {
			return err
		}
		if err := c.w.Flush(); err != nil {
			return err
		}
	}
}

func (c *copier) block() error {
	if c.revision > 0 {
		if _, err := c.w.Write(blockInfo); err != nil {
			return err
		}
	}
	columns, err := c.varint()
	if err != nil {
		return err
	}
	rows, err := c.varint()
	if err != nil {
		return err
	}
	for range columns {
		if err := c.column(rows); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) column(rows uint64) error {
	name, err := c.text()
	if err != nil {
		return err
	}
	typ, err := c.text()
	if err != nil {
		return err
	}
	if c.revision >= withCustomSerialization {
		if err := c.w.WriteByte(0); err != nil {
			return err
		}
	}
	if rows == 0 {
		return nil
	}
	t := parseType(typ)
	if t.shape == complexTy {
		err = c.complexColumn(name, typ, rows)
	} else if err = c.prefix(t); err == nil {
		err = c.values(t, rows)
	}
	if err != nil {
		return fmt.Errorf("column %s %s: %w", name, typ, err)
	}
	return nil
}

// prefix copies the serialization versions, which come before all data of the column.
func (c *copier) prefix(t dataType) error {
	if t.shape == lowCard {
		return c.bytes(8)
	}
	for _, a := range t.args {
		if err := c.prefix(a); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) values(t dataType, rows uint64) error {
	switch t.shape {
	case fixed:
		return c.bytes(rows * uint64(t.width))
	case str:
		return c.strings(rows)
	case nullable:
		if err := c.bytes(rows); err != nil {
			return err
		}
		return c.values(t.args[0], rows)
	case array:
		total, err := c.offsets(rows)
		if err != nil {
			return err
		}
		return c.values(t.args[0], total)
	case tuple:
		return c.tuple(t, rows)
	case lowCard:
		return c.dictionary(t, rows)
	}
	return errors.New("unknown layout")
}

func (c *copier) tuple(t dataType, rows uint64) error {
	if len(t.args) == 0 {
		return c.bytes(rows) // Tuple() is a byte a row
	}
	for _, a := range t.args {
		if err := c.values(a, rows); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) dictionary(t dataType, rows uint64) error {
	if rows == 0 {
		return nil
	}
	flags, err := c.uint64()
	if err != nil {
		return err
	}
	keys, err := c.uint64()
	if err != nil {
		return err
	}
	if err := c.values(t.args[0], keys); err != nil {
		return err
	}
	n, err := c.uint64()
	if err != nil {
		return err
	}
	return c.bytes(n << (flags & 3))
}

// offsets copies an array's end positions and returns the last.
func (c *copier) offsets(rows uint64) (last uint64, err error) {
	if rows == 0 {
		return 0, nil
	}
	if err := c.bytes((rows - 1) * 8); err != nil {
		return 0, err
	}
	return c.uint64()
}

func (c *copier) bytes(n uint64) error {
	_, err := io.CopyN(c.w, c.r, int64(n))
	return unexpected(err)
}

func (c *copier) uint64() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(c.r, b[:]); err != nil {
		return 0, unexpected(err)
	}
	_, err := c.w.Write(b[:])
	return binary.LittleEndian.Uint64(b[:]), err
}

func (c *copier) varint() (uint64, error) {
	v, err := binary.ReadUvarint(c.r)
	if err != nil {
		return 0, unexpected(err)
	}
	_, err = c.w.Write(binary.AppendUvarint(nil, v))
	return v, err
}

func (c *copier) text() (string, error) {
	n, err := c.varint()
	if err != nil {
		return "", err
	}
	if n > maxText {
		return "", errors.New("a name is too long: this is not the Native format")
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		return "", unexpected(err)
	}
	_, err = c.w.Write(b)
	return string(b), err
}

// strings copies rows strings, as many per write as the buffer holds.
func (c *copier) strings(rows uint64) error {
	for rows > 0 {
		if _, err := c.r.Peek(1); err != nil {
			return unexpected(err)
		}
		b, _ := c.r.Peek(c.r.Buffered())
		used := 0
		for ; rows > 0; rows-- {
			n, size := binary.Uvarint(b[used:])
			if size <= 0 || n > uint64(len(b)-used-size) {
				break
			}
			used += size + int(n)
		}
		if used == 0 { // longer than what is buffered
			n, err := c.varint()
			if err != nil {
				return err
			}
			if err := c.bytes(n); err != nil {
				return err
			}
			rows--
			continue
		}
		if _, err := c.w.Write(b[:used]); err != nil {
			return err
		}
		_, _ = c.r.Discard(used)
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
