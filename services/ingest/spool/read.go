package spool

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"go.uber.org/zap"
)

// cursor is how far the reader is, in the oldest segment.
type cursor struct {
	file  *os.File
	path  string
	at    int64 // everything before is taken
	next  int64 // where the records last returned end
	taken int   // how many those are
}

func (c *cursor) close() error {
	if c.file == nil {
		return nil
	}
	f := c.file
	c.file = nil
	return f.Close()
}

// Next returns the oldest records, at least one and about max bytes, or none
// if there is nothing. Without a Commit between, it returns them again.
func (s *Spool) Next(limit int) ([][]byte, error) {
	for {
		s.mu.Lock()
		if len(s.segments) == 0 {
			s.mu.Unlock()
			return nil, nil
		}
		g, end, closed := s.segments[0], s.segments[0].synced, len(s.segments) > 1
		s.mu.Unlock()
		if err := s.open(g); err != nil {
			return nil, err
		}
		records, err := s.records(end, limit)
		if err != nil || len(records) > 0 {
			return records, err
		}
		if !closed {
			return nil, s.settle()
		}
		if err := s.drop(); err != nil {
			return nil, err
		}
	}
}

func (s *Spool) open(g *segment) error {
	if s.read.file != nil && s.read.path == g.path {
		return nil
	}
	if err := s.read.close(); err != nil {
		return err
	}
	f, err := os.Open(g.path)
	s.read = cursor{file: f, path: g.path, at: headSize}
	return err
}

// records reads frames from the cursor on, and sets aside what is rotten.
func (s *Spool) records(end int64, limit int) (out [][]byte, err error) {
	s.read.next, s.read.taken = s.read.at, 0
	window := int64(limit) + prefixSize
	for s.read.at < end {
		b := make([]byte, min(end-s.read.at, window))
		if _, err := s.read.file.ReadAt(b, s.read.at); err != nil {
			return nil, err
		}
		used := 0
		for used == 0 || used < limit {
			record, n, v := parseFrame(b[used:])
			if v != whole {
				break
			}
			out, used = append(out, record), used+n
		}
		switch {
		case len(out) > 0:
			s.read.next, s.read.taken = s.read.at+int64(used), len(out)
			return out, nil
		case int64(len(b)) < end-s.read.at: // the frame is larger than what was read
			window *= 2
		default:
			lost := resync(b)
			s.setAside(s.read.path, s.read.at, b[:lost])
			s.forget(1)
			s.read.at += int64(lost)
			s.read.next = s.read.at
		}
	}
	return nil, nil
}

// Commit forgets the records that Next returned last.
func (s *Spool) Commit() error {
	s.o.Failpoint("drained")
	s.forget(s.read.taken)
	s.read.at, s.read.taken = s.read.next, 0
	return s.settle()
}

func (s *Spool) forget(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unread = max(s.unread-n, 0)
}

// settle removes the oldest segment if it is read to its end and nobody is
// about to write to it.
func (s *Spool) settle() error {
	s.mu.Lock()
	g := s.segments[0]
	done := s.read.path == g.path && s.read.at == g.synced
	if len(s.segments) == 1 {
		done = done && s.pending == 0
		if done {
			s.unread = 0 // what rotted may have been several records
			done = g.close() == nil
		}
	}
	s.mu.Unlock()
	if !done {
		return nil
	}
	return s.drop()
}

// drop removes the oldest segment: everything in it is safe elsewhere.
func (s *Spool) drop() error {
	s.mu.Lock()
	g := s.segments[0]
	s.segments = s.segments[1:]
	s.bytes -= g.synced
	s.mu.Unlock()
	err := errors.Join(s.read.close(), os.Remove(g.path))
	s.o.Failpoint("removed")
	return errors.Join(err, syncDir(s.o.Dir))
}

// SetAside keeps a record that its reader can do nothing with, for people to
// look at, so that it holds up nobody.
func (s *Spool) SetAside(record []byte, why error) {
	s.keep(fmt.Sprintf("%s.%08x", s.read.path, crc32.Checksum(record, table)), record, zap.Error(why))
}

func (s *Spool) setAside(path string, at int64, b []byte) {
	s.keep(fmt.Sprintf("%s.%d", path, at), b, zap.Int64("offset", at))
}

func (s *Spool) keep(name string, b []byte, why zap.Field) {
	s.mu.Lock()
	s.stats.Rotten++
	s.mu.Unlock()
	name += ".bad"
	err := os.WriteFile(name, b, 0o600)
	s.o.Logger.Error("spool: a record cannot be delivered and was set aside: check the disk, then reconcile the integrations concerned",
		zap.String("kept", name), zap.Int("bytes", len(b)), why, zap.NamedError("keep", err))
}
