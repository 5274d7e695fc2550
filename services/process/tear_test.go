package process

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"plumbline.dev/services/internal/kafkatest"
)

// tornBroker is the embedded broker without its note of the commit under way:
// killed inside EndTxn it leaves some partitions committed, others aborted,
// and offsets lost, as kfake by itself does.
type tornBroker struct {
	kafkatest.Broker
	dir string
}

func (b tornBroker) Restart() {
	_ = os.Remove(filepath.Join(b.dir, "commit.intent"))
	b.Broker.Restart()
}

// intent tells when a commit began, partitions how long each log is.
func (b tornBroker) intent() time.Time {
	info, err := os.Stat(filepath.Join(b.dir, "commit.intent"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

func (b tornBroker) partitions() map[string]int64 {
	files, _ := filepath.Glob(filepath.Join(b.dir, "partitions", "*", "*.dat"))
	sizes := make(map[string]int64, len(files))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			sizes[f] = info.Size()
		}
	}
	return sizes
}

// tear kills the broker while it carries out a commit: after some of its
// markers, before the others and before the offsets. It is aimed by what the
// broker has written, not by a clock, so that a busy machine tears too.
func tear(ctx context.Context, rng *rand.Rand, l *load, p *processor, b tornBroker) {
	p.config.Tell = fmt.Sprintf("%s:%d", FailBeforeCommit, 2+rng.IntN(8))
	p.start("")
	for done := false; !done; {
		l.burst(ctx, 10)
		select {
		case <-p.told:
			if rng.IntN(3) > 0 { // state shows that some of its outputs lack: the worst of tears
				b.killAfterMarkers(1, "-state-")
			} else {
				b.killAfterMarkers(1+rng.IntN(4), "")
			}
			done = true
		case <-time.After(30 * time.Millisecond):
			done = ctx.Err() != nil
		}
	}
	b.Restart()
	l.burst(ctx, 5)
}

// killAfterMarkers waits for the next commit to begin and for its first n
// markers in partitions of that name. A commit has one marker a partition, so
// of a smaller one it may come too late: the caller tears again.
func (b tornBroker) killAfterMarkers(n int, name string) {
	begun := b.intent()
	for soon := time.Now().Add(time.Second); b.intent().Equal(begun) && time.Now().Before(soon); {
	}
	before := b.partitions()
	for soon := time.Now().Add(100 * time.Millisecond); time.Now().Before(soon); {
		grown := 0
		for f, size := range b.partitions() {
			if size > before[f] && strings.Contains(f, name) {
				grown++
			}
		}
		if grown >= n {
			break
		}
	}
	b.Kill()
}
