// Package chdb binds the few functions of ClickHouse's shared library that the server needs.
//
// The library is loaded with purego, so the binary stays free of cgo. Nothing here is aware of
// HTTP or SQL; a Conn runs one statement at a time and the caller keeps it that way.
package chdb

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Lib is the loaded library. There is one per process, because the engine's state is global.
type Lib struct {
	connect    func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn  func(conn unsafe.Pointer)
	shutdown   func() int32
	setSignals func(enabled int32)

	query, streamQuery, insert statementFunc

	fetch  func(conn, res unsafe.Pointer) unsafe.Pointer
	cancel func(conn, res unsafe.Pointer)
	free   func(res unsafe.Pointer)

	insertAppend  func(ins unsafe.Pointer, data unsafe.Pointer, n uintptr) int32
	insertDone    func(ins unsafe.Pointer) unsafe.Pointer
	insertCancel  func(ins unsafe.Pointer)
	insertError   func(ins unsafe.Pointer) unsafe.Pointer
	insertDestroy func(ins unsafe.Pointer)

	classify func(conn unsafe.Pointer, q unsafe.Pointer, n uintptr, db unsafe.Pointer, dbn uintptr, out unsafe.Pointer) int32

	buffer       func(res unsafe.Pointer) unsafe.Pointer
	length       func(res unsafe.Pointer) uintptr
	resultError  func(res unsafe.Pointer) unsafe.Pointer
	rowsRead     func(res unsafe.Pointer) uint64
	storageRows  func(res unsafe.Pointer) uint64
	storageBytes func(res unsafe.Pointer) uint64
	rowsWritten  func(res unsafe.Pointer) uint64
	bytesWritten func(res unsafe.Pointer) uint64
}

// statementFunc is the shape shared by the three calls that start a statement: connection, text, format
// and the parameter arrays of bindParams.
type statementFunc = func(conn, q unsafe.Pointer, n uintptr, f unsafe.Pointer, fn uintptr,
	names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer

var (
	loadOnce sync.Once
	loaded   *Lib
	loadErr  error
)

// Load opens the library at path. The first path wins for the life of the process.
func Load(path string) (*Lib, error) {
	loadOnce.Do(func() { loaded, loadErr = load(path) })
	return loaded, loadErr
}

func load(path string) (lib *Lib, err error) {
	// purego panics on a missing symbol, which means another version of the library.
	defer func() {
		if r := recover(); r != nil {
			lib, err = nil, fmt.Errorf("the ClickHouse engine is another version than the pinned one, run `make engine`: %v", r)
		}
	}()
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("the ClickHouse engine cannot be loaded, run `make engine`: %w", err)
	}
	lib = &Lib{}
	for name, fn := range lib.symbols() {
		purego.RegisterLibFunc(fn, handle, name)
	}
	// Go owns the signals: the engine's crash handlers would replace the runtime's.
	lib.setSignals(0)
	return lib, nil
}

func (l *Lib) symbols() map[string]any {
	return map[string]any{
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_shutdown":                    &l.shutdown,
		"chdb_set_signal_handlers_enabled": &l.setSignals,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_query_with_params_n":  &l.streamQuery,
		"chdb_stream_fetch_result":         &l.fetch,
		"chdb_stream_cancel_query":         &l.cancel,
		"chdb_destroy_query_result":        &l.free,
		"chdb_stream_insert_with_params_n": &l.insert,
		"chdb_stream_append":               &l.insertAppend,
		"chdb_stream_done":                 &l.insertDone,
		"chdb_stream_cancel_insert":        &l.insertCancel,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_destroy_insert_stream":       &l.insertDestroy,
		"chdb_classify_query_n":            &l.classify,
		"chdb_result_buffer":               &l.buffer,
		"chdb_result_length":               &l.length,
		"chdb_result_error":                &l.resultError,
		"chdb_result_rows_read":            &l.rowsRead,
		"chdb_result_storage_rows_read":    &l.storageRows,
		"chdb_result_storage_bytes_read":   &l.storageBytes,
		"chdb_result_rows_written":         &l.rowsWritten,
		"chdb_result_bytes_written":        &l.bytesWritten,
	}
}

// Shutdown stops the engine's threads; every Conn must be closed before.
func (l *Lib) Shutdown() error {
	if l.shutdown() != 0 {
		return fmt.Errorf("the engine did not stop all its threads")
	}
	return nil
}
