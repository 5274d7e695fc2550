package process

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/services/internal/bus"
)

// Stage is one step of the flow: a topic, what folds it, where its state goes.
type Stage struct {
	Name      string // also the consumer group: plumbline-<name>
	Input     string
	Changelog string
	Plain     bool                   // its topics are for anybody's clients
	Operator  func() stream.Operator // a fresh one for each partition
}

// Options of one stage in one process.
type Options struct {
	Bus        bus.Options
	Stage      Stage
	Instance   string // one of several copies; the same after a restart
	ConfigHash string

	CommitEvery time.Duration // default 100 ms: what a restart folds again, and what latency gains
	Logger      *zap.Logger
	Registerer  prometheus.Registerer // nil = not measured

	// Failpoint is called by name at the instructions where a crash hurts.
	Failpoint func(name string)
	// TrustLast and AcceptRepeats switch one protection off, for the mutation
	// checks of the kill suite.
	TrustLast, AcceptRepeats bool
}

// Failpoints, in the order a transaction passes them.
const (
	FailAfterPoll    = "process_after_poll"
	FailBeforeCommit = "process_before_commit" // outputs produced, EndTxn not sent
	FailAfterCommit  = "process_after_commit"
	FailInRestore    = "process_in_restore"
)

func (o Options) withDefaults() Options {
	if o.CommitEvery == 0 {
		o.CommitEvery = 100 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	if o.Instance == "" {
		o.Instance = "0"
	}
	o.Logger = o.Logger.With(zap.String("stage", o.Stage.Name))
	return o
}
