package native

import (
	"fmt"
	"io"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// complexColumn lets clickhouse-go decode a JSON, Dynamic or Variant column to learn its length, and
// passes its bytes on as they were.
func (c *copier) complexColumn(name, typ string, rows uint64) error {
	col, err := column.Type(typ).Column(name, &column.ServerContext{})
	if err != nil {
		return fmt.Errorf("this type has no known Native encoding here, read it in another format: %w", err)
	}
	r := chproto.NewReader(&byteReader{c})
	if custom, ok := col.(column.CustomSerialization); ok {
		if err := custom.ReadStatePrefix(r); err != nil {
			return err
		}
	}
	return col.Decode(r, int(rows))
}

// byteReader hands out one byte at a time: the decoder buffers, and must not take bytes of the next column.
type byteReader struct{ c *copier }

func (b *byteReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	v, err := b.c.r.ReadByte()
	if err != nil {
		return 0, io.ErrUnexpectedEOF
	}
	p[0] = v
	return 1, b.c.w.WriteByte(v)
}
