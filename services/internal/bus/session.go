package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// ErrAborted means that the transaction did not commit, or that nobody can
// tell: close the session, forget the state in memory, open a new one.
var ErrAborted = errors.New("transaction not committed")

// SessionConfig describes one stage: it consumes Input and writes outputs,
// state and its offsets in one transaction.
type SessionConfig struct {
	Group      string
	Instance   string // with Group the transactional id: the same after a restart, another in a second copy
	Input      string
	Changelog  string
	ConfigHash string
	// Plain compresses with gzip, which every Kafka client reads: Snappy is
	// much smaller work and unknown to some (Node's kafkajs).
	Plain bool
	// Resume tells the offset from which a partition that was assigned goes on.
	// The group waits for it, so it has to be quick.
	Resume func(ctx context.Context, a Assignment) (next int64, err error)
	// Restore rebuilds the partition's task. It runs beside everything: the
	// partition is not read before it has returned, the others are.
	Restore func(ctx context.Context, a Assignment, next int64) error
	// Revoked forgets the partition's task: another member goes on with it. No
	// transaction is open, and no record of it will be polled.
	Revoked func(partition int32)
}

func (c *SessionConfig) compression() kgo.CompressionCodec {
	if c.Plain {
		return kgo.GzipCompression()
	}
	return kgo.SnappyCompression()
}

// Assignment is what the group knows of a partition it hands over.
type Assignment struct {
	Partition int32
	Committed int64 // next input offset, -1 = none
	Prev      int64 // where the transaction that committed it started from
}

// Session is one membership in a stage's group. It is used from one goroutine.
type Session struct {
	cfg     SessionConfig
	o       Options
	gs      *kgo.GroupTransactSession
	encoder encoder
	fatal   chan error

	mu        sync.Mutex
	committed map[int32]Assignment
	restoring map[int32]context.CancelFunc
	moved     bool // partitions were taken away since the last Settle

	joining joining

	life     context.Context // ends with Close
	end      context.CancelFunc
	restores sync.WaitGroup

	uncertain atomic.Bool  // EndTxn was sent and its answer is not known
	failed    atomic.Value // first produce error of the transaction, as error
	inTxn     bool
}

// transactionTimeout is how long a dead process blocks those who read what it
// wrote, if it never comes back under the same transactional id.
const transactionTimeout = 10 * time.Second

// NewSession joins the group.
func NewSession(o Options, cfg SessionConfig) (*Session, error) {
	s := &Session{
		cfg: cfg, o: o, encoder: newEncoder(cfg.ConfigHash), fatal: make(chan error, 1), committed: map[int32]Assignment{},
		restoring: map[int32]context.CancelFunc{},
	}
	s.life, s.end = context.WithCancel(context.Background())
	gs, err := kgo.NewGroupTransactSession(o.kgo(
		kgo.ConsumerGroup(cfg.Group),
		kgo.ConsumeTopics(cfg.Input),
		kgo.TransactionalID(cfg.Group+"-"+cfg.Instance),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.SessionTimeout(transactionTimeout+5*time.Second),
		kgo.HeartbeatInterval(time.Second), // who hears late that the group moves holds up all who heard
		kgo.InstanceID(cfg.Instance),       // static: a restart takes its partitions back at once
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(200*time.Millisecond),
		kgo.FetchMinBytes(1),
		kgo.FetchMaxPartitionBytes(4<<20),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.BlockRebalanceOnPoll(), // nothing is taken away while a transaction is open: see Poll
		kgo.RecordPartitioner(partitioner{changelog: cfg.Changelog}),
		kgo.ProducerBatchCompression(cfg.compression()),
		kgo.ProducerBatchMaxBytes(4<<20),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(1<<20),
		kgo.OnPartitionsRevoked(s.revoked),
		kgo.OnPartitionsLost(s.lost),
		kgo.OnOffsetsFetched(s.offsetsFetched),
		kgo.AdjustFetchOffsetsFn(s.assign),
		kgo.WithHooks(endHook{&s.uncertain}, &s.joining),
	)...)
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", cfg.Group, err)
	}
	s.gs = gs
	return s, nil
}

// partitioner puts changelog records where their task lives and all others
// where their key belongs.
type partitioner struct{ changelog string }

// ForTopic implements kgo.Partitioner.
func (p partitioner) ForTopic(t string) kgo.TopicPartitioner {
	if t == p.changelog {
		return kgo.ManualPartitioner().ForTopic(t)
	}
	return kgo.StickyKeyPartitioner(nil).ForTopic(t)
}

// endHook notices an EndTxn whose answer was lost. The client library retries
// it silently, and a broker that died inside it may answer the retry with a
// success that is true for some partitions only.
type endHook struct{ uncertain *atomic.Bool }

// OnBrokerE2E implements kgo.HookBrokerE2E.
func (h endHook) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == int16(kmsg.EndTxn) && e.Err() != nil {
		h.uncertain.Store(true)
	}
}

func (s *Session) stop(err error) {
	select {
	case s.fatal <- err:
	default:
	}
}

// Poll returns up to limit records, or none when wait has passed. An error is
// final for this session.
//
// Partitions change hands only while a Poll outside a transaction waits: what
// was polled is committed first, and who keeps partitions folds on. The client
// counts polls that are not yet done with, and the first of a transaction is
// not until the next Poll after its end.
func (s *Session) Poll(ctx context.Context, wait time.Duration, limit int) ([]stream.Record, error) {
	if !s.inTxn {
		s.gs.AllowRebalance()
	}
	select {
	case err := <-s.fatal:
		return nil, err
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	fetches := s.gs.PollRecords(ctx, limit)
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, context.Canceled) {
			continue
		}
		return nil, fmt.Errorf("read %s partition %d: %w", e.Topic, e.Partition, e.Err)
	}
	records := make([]stream.Record, 0, fetches.NumRecords())
	fetches.EachRecord(func(r *kgo.Record) {
		rec, err := decodeShared(r)
		if err != nil {
			rec.Event = unreadable(r, err)
		}
		records = append(records, rec)
	})
	return records, nil
}

// unreadable keeps the bytes nobody could decode, so that good neighbours go on.
func unreadable(r *kgo.Record, err error) event.Event {
	origin := fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)
	return &event.DeadLetter{
		ID: event.Hash("dead_letter", origin), Origin: r.Topic, Reason: err.Error(), Code: "undecodable",
		ReceivedAt: event.At(r.Timestamp), Bytes: r.Value, Batch: origin,
	}
}

// Begin opens a transaction if none is open.
func (s *Session) Begin() error {
	if s.inTxn {
		return nil
	}
	if err := s.gs.Begin(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	s.inTxn = true
	s.failed = atomic.Value{}
	s.uncertain.Store(false)
	return nil
}

// Write adds an output to the transaction.
func (s *Session) Write(o *stream.Output) error {
	r, err := s.encoder.encode(o)
	if err != nil {
		return err
	}
	s.produce(r, nil)
	return nil
}

// WriteState adds a changelog record of a partition's task; nil removes the
// key. At is told the record's offset once it is known, before Commit returns.
func (s *Session) WriteState(partition int32, key string, value []byte, at func(offset int64)) {
	s.produce(&kgo.Record{
		Topic: s.cfg.Changelog, Partition: partition, Key: []byte(key), Value: append([]byte(nil), value...),
	}, at)
}

// Moved reports whether partitions were taken away: Settle before the next
// transaction.
func (s *Session) Moved() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved
}

// Joining reports whether the group is being put together anew: a commit would
// wait for all its members.
func (s *Session) Joining() bool { return s.joining.under() != nil }

// Settle goes on without the partitions that were taken away. Records polled
// since must be forgotten: those of the others come again.
func (s *Session) Settle(ctx context.Context) error {
	s.mu.Lock()
	s.moved = false
	s.mu.Unlock()
	// The client fails the next commit after a revocation, to be safe. An empty
	// transaction takes that, and rewinds to what is committed.
	if err := s.gs.Begin(); err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	if _, err := s.gs.End(ctx, kgo.TryAbort); err != nil {
		return fmt.Errorf("%w: %w", ErrAborted, err)
	}
	return nil
}

func (s *Session) produce(r *kgo.Record, at func(int64)) {
	s.gs.Produce(context.Background(), r, func(r *kgo.Record, err error) {
		if err != nil {
			s.failed.CompareAndSwap(nil, err)
			return
		}
		if at != nil {
			at(r.Offset)
		}
	})
}

// Commit ends the transaction with the offsets of all polled records. Prev
// tells for each partition where its state stood before. Any error means
// ErrAborted: what the broker did is not known.
func (s *Session) Commit(ctx context.Context, prev map[int32]int64) error {
	ctx, cancel := context.WithTimeout(ctx, 2*transactionTimeout)
	defer cancel()
	ctx = kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				part := &req.Topics[t].Partitions[p]
				if from, ok := prev[part.Partition]; ok {
					part.Metadata = new(formatPrev(from))
				}
			}
		}
		return nil
	})
	s.inTxn = false
	s.joining.wait(ctx)
	committed, err := s.gs.End(ctx, kgo.TryCommit)
	produceErr, _ := s.failed.Load().(error)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrAborted, err)
	case produceErr != nil:
		return fmt.Errorf("%w: %w", ErrAborted, produceErr)
	case !committed:
		return fmt.Errorf("%w: partitions moved", ErrAborted)
	case s.uncertain.Load():
		return fmt.Errorf("%w: the broker's answer was lost", ErrAborted)
	}
	return nil
}

// Close leaves the group; an open transaction is aborted.
func (s *Session) Close() {
	s.end()
	defer s.restores.Wait()
	if s.inTxn {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if _, err := s.gs.End(ctx, kgo.TryAbort); err != nil {
			s.o.log().Debug("abort on close", zap.Error(err))
		}
	}
	s.gs.CloseAllowingRebalance()
}
