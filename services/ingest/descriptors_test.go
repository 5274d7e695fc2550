package ingest

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fewEnv makes the test binary a server that may open few files.
const fewEnv = "PLUMBLINE_FEW_DESCRIPTORS"

// Twice as many connections as the process may have files: those who send
// nothing are sent away, the good sender gets its answer, and the files that
// the spool and the log need are never taken.
func TestDescriptorsRunOut(t *testing.T) {
	if os.Getenv(fewEnv) != "" {
		serveFew(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDescriptorsRunOut$") //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), fewEnv+"=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	addr := strings.TrimSpace(line)

	var idle []net.Conn
	defer func() {
		for _, c := range idle {
			_ = c.Close()
		}
	}()
	for range 512 {
		c, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			break // the kernel's own queue is full: as good
		}
		idle = append(idle, c)
	}
	require.Greater(t, len(idle), 200)
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
	if err == nil {
		require.Less(t, len(files), 256-ours/2, "files are left for what must be durable")
	}
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	require.Eventually(t, func() bool {
		body := "[" + hubspotEvent(1, "p", "v") + "]"
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/hooks/main", strings.NewReader(body))
		require.NoError(t, err)
		maps.Copy(req.Header, signV3(newSecret, "POST", publicURL, body, testTime))
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode == http.StatusAccepted
	}, 2*time.Minute, 100*time.Millisecond)
}

func serveFew(t *testing.T) {
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 256, Max: 256}))
	o := options(t, &recorder{})
	o.Limits = DefaultLimits()
	o.Limits.Header = 2 * time.Second
	s := newServer(t, o)
	require.NoError(t, s.Start(t.Context()))
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	require.NoError(t, s.Stop(t.Context()))
}
