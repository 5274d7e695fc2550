package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/zap"
)

// Broker is a running broker.
type Broker struct {
	addr    string
	cluster *kfake.Cluster
	guard   *diskGuard
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
	cluster, addr, err := startCluster(&o)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	b := &Broker{
		addr:    addr,
		cluster: cluster,
		guard:   newDiskGuard(&o, cluster),
		lock:    lock,
		log:     o.Logger,
		stopped: make(chan struct{}),
	}
	if err := b.ready(&o); err != nil {
		return nil, errors.Join(err, b.Stop(context.Background()))
	}
	return b, nil
}

func (b *Broker) ready(o *Options) error {
	if err := createTopics(b.addr, o.Topics); err != nil {
		return err
	}
	b.log.Info("embedded kafka listens", zap.String("addr", b.addr), zap.String("data", o.Data))
	return nil
}

// startCluster listens itself: kfake alone would only ever listen on 127.0.0.1,
// and an address in use must be told from a broken folder.
func startCluster(o *Options) (*kfake.Cluster, string, error) {
	ln, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, "", fmt.Errorf("embedded kafka: listen on %s: %w", o.Listen, err)
	}
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
		return nil, "", fmt.Errorf("embedded kafka: %s cannot be opened: %w", o.Data, err)
	}
	return cluster, ln.Addr().String(), nil
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
			b.guard.close()
			b.cluster.Close()
			_ = b.lock.Close() // the lock goes with the descriptor
		}()
	})
	select {
	case <-b.stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("embedded kafka: stopping: %w", ctx.Err())
	}
}
