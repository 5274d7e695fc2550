// Package kafka runs a Kafka broker inside the process: franz-go's kfake on a
// real TCP port, with every acknowledged record synced to disk.
//
// It is one broker on one disk. It survives a crash of the process, not the
// loss of the disk; where that matters, the configuration names a real
// cluster instead and nothing else changes.
package kafka

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.uber.org/zap"
)

// Options configure Start. Data and Listen are required.
type Options struct {
	// Data is the broker's folder. It is created when it is missing, and
	// held by one process at a time.
	Data string
	// Listen is host:port. The same port must be given again after a
	// restart, since clients remember it; ":0" picks a free one.
	Listen string
	// MinFreeBytes is how much room the disk must keep. Below it the broker
	// refuses records with an error that clients retry. The broker does not
	// look at the errors of its own syncs, so a full disk must never happen.
	MinFreeBytes uint64
	// CleanerInterval is how often topics that set retention are cleaned.
	CleanerInterval time.Duration
	// MaxMessageBytes is the largest batch one produce may carry.
	MaxMessageBytes int
	// Topics are created when they are missing. What exists is left alone.
	Topics []TopicSpec
	Logger *zap.Logger

	statfs func(dir string) (free uint64, err error) // tests fill the disk
	every  time.Duration                             // how often free space is read
}

// TopicSpec is one topic with its own settings, by their Kafka names.
type TopicSpec struct {
	Name       string
	Partitions int32
	Config     map[string]string
}

const (
	defaultMinFree         = 1 << 30
	defaultCleanerInterval = time.Minute
	defaultMaxMessage      = 8 << 20

	never = 10 * 365 * 24 * time.Hour // kfake knows no way to say so
)

func (o *Options) setDefaults() {
	if o.MinFreeBytes == 0 {
		o.MinFreeBytes = defaultMinFree
	}
	if o.CleanerInterval <= 0 {
		o.CleanerInterval = defaultCleanerInterval
	}
	if o.MaxMessageBytes <= 0 {
		o.MaxMessageBytes = defaultMaxMessage
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.statfs == nil {
		o.statfs = freeBytes
	}
	if o.every <= 0 {
		o.every = time.Second
	}
}

func (o *Options) validate() error {
	if o.Data == "" {
		return errors.New("embedded kafka: no data directory given")
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("embedded kafka: listen address %q is not host:port", o.Listen)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("embedded kafka: listen address %q has no valid port", o.Listen)
	}
	// Clients are told to come back to the listening address, and 0.0.0.0
	// is no place to come back to.
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("embedded kafka: listen on an address clients can reach, not on %s", host)
	}
	return nil
}

// brokerConfig are kfake's own settings. Retention and offset expiry default
// to seven days there, also for topics and groups that never asked for either,
// so both are off until a topic says otherwise. Its cleaner is off for good, see
// cleaner.
func (o *Options) brokerConfig() map[string]string {
	return map[string]string{
		"log.cleaner.backoff.ms":    strconv.FormatInt(never.Milliseconds(), 10),
		"log.retention.ms":          "-1",
		"message.max.bytes":         strconv.Itoa(o.MaxMessageBytes),
		"offsets.retention.minutes": strconv.Itoa(int(never.Minutes())),
	}
}
