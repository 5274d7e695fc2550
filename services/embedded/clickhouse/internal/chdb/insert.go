package chdb

import (
	"errors"
	"runtime"
	"unsafe"
)

// Insert is a running INSERT that is fed the bytes of its format piece by piece.
type Insert struct {
	lib *Lib
	ptr unsafe.Pointer
}

// ErrInsertFailed says that the engine stopped taking data; Finish tells why.
var ErrInsertFailed = errors.New("the insert already failed")

// Insert starts `INSERT INTO t (...)`, without its FORMAT clause and data.
func (c *Conn) Insert(sql, format string, params []Param) (*Insert, error) {
	ptr := c.start(c.lib.insert, sql, format, params)
	if ptr == nil {
		return nil, errors.New("the engine returned no insert")
	}
	if msg := c.lib.insertError(ptr); msg != nil {
		err := ParseError(cString(msg))
		c.lib.insertDestroy(ptr)
		return nil, err
	}
	return &Insert{lib: c.lib, ptr: ptr}, nil
}

// Write copies data to the engine and blocks while its queue is full.
func (i *Insert) Write(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	state := i.lib.insertAppend(i.ptr, ptrOf(data), uintptr(len(data)))
	runtime.KeepAlive(data)
	if state != 0 {
		return 0, ErrInsertFailed
	}
	return len(data), nil
}

// Finish marks the end of the data and waits until the rows are committed.
func (i *Insert) Finish() (Stats, error) {
	res := i.lib.insertDone(i.ptr)
	if res == nil {
		return Stats{}, errors.New("the engine returned no result")
	}
	defer i.lib.free(res)
	if err := i.lib.errorOf(res); err != nil {
		return Stats{}, err
	}
	return i.lib.statsOf(res), nil
}

// Cancel drops what is not written yet.
func (i *Insert) Cancel() { i.lib.insertCancel(i.ptr) }

// Close frees the handle, and cancels when neither Finish nor Cancel was called.
func (i *Insert) Close() {
	if i.ptr != nil {
		i.lib.insertDestroy(i.ptr)
		i.ptr = nil
	}
}
