package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
)

// Broker is a running broker.
type Broker struct {
	addr    string
	data    string
	cluster *kfake.Cluster
	guard   *diskGuard
	intents *intents
	cleaner *cleaner
	lock    *os.File
	log     *zap.Logger

	stop    sync.Once
	stopped chan struct{}
}

// Start opens the data directory and serves it. It returns when clients can
// connect.
func Start(o Options) (*Broker, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	lock, err := openDir(o.Data, o.Logger)
	if err != nil {
		return nil, err
	}
	cluster, gate, err := startCluster(&o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	b := &Broker{
		addr:    gate.Addr().String(),
		data:    o.Data,
		cluster: cluster,
		guard:   newDiskGuard(&o, cluster),
		lock:    lock,
		log:     o.Logger,
		stopped: make(chan struct{}),
	}
	if err := b.ready(&o, gate); err != nil {
		return nil, errors.Join(err, b.Stop(context.Background()))
	}
	return b, nil
}

// ready lets clients in once everything that watches them is in place.
func (b *Broker) ready(o *Options, gate *gate) (err error) {
	if b.intents, err = watchIntents(b.data, b.cluster, b.log); err != nil {
		return err
	}
	gate.open()
	if b.cleaner, err = newCleaner(o, b.addr, b.cluster); err != nil {
		return err
	}
	if err := createTopics(b.addr, o.Topics); err != nil {
		return err
	}
	b.log.Info("embedded kafka listens", zap.String("addr", b.addr), zap.String("data", o.Data))
	return nil
}

// startCluster listens itself: kfake alone would only ever listen on 127.0.0.1,
// and an address in use must be told from a broken folder.
func startCluster(o *Options) (*kfake.Cluster, *gate, error) {
	tcp, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, nil, fmt.Errorf("embedded kafka: listen on %s: %w", o.Listen, err)
	}
	ln := newGate(tcp)
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("plumbline"),
		kfake.DataDir(o.Data),
		kfake.SyncWrites(),
		kfake.BrokerConfigs(o.brokerConfig()),
		kfake.ListenFn(func(_, _ string) (net.Listener, error) { return ln, nil }),
		kfake.WithLogger(brokerLog{o.Logger}),
	)
	if err != nil {
		_ = ln.Close() // already closed unless kfake failed before it listened
		return nil, nil, fmt.Errorf("embedded kafka: %s cannot be opened: %w", o.Data, err)
	}
	return cluster, ln, nil
}

func (b *Broker) shutDown() {
	b.guard.close()
	if b.cleaner != nil {
		b.cleaner.close()
	}
	b.cluster.Close()
	if b.intents != nil {
		_ = b.intents.close() // every intent was synced when it was written
	}
	if err := writeAt(filepath.Join(b.data, cleanName), 0, nil); err != nil {
		b.log.Warn("the next start takes this stop for a crash", zap.Error(err))
	}
	_ = b.lock.Close() // the lock goes with the descriptor
}

// Addr is where clients connect, also after a restart on the same port.
func (b *Broker) Addr() string { return b.addr }

// DiskLow tells whether records are refused for want of disk space.
func (b *Broker) DiskLow() bool { return b.guard.low.Load() }

// Stop writes everything down and closes the port. It may be called more than
// once; every call waits for the same stop, each as long as its context lets it.
func (b *Broker) Stop(ctx context.Context) error {
	b.stop.Do(func() {
		go func() {
			defer close(b.stopped)
			b.shutDown()
		}()
	})
	select {
	case <-b.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("embedded kafka: stopping: %w", ctx.Err())
	}
}
