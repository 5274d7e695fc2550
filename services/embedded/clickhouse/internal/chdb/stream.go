package chdb

import (
	"errors"
	"unsafe"
)

// Stream is a running query whose result is fetched block by block, so memory stays bounded.
type Stream struct {
	conn  *Conn
	res   unsafe.Pointer
	chunk unsafe.Pointer
	stats Stats
	done  bool
}

// Stream starts a statement. Parameters are bound by the engine for this call only.
func (c *Conn) Stream(sql, format string, params []Param) (*Stream, error) {
	res := c.start(c.lib.streamQuery, sql, format, params)
	if res == nil {
		return nil, errors.New("the engine returned no stream")
	}
	if err := c.lib.errorOf(res); err != nil {
		c.lib.free(res)
		return nil, err
	}
	return &Stream{conn: c, res: res}, nil
}

// Next returns the next piece of the result, valid until the following call; nil at the end.
func (s *Stream) Next() ([]byte, error) {
	s.freeChunk()
	if s.done {
		return nil, nil
	}
	lib := s.conn.lib
	s.chunk = lib.fetch(s.conn.handle(), s.res)
	if s.chunk == nil {
		s.done = true
		return nil, errors.New("the engine returned no block")
	}
	if err := lib.errorOf(s.chunk); err != nil {
		s.done = true
		return nil, err
	}
	s.stats.add(lib.statsOf(s.chunk))
	b := lib.bytesOf(s.chunk)
	s.done = len(b) == 0
	return b, nil
}

// Stats sums what the blocks fetched so far reported.
func (s *Stream) Stats() Stats { return s.stats }

// Close ends the stream; an unfinished query is cancelled. Cancelling a finished one crashed
// older engines, hence the flag.
func (s *Stream) Close() {
	s.freeChunk()
	if !s.done {
		s.conn.lib.cancel(s.conn.handle(), s.res)
		s.done = true
	}
	if s.res != nil {
		s.conn.lib.free(s.res)
		s.res = nil
	}
}

func (s *Stream) freeChunk() {
	if s.chunk != nil {
		s.conn.lib.free(s.chunk)
		s.chunk = nil
	}
}

func (s *Stats) add(o Stats) {
	s.ReadRows += o.ReadRows
	s.ReadBytes += o.ReadBytes
	s.WrittenRows += o.WrittenRows
	s.WrittenBytes += o.WrittenBytes
	s.ResultRows += o.ResultRows
}
