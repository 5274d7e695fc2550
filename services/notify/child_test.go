package notify

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/notify/kit"
)

const childEnv = "PLUMBLINE_TEST_NOTIFY"

// child is a notifier in a process of its own.
type child struct {
	Brokers []string
	Data    string
	File    string
}

func runChild(raw string) error {
	var c child
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		return err
	}
	n, err := New(Options{
		Source: kit.Source{Brokers: c.Brokers}, Data: c.Data, File: c.File, Every: 200 * time.Millisecond, Config: config.Notify{AllowPrivate: true},
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return n.Run(ctx)
}

// spawn starts a notifier as a process; the returned function kills it with
// SIGKILL.
func (w *world) spawn(o Options) (kill func()) {
	w.t.Helper()
	raw, err := json.Marshal(child{o.Source.Brokers, o.Data, o.File})
	require.NoError(w.t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	cmd.Stderr = testWriter{w.t}
	require.NoError(w.t, cmd.Start())
	gone := false
	end := func() {
		if gone {
			return
		}
		gone = true
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	w.t.Cleanup(end)
	return end
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(string(b))
	return len(b), nil
}

// modified is when a file was last written, long ago if it is not there.
func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
