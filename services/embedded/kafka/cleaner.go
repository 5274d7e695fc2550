package kafka

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
)

// cleaner deletes what topics no longer keep. kfake's own cleaner stays off:
// it also compacts, and its compaction counts uncommitted records as newer
// values, knows no lag, and has deleted the old files before it writes the new
// ones. So a compacted topic keeps everything here.
type cleaner struct {
	dir     string
	cluster *kfake.Cluster
	client  *kgo.Client
	log     *zap.Logger
	stop    context.CancelFunc
	done    chan struct{}
}

func newCleaner(o *Options, addr string, cluster *kfake.Cluster) (*cleaner, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return nil, fmt.Errorf("embedded kafka: cleaner: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &cleaner{
		dir: o.Data, cluster: cluster, client: client, log: o.Logger,
		stop: stop, done: make(chan struct{}),
	}
	go c.run(ctx, o.CleanerInterval)
	return c, nil
}

func (c *cleaner) run(ctx context.Context, every time.Duration) {
	defer close(c.done)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := c.clean(ctx); err != nil && ctx.Err() == nil {
				c.log.Warn("cleaning failed, nothing was deleted", zap.Error(err))
			}
		}
	}
}

// clean writes down how far partitions have got before any is emptied.
func (c *cleaner) clean(ctx context.Context) error {
	w, err := readWatermarks(ctx, kadm.NewClient(c.client))
	if err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(c.dir, watermarksName), w); err != nil {
		return err
	}
	c.cluster.ApplyRetention()
	return nil
}

func (c *cleaner) close() {
	c.stop()
	<-c.done
	c.client.Close()
}
