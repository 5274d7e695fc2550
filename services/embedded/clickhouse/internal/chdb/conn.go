package chdb

import (
	"errors"
	"runtime"
	"strings"
	"unsafe"
)

// Conn is one connection: its own settings, current database and temporary tables.
// It runs one statement at a time; a second one during a stream would return nothing.
type Conn struct {
	lib *Lib
	ptr unsafe.Pointer // chdb_connection *
}

// Stats counts what one statement read and wrote, materialized views included.
type Stats struct {
	ReadRows, ReadBytes, WrittenRows, WrittenBytes, ResultRows uint64
}

// Connect opens a connection. Arguments are `--name=value`: query settings apply to this connection,
// server options only to the connection that boots the engine.
func (l *Lib) Connect(args ...string) (*Conn, error) {
	var pins runtime.Pinner
	defer pins.Unpin()
	argv := make([]unsafe.Pointer, 0, len(args)+2)
	for _, arg := range append([]string{"clickhouse"}, args...) {
		if strings.IndexByte(arg, 0) >= 0 {
			return nil, errors.New("a connection argument holds a NUL byte")
		}
		c := append([]byte(arg), 0)
		pins.Pin(&c[0])
		argv = append(argv, unsafe.Pointer(&c[0]))
	}
	argv = append(argv, nil)
	pins.Pin(&argv[0])
	ptr := l.connect(int32(len(argv)-1), unsafe.Pointer(&argv[0]))
	if ptr == nil || *(*unsafe.Pointer)(ptr) == nil {
		return nil, errors.New("the engine refused the connection (is the data folder in use by another process?)")
	}
	return &Conn{lib: l, ptr: ptr}, nil
}

func (c *Conn) handle() unsafe.Pointer { return *(*unsafe.Pointer)(c.ptr) }

// Close releases the connection. Closing the last one stops the engine, so a server keeps one open.
func (c *Conn) Close() {
	if c.ptr != nil {
		c.lib.closeConn(c.ptr)
		c.ptr = nil
	}
}

// Query runs a statement and returns its whole result: for statements that cannot be streamed
// (DDL, SHOW, INSERT SELECT) and for small internal ones.
func (c *Conn) Query(sql, format string, params ...Param) ([]byte, Stats, error) {
	res := c.start(c.lib.query, sql, format, params)
	if res == nil {
		return nil, Stats{}, errors.New("the engine returned no result")
	}
	defer c.lib.free(res)
	if err := c.lib.errorOf(res); err != nil {
		return nil, Stats{}, err
	}
	return append([]byte(nil), c.lib.bytesOf(res)...), c.lib.statsOf(res), nil
}

// start calls fn with Go memory that stays in place until the call returns; the engine copies it.
func (c *Conn) start(fn statementFunc, sql, format string, params []Param) unsafe.Pointer {
	q, f := []byte(sql), []byte(format)
	b := bindParams(params)
	defer b.release()
	res := fn(c.handle(), ptrOf(q), uintptr(len(q)), ptrOf(f), uintptr(len(f)),
		b.names, b.nameLens, b.values, b.valueLen, b.count)
	runtime.KeepAlive(q)
	runtime.KeepAlive(f)
	return res
}

// analysis mirrors chdb_query_analysis_v1.
type analysis struct{ size, statements, flags, class uint32 }

// Analysis is what a text would do, by the engine's own parser.
type Analysis struct {
	Statements int  // 0 when the parser does not understand the text
	ReadOnly   bool // proven to leave no trace
}

// Analyse parses the text without running it.
func (c *Conn) Analyse(sql string) Analysis {
	q := []byte(sql)
	out := &analysis{size: uint32(unsafe.Sizeof(analysis{}))}
	state := c.lib.classify(c.handle(), ptrOf(q), uintptr(len(q)), nil, 0, unsafe.Pointer(out))
	runtime.KeepAlive(q)
	if state != 0 {
		return Analysis{}
	}
	return Analysis{Statements: int(out.statements), ReadOnly: out.statements > 0 && out.class == 0}
}

func ptrOf(b []byte) unsafe.Pointer {
	if len(b) == 0 {
		return unsafe.Pointer(&empty)
	}
	return unsafe.Pointer(unsafe.SliceData(b))
}

// empty stands in for a nil buffer: the engine builds std::string(ptr, 0) from it.
var empty byte

func (l *Lib) bytesOf(res unsafe.Pointer) []byte {
	n := l.length(res)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(l.buffer(res)), n)
}

func (l *Lib) errorOf(res unsafe.Pointer) error {
	if msg := l.resultError(res); msg != nil {
		return ParseError(cString(msg))
	}
	return nil
}

func (l *Lib) statsOf(res unsafe.Pointer) Stats {
	return Stats{
		ReadRows: l.storageRows(res), ReadBytes: l.storageBytes(res), ResultRows: l.rowsRead(res),
		WrittenRows: l.rowsWritten(res), WrittenBytes: l.bytesWritten(res),
	}
}

func cString(p unsafe.Pointer) string {
	n := 0
	for *(*byte)(unsafe.Add(p, n)) != 0 {
		n++
	}
	return string(unsafe.Slice((*byte)(p), n))
}
