package spool

import (
	"errors"
	"fmt"

	"go.uber.org/zap"
)

// groupBytes bounds what one fsync covers; a record of more goes alone.
const groupBytes = 4 << 20

// write is the one goroutine that writes: what gathers during an fsync goes
// out with the next.
func (s *Spool) write() {
	defer close(s.done)
	var buf []byte
	for range s.wake {
		for {
			group := s.take()
			if len(group) == 0 {
				break
			}
			buf = buf[:0]
			for _, e := range group {
				buf = appendFrame(buf, e.record)
			}
			err := s.flush(buf)
			if err != nil {
				err = fmt.Errorf("%w: %w", ErrBroken, err)
				s.o.Logger.Error("accepted events cannot be kept on the local disk; senders are told to come again",
					zap.String("spool", s.o.Dir), zap.Error(err))
			}
			s.answer(group, int64(len(buf)), err)
			if cap(buf) > 2*groupBytes {
				buf = nil
			}
		}
	}
	s.answer(s.take(), 0, ErrClosed)
}

// take is the next group.
func (s *Spool) take() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, int64(0)
	for n < len(s.queue) && (n == 0 || size+frameSize(s.queue[n].record) <= groupBytes) {
		size += frameSize(s.queue[n].record)
		n++
	}
	group := s.queue[:n:n]
	s.queue = s.queue[n:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return group
}

// flush writes and fsyncs. A segment of which either failed is never written
// to or trusted again: after a failed fsync the kernel may claim that the
// next one went well.
func (s *Spool) flush(b []byte) error {
	g := s.last()
	if g == nil || g.file == nil || g.synced+int64(len(b)) > s.o.SegmentBytes && g.synced > headSize {
		if g != nil {
			if err := g.close(); err != nil {
				return err
			}
		}
		var err error
		if g, err = s.begin(); err != nil {
			return err
		}
	}
	_, err := g.file.Write(b)
	s.o.Failpoint("written")
	if err == nil {
		err = g.file.Sync()
	}
	s.o.Failpoint("synced")
	if err != nil {
		return errors.Join(err, g.close())
	}
	return nil
}

// answer tells the group what became of it.
func (s *Spool) answer(group []*entry, size int64, err error) {
	if len(group) == 0 {
		return
	}
	s.mu.Lock()
	s.pending -= len(group)
	s.broken = err
	if err == nil {
		s.segments[len(s.segments)-1].synced += size
		s.bytes += size
		s.unread += len(group)
	} else {
		s.stats.Failed++
	}
	s.mu.Unlock()
	for _, e := range group {
		e.done <- err
	}
}
