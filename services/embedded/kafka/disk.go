//go:build unix

package kafka

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// diskGuard refuses records while the disk is nearly full. Offsets, markers
// and aborts stay allowed: they are small, and without them nobody can finish.
type diskGuard struct {
	dir     string
	min     uint64
	statfs  func(string) (uint64, error)
	cluster *kfake.Cluster
	refusal *kfake.FaultHandle // set while records are refused
	log     *zap.Logger

	low  atomic.Bool
	quit chan struct{}
	done chan struct{}
}

func newDiskGuard(o *Options, cluster *kfake.Cluster) *diskGuard {
	g := &diskGuard{
		dir:     o.Data,
		min:     o.MinFreeBytes,
		statfs:  o.statfs,
		cluster: cluster,
		log:     o.Logger,
		quit:    make(chan struct{}),
		done:    make(chan struct{}),
	}
	g.check() // before the first record, not a tick after it
	go g.watch(o.every)
	return g
}

func (g *diskGuard) watch(every time.Duration) {
	defer close(g.done)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-g.quit:
			return
		case <-t.C:
			g.check()
		}
	}
}

func (g *diskGuard) close() {
	close(g.quit)
	<-g.done
}

// check treats a disk that cannot be asked as a full one.
func (g *diskGuard) check() {
	free, err := g.statfs(g.dir)
	low := err != nil || free < g.min
	if low == g.low.Load() {
		return
	}
	g.low.Store(low)
	if low {
		g.refuse()
		g.log.Error("disk nearly full: records are refused until there is room",
			zap.Uint64("free_bytes", free), zap.Uint64("min_free_bytes", g.min), zap.Error(err))
		return
	}
	g.refusal.Remove()
	g.log.Info("disk has room again: records are accepted", zap.Uint64("free_bytes", free))
}

// refuse answers produce requests with KAFKA_STORAGE_ERROR, which clients
// retry until their own delivery timeout. A fault costs nothing while it is
// not installed; a control function would add a goroutine to every request.
func (g *diskGuard) refuse() {
	g.refusal = g.cluster.Fault(kfake.Fault{
		Keys:  []kmsg.Key{kmsg.Produce},
		Err:   kerr.KafkaStorageError,
		Count: -1,
	})
}

func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("read free space of %s: %w", dir, err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil
}
