package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func open(t testing.TB, o Options) *Spool {
	t.Helper()
	s, err := Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func add(t testing.TB, s *Spool, records ...string) {
	t.Helper()
	for _, r := range records {
		require.NoError(t, s.Append(t.Context(), []byte(r)))
	}
}

// drain reads everything, committing after each Next.
func drain(t testing.TB, s *Spool, limit int) []string {
	t.Helper()
	var out []string
	for {
		records, err := s.Next(limit)
		require.NoError(t, err)
		if len(records) == 0 {
			return out
		}
		for _, r := range records {
			out = append(out, string(r))
		}
		require.NoError(t, s.Commit())
	}
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	require.NoError(t, err)
	return paths
}

func numbered(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("record %d %s", i, strings.Repeat("x", i%50)))
	}
	return out
}

func TestOrderOverSegmentsAndRestarts(t *testing.T) {
	defer goleak.VerifyNone(t)
	o := Options{Dir: t.TempDir(), SegmentBytes: 300}
	want := numbered(60)
	s, err := Open(o)
	require.NoError(t, err)
	require.True(t, s.Empty())
	add(t, s, want[:40]...)
	require.False(t, s.Empty())
	require.Greater(t, len(segments(t, o.Dir)), 5)
	require.Equal(t, 40, s.Stats().Records)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Append(t.Context(), nil), ErrClosed)

	s, err = Open(o)
	require.NoError(t, err)
	require.Equal(t, 40, s.Stats().Records)
	require.NotZero(t, s.Stats().Oldest)
	add(t, s, want[40:]...)
	require.Equal(t, want, drain(t, s, 100))
	require.True(t, s.Empty())
	require.Empty(t, segments(t, o.Dir), "what is safe elsewhere is gone")
	require.Zero(t, s.Stats().Bytes)
	add(t, s, "again")
	require.Equal(t, []string{"again"}, drain(t, s, 1))
	require.NoError(t, s.Close())
}

func TestNextRepeatsUntilCommit(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir()})
	add(t, s, "a", "b", "c")
	for range 3 {
		got, err := s.Next(2 * (prefixSize + 1))
		require.NoError(t, err)
		require.Equal(t, [][]byte{[]byte("a"), []byte("b")}, got)
	}
	require.NoError(t, s.Commit())
	require.NoError(t, s.Commit(), "nothing was read since")
	require.Equal(t, []string{"c"}, drain(t, s, 1000))
}

func TestRecordsOfAnySize(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), SegmentBytes: 1 << 20})
	var want []string
	for _, n := range []int{0, 1, 100, 3 << 20, 5, 700_000, 0} {
		want = append(want, strings.Repeat("r", n))
	}
	add(t, s, want...)
	require.Equal(t, want, drain(t, s, 64))
	require.Error(t, s.Append(t.Context(), make([]byte, MaxRecord+1)))
}

func TestFull(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), MaxBytes: 2000, SegmentBytes: 500})
	n := 0
	for ; ; n++ {
		if err := s.Append(t.Context(), make([]byte, 88)); err != nil {
			require.ErrorIs(t, err, ErrFull)
			break
		}
	}
	require.InDelta(t, 19, n, 1)
	require.Len(t, drain(t, s, 500), n)
	add(t, s, "room again")
}

// While appends and drains run side by side, nothing is lost, doubled or out
// of order for its sender.
func TestConcurrent(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), SegmentBytes: 4 << 10})
	const senders, each = 8, 200
	var wg sync.WaitGroup
	for k := range senders {
		wg.Go(func() {
			for i := range each {
				if err := s.Append(context.Background(), fmt.Appendf(nil, "%d %d", k, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next, got := [senders]int{}, 0
	for got < senders*each {
		for _, r := range drain(t, s, 1<<10) {
			var k, i int
			_, err := fmt.Sscan(r, &k, &i)
			require.NoError(t, err)
			require.Equal(t, next[k], i)
			next[k]++
			got++
		}
	}
	wg.Wait()
	require.Empty(t, drain(t, s, 10))
	require.True(t, s.Empty())
	require.Empty(t, segments(t, s.o.Dir))
}

// image writes records and returns the folder's one segment.
func image(t testing.TB, records ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir})
	require.NoError(t, err)
	add(t, s, records...)
	require.NoError(t, s.Close())
	b, err := os.ReadFile(segments(t, dir)[0])
	require.NoError(t, err)
	return b
}

func reopen(t testing.TB, b []byte) (*Spool, string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(segmentPath(dir, 7), b, 0o600))
	return open(t, Options{Dir: dir}), dir
}

// Cut anywhere, only what the cut hits is gone, and nothing is an alarm.
func TestTornTail(t *testing.T) {
	want := []string{"first", "second", "third"}
	whole := image(t, want...)
	ends := []int{headSize}
	for _, r := range want {
		ends = append(ends, ends[len(ends)-1]+int(frameSize([]byte(r))))
	}
	for k := range len(whole) {
		s, dir := reopen(t, whole[:k])
		kept := 0
		for kept < len(want) && ends[kept+1] <= k {
			kept++
		}
		require.Equal(t, kept, s.Stats().Records, "cut at %d", k)
		add(t, s, "new")
		require.Equal(t, append(append([]string(nil), want[:kept]...), "new"), drain(t, s, 1000), "cut at %d", k)
		require.Zero(t, s.Stats().Rotten)
		bad, _ := filepath.Glob(filepath.Join(dir, "*.bad"))
		require.Empty(t, bad)
	}
	// The file got its length, its bytes did not come: zeros.
	s, _ := reopen(t, append(whole, make([]byte, 4096)...))
	require.Equal(t, want, drain(t, s, 1000))
	require.Zero(t, s.Stats().Rotten)
}

// One bit flipped anywhere costs one record, which is set aside and said so.
func TestBitRot(t *testing.T) {
	want := []string{"first", "second", "third"}
	whole := image(t, want...)
	for bit := headSize * 8; bit < len(whole)*8; bit++ {
		b := bytes.Clone(whole)
		b[bit/8] ^= 1 << (bit % 8)
		s, dir := reopen(t, b)
		add(t, s, "new")
		got := drain(t, s, 1000)
		require.Equal(t, "new", got[len(got)-1], "bit %d: reading goes on", bit)
		require.Len(t, got, 3, "bit %d: one record is lost: %q", bit, got)
		require.Subset(t, append(want, "new"), got)
		require.True(t, s.Empty(), "no loop")
		bad, _ := filepath.Glob(filepath.Join(dir, "*.bad"))
		if lengthBits := bit - (len(whole)-len("third")-8)*8; lengthBits >= 0 && lengthBits < 32 {
			continue // the last length grew: that looks like a torn tail
		}
		require.Equal(t, 1, s.Stats().Rotten, "bit %d", bit)
		require.Len(t, bad, 1)
	}
}

// Several records rot at once, after they were counted: nothing waits for them.
func TestRotUnderAReader(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	add(t, s, "one", "two", "three", "four")
	path := segments(t, dir)[0]
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	copy(b[headSize+prefixSize+3:], make([]byte, 2*(prefixSize+3)))
	require.NoError(t, os.WriteFile(path, b, 0o600))
	require.Equal(t, []string{"one", "four"}, drain(t, s, 10))
	require.True(t, s.Empty())
	require.Equal(t, 1, s.Stats().Rotten)
}

func TestOtherVersionIsLeftAlone(t *testing.T) {
	b := image(t, "x")
	b[headSize-1] = '2'
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(segmentPath(dir, 1), b, 0o600))
	_, err := Open(Options{Dir: dir})
	require.ErrorContains(t, err, "another version")
	require.Len(t, segments(t, dir), 1)
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, Options{Dir: dir})
	_, err := Open(Options{Dir: dir})
	require.ErrorContains(t, err, "in use by another process")
}

// faulty is a file whose disk fails when told so.
type faulty struct {
	File
	d *disk
}

type disk struct {
	mu          sync.Mutex
	write, sync error
	short       bool
}

func (d *disk) set(write, sync error, short bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.write, d.sync, d.short = write, sync, short
}

func (f faulty) Write(b []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.short {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, errors.New("no space left on device")
	}
	if f.d.write != nil {
		return 0, f.d.write
	}
	return f.File.Write(b)
}

func (f faulty) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.sync != nil {
		return f.d.sync
	}
	return f.File.Sync()
}

// A disk that fails acknowledges nothing; one that recovers goes on, in a
// file that never failed.
func TestDiskFaults(t *testing.T) {
	failure := errors.New("input/output error")
	for name, set := range map[string]func(*disk){
		"write": func(d *disk) { d.set(failure, nil, false) },
		"sync":  func(d *disk) { d.set(nil, failure, false) },
		"full":  func(d *disk) { d.set(nil, nil, true) },
	} {
		t.Run(name, func(t *testing.T) {
			d := &disk{}
			o := Options{Dir: t.TempDir(), Wrap: func(f File) File { return faulty{f, d} }}
			s := open(t, o)
			add(t, s, "before")
			set(d)
			for range 3 {
				require.ErrorIs(t, s.Append(t.Context(), []byte("during")), ErrBroken)
			}
			require.Equal(t, 3, s.Stats().Failed)
			d.set(nil, nil, false)
			add(t, s, "after")
			got := drain(t, s, 1000)
			require.Equal(t, []string{"before", "after"}, got)
			require.Zero(t, s.Stats().Rotten)
		})
	}
}

// What failed may turn up after a restart, but never costs a neighbour.
func TestRestartAfterDiskFault(t *testing.T) {
	d := &disk{}
	o := Options{Dir: t.TempDir(), Wrap: func(f File) File { return faulty{f, d} }}
	s, err := Open(o)
	require.NoError(t, err)
	add(t, s, "before")
	d.set(nil, nil, true)
	require.Error(t, s.Append(t.Context(), []byte("a record cut in the middle of its bytes")))
	d.set(nil, nil, false)
	add(t, s, "after")
	require.NoError(t, s.Close())
	s = open(t, o)
	require.Equal(t, []string{"before", "after"}, drain(t, s, 1000))
}

func TestAppendEndsWithItsContext(t *testing.T) {
	block := make(chan struct{})
	s := open(t, Options{Dir: t.TempDir(), Failpoint: func(name string) {
		if name == "written" {
			<-block
		}
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Append(ctx, []byte("x")), context.DeadlineExceeded)
	require.False(t, s.Empty(), "it may still become durable")
	close(block)
}

func BenchmarkAppend(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir(), MaxBytes: 1 << 40})
	record := make([]byte, 500)
	b.SetParallelism(128)
	b.SetBytes(500)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.Append(context.Background(), record); err != nil {
				b.Error(err)
			}
		}
	})
}
