package spool

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// recover finds the segments of a process before, counts their records and
// cuts a torn tail off the last one.
func (s *Spool) recover() error {
	files, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return err
	}
	var paths []string
	for _, f := range files {
		if strings.HasSuffix(f.Name(), suffix) {
			paths = append(paths, filepath.Join(s.o.Dir, f.Name()))
		}
	}
	slices.Sort(paths)
	for i, path := range paths {
		if err := s.load(path, i == len(paths)-1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spool) load(path string, last bool) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if _, err := fmt.Sscanf(filepath.Base(path), "%016x", &s.number); err != nil {
		return fmt.Errorf("%s is not a segment's name: move it away", path)
	}
	if len(b) <= headSize && bytes.HasPrefix(head, b) { // begun and never used
		return errors.Join(os.Remove(path), syncDir(s.o.Dir))
	}
	if len(b) >= headSize && bytes.Equal(b[:headSize-1], head[:headSize-1]) && b[headSize-1] != head[headSize-1] {
		return fmt.Errorf("%s was written by another version (%q): start that one to empty it", path, b[headSize-1])
	}
	count, end := scan(b)
	if last && end < len(b) {
		if err := s.cut(path, b, end); err != nil {
			return err
		}
	} else {
		end = len(b)
	}
	s.segments = append(s.segments, &segment{path: path, begun: info.ModTime(), synced: int64(end)})
	s.bytes += int64(end)
	s.unread += count
	return nil
}

// scan counts the records, the rotten ones among them too, and tells where
// the last whole one ends.
func scan(b []byte) (count, end int) {
	end = min(headSize, len(b))
	for at := end; at < len(b); {
		_, n, v := parseFrame(b[at:])
		if v != whole {
			n = resync(b[at:])
			if at+n == len(b) {
				break
			}
			count++ // rotten: it is set aside when it is read
		} else {
			count++
		}
		at += n
		if v == whole {
			end = at
		}
	}
	return count, end
}

// cut takes off what a crash left unfinished: it was never acknowledged. A
// tail that is as long as it says, but wrong, may have been: it is kept aside.
func (s *Spool) cut(path string, b []byte, end int) error {
	tail := b[end:]
	if _, _, v := parseFrame(tail); v == rotten && len(bytes.Trim(tail, "\x00")) > 0 {
		s.setAside(path, int64(end), tail)
	} else {
		s.stats.Torn++
		s.o.Logger.Info("spool: cut off what a crash left unfinished", zap.String("file", path), zap.Int("bytes", len(tail)))
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(end)), f.Sync(), f.Close())
}
