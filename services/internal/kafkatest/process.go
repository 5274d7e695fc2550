package kafkatest

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a broker in a process group of its own, so that a kill reaches
// what it started and nothing else.
type process struct {
	t      testing.TB
	addr   string
	start  func() *exec.Cmd
	topics int // that it makes while it starts
	out    tail

	cmd  *exec.Cmd
	life *os.File      // the child ends when this closes, also when we crash
	done chan struct{} // closed when the child is gone
}

// run starts the child. It finds the read end of life as its descriptor 3.
func (p *process) run() {
	p.t.Helper()
	childEnd, life, err := os.Pipe()
	if err != nil {
		p.t.Fatalf("kafkatest: %v", err)
	}
	defer childEnd.Close()
	cmd := p.start()
	cmd.ExtraFiles = []*os.File{childEnd}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		_ = life.Close()
		p.t.Fatalf("kafkatest: start broker: %v", err)
	}
	done := make(chan struct{})
	p.cmd, p.life, p.done = cmd, life, done
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is told by its output
	}()
	waitReady(p.t, p)
}

func (p *process) Addr() string { return p.addr }

func (p *process) Kill() {
	p.t.Helper()
	p.end(syscall.SIGKILL)
}

func (p *process) Stop() {
	p.t.Helper()
	p.end(syscall.SIGTERM)
}

func (p *process) Restart() {
	p.t.Helper()
	p.Stop()
	p.run()
}

// end signals the group and waits. A broker that does not stop in order
// within half a minute is killed.
func (p *process) end(sig syscall.Signal) {
	if p.cmd == nil {
		return
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, sig) // it may have ended by itself
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		p.t.Errorf("kafkatest: broker did not stop:\n%s", p.output())
	}
	// The shell around a real broker may outlive it by a moment.
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	_ = p.life.Close()
	p.cmd = nil
}

func (p *process) exited() (string, bool) {
	select {
	case <-p.done:
		return p.output(), true
	default:
		return "", false
	}
}

func (p *process) output() string { return p.out.String() }

// tail keeps the last lines a broker said.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 16 << 10

func (w *tail) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf = append(w.buf, b...)
	if over := len(w.buf) - tailBytes; over > 0 {
		w.buf = append(w.buf[:0], w.buf[over:]...)
	}
	return len(b), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.buf)
}
