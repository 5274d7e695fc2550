package server

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"plumbline.dev/services/embedded/clickhouse/internal/chdb"
	"plumbline.dev/services/embedded/clickhouse/internal/sqltext"
)

const (
	insertBuffer = 1 << 20
	// drainLimit is how much of a refused INSERT's body is still read: a client that is writing would
	// otherwise see a broken pipe in place of the error.
	drainLimit = 256 << 20
)

var insertBuffers = sync.Pool{New: func() any { b := make([]byte, insertBuffer); return &b }}

// insert streams the data into the engine. Nothing is committed unless the body arrived whole.
func (x *execution) insert(st sqltext.Statement, src io.Reader) (chdb.Stats, error) {
	x.s.registry.describe(x.entry, st.Head+"FORMAT "+st.Format)
	if _, err := io.CopyN(io.Discard, src, int64(st.Data)); err != nil {
		return chdb.Stats{}, err
	}
	x.s.prepareOutput(x.out, x.r, x.q, x.q.format)
	stop := x.killOnCancel()
	defer stop()
	ins, err := x.conn.Insert(st.Head, st.Format, x.q.params)
	if err != nil {
		x.drain(src)
		return chdb.Stats{}, x.cause(err)
	}
	defer ins.Close()
	if err := feed(ins, src); err != nil {
		if !errors.Is(err, chdb.ErrInsertFailed) {
			ins.Cancel()
			return chdb.Stats{}, x.cause(err)
		}
		x.drain(src)
	}
	// A kill between the last byte and here must not commit.
	if x.ctx.Err() != nil {
		ins.Cancel()
		return chdb.Stats{}, context.Cause(x.ctx)
	}
	// Nor may the INSERT of a client that is known to be gone: it will retry, after a restart maybe from
	// the socket's queue, and expects this one to be over.
	if x.r.Context().Err() != nil {
		ins.Cancel()
		return chdb.Stats{}, errGone
	}
	stats, err := ins.Finish()
	if err != nil {
		return chdb.Stats{}, x.cause(err)
	}
	return stats, nil
}

// feed copies in large pieces: every piece is a call into the library.
func feed(ins *chdb.Insert, src io.Reader) error {
	held := insertBuffers.Get().(*[]byte)
	defer insertBuffers.Put(held)
	for {
		n, err := fill(src, *held)
		// Only a clean end commits: io.ErrUnexpectedEOF is a body or a compressed stream cut short.
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if _, werr := ins.Write((*held)[:n]); werr != nil {
			return werr
		}
		if err != nil {
			return nil
		}
	}
}

func fill(src io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = src.Read(buf[n:])
		n += m
	}
	return n, err
}

func (x *execution) drain(src io.Reader) {
	until := time.Now().Add(10 * time.Second)
	for n := int64(0); n < drainLimit && time.Now().Before(until); {
		m, err := io.CopyN(io.Discard, src, insertBuffer)
		if n += m; err != nil {
			return
		}
	}
}
