// Package spool keeps what was accepted on the local disk while the log does
// not answer. Append returns when its record is fsynced; a reader takes the
// records out in the order they came and forgets them when they are safe
// elsewhere.
//
// A record is whole or not there: a torn tail is cut off when the folder is
// opened, a record that rotted is set aside and said so. After a restart a
// segment is read again from its start: readers must recognise repeats.
package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Why nothing was kept.
var (
	ErrFull   = errors.New("spool is full")
	ErrClosed = errors.New("spool is closed")
	ErrBroken = errors.New("spool cannot write to its disk")
)

// MaxRecord bounds one record, to know a broken length from a real one.
const MaxRecord = 64 << 20

// Options of a spool. Dir is required.
type Options struct {
	Dir          string
	MaxBytes     int64 // of all segments; default 1 GiB
	SegmentBytes int64 // default 16 MiB
	Logger       *zap.Logger
	Now          func() time.Time
	Wrap         func(File) File   // the files written to; tests make them fail
	Failpoint    func(name string) // where a crash hurts
}

// Spool is one folder. Any number may append; one reads.
type Spool struct {
	o Options

	mu       sync.Mutex
	segments []*segment // oldest first; the last one is written to, if open
	bytes    int64
	queue    []*entry
	pending  int // appends that have not been answered
	unread   int // records that are safe here and nowhere else
	stats    Stats
	closed   bool
	broken   error // what became of the last group

	number uint64 // of the newest segment; the writer's own
	wake   chan struct{}
	done   chan struct{}
	read   cursor
	lock   *os.File
}

// Stats count what happened to the folder.
type Stats struct {
	Records int       // waiting to be read
	Bytes   int64     // on disk
	Rotten  int       // records set aside since the start
	Torn    int       // unfinished records cut off at the start
	Failed  int       // groups that could not be written
	Oldest  time.Time // when the oldest segment was begun; zero: empty
}

// entry is a record that waits for its fsync.
type entry struct {
	record []byte
	done   chan error
}

// Open reads what a process before left, and begins to write.
func Open(o Options) (*Spool, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 16 << 20
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Wrap == nil {
		o.Wrap = func(f File) File { return f }
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool folder: %w", err)
	}
	s := &Spool{o: o, wake: make(chan struct{}, 1), done: make(chan struct{})}
	var err error
	if s.lock, err = lock(o.Dir); err != nil {
		return nil, err
	}
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open spool %s: %w", o.Dir, err), s.lock.Close())
	}
	go s.write()
	return s, nil
}

// Append keeps one record. When it returns nil, the record survives a crash;
// on any error it may or may not.
func (s *Spool) Append(ctx context.Context, record []byte) error {
	if len(record) > MaxRecord {
		return fmt.Errorf("record of %d bytes: the limit is %d", len(record), MaxRecord)
	}
	e := &entry{record: record, done: make(chan error, 1)}
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return ErrClosed
	case s.bytes+s.waiting()+frameSize(record) > s.o.MaxBytes:
		s.mu.Unlock()
		return ErrFull
	}
	s.queue = append(s.queue, e)
	s.pending++
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("spool: %w", ctx.Err())
	}
}

// waiting is how many bytes the queue will take.
func (s *Spool) waiting() int64 {
	var n int64
	for _, e := range s.queue {
		n += frameSize(e.record)
	}
	return n
}

// Empty reports whether nothing is kept and nothing on its way to be.
func (s *Spool) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unread == 0 && s.pending == 0
}

// Stats tell how full the spool is and what it met.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats
	out.Records, out.Bytes = s.unread, s.bytes
	if s.unread > 0 && len(s.segments) > 0 {
		out.Oldest = s.segments[0].begun
	}
	return out
}

// Close answers what waits and closes the files. It may be called twice.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.done
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	close(s.wake)
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, g := range s.segments {
		errs = append(errs, g.close())
	}
	return errors.Join(append(errs, s.read.close(), s.lock.Close())...)
}

// Check reports why an Append would fail now, before anybody tries.
func (s *Spool) Check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.broken != nil:
		return s.broken
	case s.bytes+s.waiting() > s.o.MaxBytes-s.o.MaxBytes/20:
		return ErrFull
	}
	return nil
}
