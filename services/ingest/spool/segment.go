package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// File is what the spool needs of a file it writes.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// segment is one file of frames.
type segment struct {
	path   string
	begun  time.Time
	synced int64 // bytes that an fsync covers: readers go no further
	file   File  // nil: no longer written to
}

const suffix = ".seg"

func segmentPath(dir string, n uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", n, suffix))
}

// begin makes the next segment, durable with its name before anything is in
// it. A number is used once: the one before may be just about to go.
func (s *Spool) begin() (*segment, error) {
	s.number++
	path := segmentPath(s.o.Dir, s.number)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	g := &segment{path: path, begun: s.o.Now(), synced: headSize, file: s.o.Wrap(f)}
	_, err = g.file.Write(head)
	if err = errors.Join(err, g.file.Sync(), syncDir(s.o.Dir)); err != nil {
		return nil, errors.Join(err, g.close(), os.Remove(path))
	}
	s.push(g)
	return g, nil
}

func (s *Spool) push(g *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.segments = append(s.segments, g)
	s.bytes += g.synced
}

func (s *Spool) last() *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.segments) == 0 {
		return nil
	}
	return s.segments[len(s.segments)-1]
}

func (g *segment) close() error {
	if g.file == nil {
		return nil
	}
	f := g.file
	g.file = nil
	return f.Close()
}

// syncDir makes names durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lock keeps a second process out: each would read and remove what the other
// writes. It ends with the process, however that ends.
func lock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock spool: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("spool %s is in use by another process: give each copy of ingest its own data folder", dir), f.Close())
	}
	return f, nil
}
