package spool

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var seeds = flag.Int("kill.seeds", 3, "seeds of the kill test")

const childEnv = "SPOOL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir, os.Getenv("FAIL"))
	}
	os.Exit(m.Run())
}

// child appends from four senders and says what was acknowledged, while one
// reader drains into a file: the other place where records are safe. It kills
// itself at the n-th pass of a failpoint.
func child(dir, fail string) {
	name, n, _ := strings.Cut(fail, ":")
	left, _ := strconv.Atoi(n)
	var mu sync.Mutex
	s, err := Open(Options{Dir: dir, SegmentBytes: 2 << 10, Failpoint: func(at string) {
		mu.Lock()
		defer mu.Unlock()
		if at == name {
			if left--; left == 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	round := os.Getenv("ROUND")
	var out sync.Mutex
	for k := range 4 {
		go func() {
			for i := 0; ; i++ {
				record := fmt.Sprintf("%s-%d %06d", round, k, i)
				if s.Append(context.Background(), []byte(record)) == nil {
					out.Lock()
					fmt.Println(record)
					out.Unlock()
				}
			}
		}()
	}
	taken, err := os.OpenFile(filepath.Join(filepath.Dir(dir), "taken"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	for err == nil {
		var records [][]byte
		if records, err = s.Next(700); err == nil && len(records) > 0 {
			for _, r := range records {
				fmt.Fprintf(taken, "%s\n", r)
			}
			err = s.Commit()
		}
		time.Sleep(200 * time.Microsecond)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Killed at any instruction, again and again: what was acknowledged is there,
// and each sender's records are in order.
func TestKilledAnywhere(t *testing.T) {
	for seed := range *seeds {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(seed), 1))
			root := t.TempDir()
			dir := filepath.Join(root, "spool")
			acked := map[string]bool{}
			for round := range 8 {
				fail := []string{"written", "synced", "drained", "removed"}[round%4] + ":" + strconv.Itoa(1+random.IntN(25))
				t.Logf("round %d: kill at %s", round, fail)
				for _, r := range killed(t, dir, fail, round) {
					acked[r] = true
				}
			}
			require.NotEmpty(t, acked)
			s := open(t, Options{Dir: dir})
			b, err := os.ReadFile(filepath.Join(root, "taken"))
			require.NoError(t, err)
			found := append(strings.Split(strings.TrimRight(string(b), "\n"), "\n"), drain(t, s, 1<<20)...)
			require.Zero(t, s.Stats().Rotten)
			inOrder(t, found, acked)
		})
	}
}

func killed(t *testing.T, dir, fail string, round int) []string {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), childEnv+"="+dir, "FAIL="+fail, "ROUND="+strconv.Itoa(round))
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	var acked []string
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		acked = append(acked, lines.Text())
	}
	if len(acked) > 0 && len(acked[len(acked)-1]) != len(acked[0]) { // cut by the kill
		acked = acked[:len(acked)-1]
	}
	require.ErrorContains(t, c.Wait(), "killed")
	return acked
}

// inOrder looks at the first sight of each record: repeats are allowed.
func inOrder(t *testing.T, found []string, acked map[string]bool) {
	t.Helper()
	seen, last := map[string]bool{}, map[string]string{}
	for _, r := range found {
		if seen[r] {
			continue
		}
		seen[r] = true
		sender, _, _ := strings.Cut(r, " ")
		require.Less(t, last[sender], r, "out of order")
		last[sender] = r
	}
	for r := range acked {
		require.True(t, seen[r], "%s was acknowledged and is gone", r)
	}
}
