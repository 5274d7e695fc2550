package clickhouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

const (
	waitLong = 15 * time.Second
	tick     = 20 * time.Millisecond
	// parentArg makes the test binary a parent that can be killed.
	parentArg = "__parent"
)

func TestStartRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		opts Options
		want string
	}{
		"no library":    {Options{Data: t.TempDir(), LibPath: "/nowhere/libchdb.so"}, "run `make engine`"},
		"wrong library": {Options{Data: t.TempDir(), LibPath: "/proc/self/exe"}, "run `make engine`"},
		"open network":  {Options{Data: t.TempDir(), Listen: "0.0.0.0:0"}, "set a password"},
		"no folder":     {Options{}, "data folder"},
		"bad setting":   {Options{Data: t.TempDir(), Settings: map[string]string{"max_threads": "many"}, StartTimeout: time.Second}, "refused"},
	} {
		_, err := Start(t.Context(), c.opts)
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "\n")
	}
	big := filepath.Join(t.TempDir(), "libchdb.so")
	f, err := os.Create(big)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(smallestLibrary))
	require.NoError(t, f.Close())
	_, err = Start(t.Context(), Options{Data: t.TempDir(), LibPath: big})
	require.ErrorContains(t, err, "run `make engine`")
}

// A time without a zone means the same on every machine.
func TestTheEngineIsInUTCEverywhere(t *testing.T) {
	t.Setenv("TZ", "America/New_York")
	s := start(t)
	must(t, s, "SELECT throwIf(timezone() != 'UTC'), throwIf(toDateTime64('2026-11-26 08:00:00', 3) != toDateTime64('2026-11-26 08:00:00', 3, 'UTC'))")
	require.Equal(t, "UTC", post(t, s, "SELECT 1").header.Get("X-ClickHouse-Timezone"))
}

func TestStopAndReopen(t *testing.T) {
	data := t.TempDir()
	s := start(t, func(o *Options) { o.Data = data })
	must(t, s, "CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
	must(t, s, "INSERT INTO kept SELECT number FROM numbers(1000)")
	// A stop waits for what runs.
	slow := make(chan reply, 1)
	go func() { slow <- post(t, s, "SELECT sleep(1)") }()
	time.Sleep(200 * time.Millisecond)
	require.NoError(t, s.Stop(t.Context()))
	require.Equal(t, http.StatusOK, (<-slow).status)
	require.NoError(t, s.Stop(t.Context()))
	again := start(t, func(o *Options) { o.Data = data })
	require.Equal(t, "1000", must(t, again, "SELECT count() FROM kept"))
	// A second owner of the folder is told so.
	_, err := Start(t.Context(), Options{Data: data, StartTimeout: 2 * time.Second})
	require.ErrorContains(t, err, "in use")
}

// A child whose parent was killed holds the address for as long as the kernel
// takes it apart.
func TestTheAddressOfAKilledPredecessorIsWaitedFor(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		time.Sleep(300 * time.Millisecond)
		_ = dead.Close()
	}()
	s := start(t, func(o *Options) { o.Listen = dead.Addr().String() })
	require.Equal(t, dead.Addr().String(), s.Addr())

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = Start(ctx, Options{Data: t.TempDir(), Listen: s.Addr()})
	require.ErrorContains(t, err, "address already in use", "of one that lives")
}

// A client's pool may hold a connection that it never used.
func TestStopDoesNotWaitForSilentConnections(t *testing.T) {
	s := start(t)
	silent, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	defer silent.Close()
	must(t, s, "SELECT 1") // the one before is accepted
	stopped := make(chan error, 1)
	require.NoError(t, silent.SetReadDeadline(time.Now().Add(4500*time.Millisecond))) // net/http waits for five seconds
	go func() { stopped <- s.Stop(t.Context()) }()
	_, err = silent.Read(make([]byte, 1))
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, <-stopped)
}

// The engine is killed in the middle of an INSERT; what is there afterwards is a number of whole INSERTs,
// each that was acknowledged among them, at the same address.
func TestKillMidInsert(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { killMidInsert(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

func killMidInsert(t *testing.T, rng *rand.Rand) {
	s := start(t, func(o *Options) { o.Logger = zap.NewNop() })
	must(t, s, "CREATE TABLE k (i UInt32, a UInt64, s String) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 1000")
	const rows = 20_000
	acked := make(chan int, 1)
	dead := make(chan struct{})
	go func() {
		defer close(acked)
		for i := 0; ; i++ {
			r := post(t, s, insertBody(i, rows), "query", "INSERT INTO k FORMAT TSV", "insert_deduplication_token", strconv.Itoa(i))
			if r.err != nil || r.status != http.StatusOK {
				acked <- i
				return
			}
			select {
			case <-dead:
				acked <- i + 1
				return
			default:
			}
		}
	}()
	time.Sleep(time.Duration(50+rng.IntN(400)) * time.Millisecond)
	before := s.Pid()
	require.NoError(t, syscall.Kill(before, syscall.SIGKILL))
	close(dead)
	done := <-acked
	require.Eventually(t, func() bool { return s.Restarts() == 1 && s.Pid() != before && s.Pid() != 0 }, waitLong, tick)

	require.Equal(t, "0", must(t, s, "SELECT countIf(n != "+strconv.Itoa(rows)+") FROM (SELECT i, count() AS n FROM k GROUP BY i)"), "half an INSERT is visible")
	whole, err := strconv.Atoi(must(t, s, "SELECT uniqExact(i) FROM k"))
	require.NoError(t, err)
	require.Contains(t, []int{done, done + 1}, whole)
	// The retry of the ambiguous one counts once.
	must(t, s, insertBody(done, rows), "query", "INSERT INTO k FORMAT TSV", "insert_deduplication_token", strconv.Itoa(done))
	require.Equal(t, strconv.Itoa((done+1)*rows), must(t, s, "SELECT count() FROM k"))
	require.Equal(t, "0", must(t, s, "SELECT count() FROM system.detached_parts"))
}

func insertBody(i, rows int) string {
	var b strings.Builder
	for j := range rows {
		fmt.Fprintf(&b, "%d\t%d\trow %d\n", i, i*rows+j, j)
	}
	return b.String()
}

// parentMain is a Plumbline that only runs ClickHouse. It prints its child's pid.
func parentMain(data string) {
	s, err := Start(context.Background(), Options{Data: data, MaxMemory: 2 << 30})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Pid())
	select {}
}

// A parent killed with -9 cannot stop its child; the child must notice and give the folder back.
func TestParentDeathReleasesChild(t *testing.T) {
	data := t.TempDir()
	cmd := exec.Command(os.Args[0], parentArg, data)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	began := time.Now()
	s := start(t, func(o *Options) { o.Data = data })
	t.Logf("the folder was free and open again after %s", time.Since(began))
	require.Equal(t, "1", must(t, s, "SELECT 1"))
	require.Eventually(t, func() bool { return gone(pid) }, waitLong, tick)
}

// gone is true for a zombie too: nobody may be there to wait for it.
func gone(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// A child that hangs has no exit code; only its silence tells.
func TestWedgedChildIsReplaced(t *testing.T) {
	s := start(t, func(o *Options) { o.Heartbeat, o.Wedged = 100*time.Millisecond, time.Second })
	must(t, s, "CREATE TABLE w (a UInt64) ENGINE = MergeTree ORDER BY a")
	before := s.Pid()
	require.NoError(t, syscall.Kill(before, syscall.SIGSTOP))
	// A client that comes meanwhile waits in the queue of the socket, which the parent holds.
	r := post(t, s, "SELECT count() FROM w")
	if r.err == nil { // it may also have been accepted by the one that was killed
		require.Equal(t, "0\n", r.body)
	}
	require.Eventually(t, func() bool { return s.Restarts() == 1 }, waitLong, tick)
	require.NotEqual(t, before, s.Pid())
	require.Equal(t, "0", must(t, s, "SELECT count() FROM w"))
}

// 1 GB of result must not become 1 GB of memory.
func TestLargeResultIsStreamed(t *testing.T) {
	s := start(t)
	must(t, s, "SELECT 1")
	before := rss(t, s.Pid())
	res, err := client.Do(newRequest(t, s, http.MethodPost, strings.NewReader("SELECT number, repeat('x', 92) FROM numbers(10000000) FORMAT RowBinary")))
	require.NoError(t, err)
	defer res.Body.Close()
	peak, total := before, int64(0)
	for began := time.Now(); ; {
		n, err := io.CopyN(io.Discard, res.Body, 50<<20)
		total += n
		peak = max(peak, rss(t, s.Pid()))
		if errors.Is(err, io.EOF) {
			t.Logf("%d MB in %s, memory %d -> %d MB", total>>20, time.Since(began), before>>20, peak>>20)
			break
		}
		require.NoError(t, err)
	}
	require.Equal(t, int64(10_000_000*(8+1+92)), total)
	require.Less(t, peak-before, int64(300<<20))
}

func rss(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	require.NoError(t, err)
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	require.NoError(t, err)
	return pages * int64(os.Getpagesize())
}

// An INSERT whose data has not all come yet is listed, can be killed, and then leaves nothing.
func TestKillWaitingInsert(t *testing.T) {
	s := start(t, func(o *Options) { o.MaxQueries = 1 })
	must(t, s, "CREATE TABLE wait (a UInt64) ENGINE = MergeTree ORDER BY a")
	pr, pw := io.Pipe()
	defer pw.Close()
	insert := make(chan reply, 1)
	go func() {
		insert <- send(t, newRequest(t, s, http.MethodPost, pr, "query", "INSERT INTO wait FORMAT TSV", "query_id", "slow"))
	}()
	_, _ = io.WriteString(pw, strings.Repeat("1\n", 300_000))
	listed := func(id string) string {
		return must(t, s, "SELECT count() FROM system.processes WHERE query_id = {id:String}", "param_id", id)
	}
	require.Eventually(t, func() bool { return listed("slow") == "1" }, waitLong, tick)
	again := post(t, s, "SELECT 1", "query_id", "slow")
	require.Equal(t, "216", again.header.Get("X-ClickHouse-Exception-Code"))
	out := must(t, s, "KILL QUERY WHERE query_id = 'slow' SYNC FORMAT JSONEachRow")
	require.Contains(t, out, `"kill_status":"finished","query_id":"slow"`)
	require.Equal(t, "0", listed("slow"))
	require.Equal(t, "0", must(t, s, "SELECT count() FROM wait"))
	if r := <-insert; r.err == nil {
		require.Equal(t, "394", r.header.Get("X-ClickHouse-Exception-Code"))
	}
}

// Every request opens and closes a connection to the engine; nothing of it may stay.
func TestNothingAddsUp(t *testing.T) {
	s := start(t)
	must(t, s, "CREATE TABLE a (x UInt64) ENGINE = Memory")
	round := func() {
		for range 100 {
			must(t, s, "SELECT {x:UInt8} FROM numbers(10)", "param_x", "5", "max_threads", "2")
			post(t, s, "SELECT * FROM nowhere")
			post(t, s, "x\n", "query", "INSERT INTO a FORMAT TSV")
			must(t, s, "1\n", "query", "INSERT INTO a FORMAT TSV")
		}
	}
	fds := func() int {
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Pid()))
		require.NoError(t, err)
		return len(list)
	}
	round()
	files, memory := fds(), rss(t, s.Pid())
	for range 5 {
		round()
	}
	t.Logf("files %d -> %d, memory %d -> %d MB", files, fds(), memory>>20, rss(t, s.Pid())>>20)
	require.LessOrEqual(t, fds(), files+20)
	require.Less(t, rss(t, s.Pid())-memory, int64(40<<20))
}
