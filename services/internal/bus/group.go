package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// ErrFenced means that the partitions may belong to another member by now:
// close the group, join again, and begin where the new assignment says.
var ErrFenced = errors.New("fenced: another member may own the partitions")

// ErrGone means that a committed offset is no longer in the log: retention
// was shorter than the time it was not read.
var ErrGone = errors.New("the log no longer holds the committed offset")

// Position is a committed offset, the next to read, with what the committer
// wrote next to it. Offset -1 means that nothing was committed.
type Position struct {
	Offset   int64
	Metadata string
}

// GroupOptions describe one member of a plain consumer group of one topic.
type GroupOptions struct {
	Options
	Group string
	Topic string
	// Start chooses where to begin with a partition, given its committed
	// position; -1 is the start of the log. Nil: at the committed offset.
	Start func(partition int32, committed Position) int64
	// Undecoded leaves Event nil: the reader decodes Value in its own way.
	Undecoded bool
}

// Ownership says that a partition came or went.
type Ownership struct {
	Partition int32
	Owned     bool
	Committed Position // of one that came
}

// Fetched is one record. Err says that its bytes cannot be read; a nil Event
// without Err, that its type is not known to this version.
type Fetched struct {
	stream.Record
	Kind  event.Type
	Value []byte
	Err   error
}

// Polled is what happened since the last Poll: first Changes, then Records,
// each partition's in order.
type Polled struct {
	Changes []Ownership
	Records []Fetched
	Ends    map[int32]int64 // last stable offsets of the partitions fetched
}

// Group is a member. Its methods are for one goroutine.
type Group struct {
	opts GroupOptions
	cl   *kgo.Client
	// turn is held between Polls: ownership changes only while a Poll waits.
	// The client library's own gate stays open after an empty poll.
	turn    sync.Mutex
	mu      sync.Mutex
	changes []Ownership
	fetched map[int32]Position
}

// NewGroup joins; partitions come with the first Polls.
func NewGroup(o GroupOptions) (*Group, error) {
	g := &Group{opts: o, fetched: map[int32]Position{}}
	gone := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) { g.disown(lost[o.Topic]) }
	cl, err := kgo.NewClient(o.kgo(
		kgo.ConsumerGroup(o.Group), kgo.ConsumeTopics(o.Topic),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // a hole is an error, never skipped in silence
		kgo.OnPartitionsRevoked(gone), kgo.OnPartitionsLost(gone),
		kgo.OnOffsetsFetched(g.noteFetched), kgo.AdjustFetchOffsetsFn(g.adjust),
		// Small, because they are compressed: eight times as much may lie in memory.
		kgo.FetchMaxPartitionBytes(512<<10), kgo.FetchMaxBytes(2<<20), kgo.MaxConcurrentFetches(1),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	g.cl = cl
	g.turn.Lock()
	return g, nil
}

func (g *Group) disown(partitions []int32) {
	g.turn.Lock()
	defer g.turn.Unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range partitions {
		g.changes = append(g.changes, Ownership{Partition: p})
	}
}

// noteFetched keeps the metadata, which the next callback does not get.
func (g *Group) noteFetched(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	note := func(p int32, offset int64, metadata *string) {
		pos := Position{Offset: offset}
		if metadata != nil {
			pos.Metadata = *metadata
		}
		g.fetched[p] = pos
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			note(p.Partition, p.Offset, p.Metadata)
		}
	}
	for _, group := range resp.Groups {
		for _, t := range group.Topics {
			for _, p := range t.Partitions {
				note(p.Partition, p.Offset, p.Metadata)
			}
		}
	}
	return nil
}

func (g *Group) adjust(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for p := range offsets[g.opts.Topic] {
		committed, ok := g.fetched[p]
		if !ok {
			committed = Position{Offset: -1}
		}
		delete(g.fetched, p)
		start := committed.Offset
		if g.opts.Start != nil {
			start = g.opts.Start(p, committed)
		}
		at := kgo.NewOffset().AtStart()
		if start >= 0 {
			at = kgo.NewOffset().At(start)
		}
		offsets[g.opts.Topic][p] = at
		g.changes = append(g.changes, Ownership{Partition: p, Owned: true, Committed: committed})
	}
	return offsets, nil
}

// Poll waits for records or for ctx, whichever is first; the end of ctx is no
// error. What was polled stays owned until the next Poll.
func (g *Group) Poll(ctx context.Context, maxRecords int) (Polled, error) {
	g.turn.Unlock()
	g.cl.AllowRebalance()
	fetches := g.cl.PollRecords(ctx, maxRecords)
	g.turn.Lock()
	return g.polled(fetches)
}

// More is Poll for a member that is still at work on what it polled before:
// nothing changes hands meanwhile.
func (g *Group) More(ctx context.Context, maxRecords int) (Polled, error) {
	return g.polled(g.cl.PollRecords(ctx, maxRecords))
}

func (g *Group) polled(fetches kgo.Fetches) (Polled, error) {
	out := Polled{Ends: map[int32]int64{}}
	g.mu.Lock()
	out.Changes, g.changes = g.changes, nil
	g.mu.Unlock()
	for _, e := range fetches.Errors() {
		switch {
		case errors.Is(e.Err, kerr.OffsetOutOfRange):
			return out, fmt.Errorf("%w: %s/%d", ErrGone, e.Topic, e.Partition)
		case errors.Is(e.Err, context.Canceled), errors.Is(e.Err, context.DeadlineExceeded):
		default:
			return out, fmt.Errorf("read %s/%d: %w", g.opts.Topic, e.Partition, e.Err)
		}
	}
	out.Records = make([]Fetched, 0, fetches.NumRecords())
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		out.Ends[p.Partition] = p.LastStableOffset
		for _, r := range p.Records {
			out.Records = append(out.Records, g.read(r))
		}
	})
	return out, nil
}

func (g *Group) read(r *kgo.Record) Fetched {
	rec, kind, err := headers(r)
	f := Fetched{Record: rec, Kind: kind, Value: r.Value, Err: err}
	if err == nil && !g.opts.Undecoded && event.New(kind) != nil {
		f.Event, f.Err = event.Decode(kind, r.Value)
	}
	return f
}

// Pause stops fetching; Polls still keep the membership alive.
func (g *Group) Pause() { g.cl.PauseFetchTopics(g.opts.Topic) }

// Resume fetches again.
func (g *Group) Resume() { g.cl.ResumeFetchTopics(g.opts.Topic) }

// Commit stores positions of partitions this member owns, fenced by the
// group's generation.
func (g *Group) Commit(ctx context.Context, positions map[int32]Position) error {
	offsets := make(map[int32]kgo.EpochOffset, len(positions))
	for p, pos := range positions {
		offsets[p] = kgo.EpochOffset{Epoch: -1, Offset: pos.Offset}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				p := &req.Topics[i].Partitions[j]
				metadata := positions[p.Partition].Metadata
				p.Metadata = &metadata
			}
		}
		return nil
	})
	var failed error
	g.cl.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{g.opts.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			failed = commitError(resp, err, len(positions))
		})
	return failed
}

func commitError(resp *kmsg.OffsetCommitResponse, err error, want int) error {
	if err != nil {
		return fmt.Errorf("commit offsets: %w", err)
	}
	n := 0
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			n++
			switch err := kerr.ErrorForCode(p.ErrorCode); {
			case err == nil:
			case errors.Is(err, kerr.IllegalGeneration), errors.Is(err, kerr.UnknownMemberID),
				errors.Is(err, kerr.FencedInstanceID), errors.Is(err, kerr.RebalanceInProgress):
				return fmt.Errorf("commit offsets of partition %d: %w (%w)", p.Partition, ErrFenced, err)
			default:
				return fmt.Errorf("commit offsets of partition %d: %w", p.Partition, err)
			}
		}
	}
	if n != want { // an answer without the partition is no promise
		return fmt.Errorf("commit offsets: the broker answered for %d of %d partitions", n, want)
	}
	return nil
}

// Close leaves the group. Nothing is committed.
func (g *Group) Close() {
	g.turn.Unlock()
	g.cl.CloseAllowingRebalance()
}

// Starts reads where each partition of a topic begins: what is before was let go.
func Starts(ctx context.Context, o Options, topicName string) (map[int32]int64, error) {
	cl, err := kgo.NewClient(o.kgo()...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	defer cl.Close()
	listed, err := kadm.NewClient(cl).ListStartOffsets(ctx, topicName)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list where %s begins: %w", topicName, err)
	}
	out := map[int32]int64{}
	listed.Each(func(l kadm.ListedOffset) { out[l.Partition] = l.Offset })
	return out, nil
}

// ReadRange reads the records of one partition from an offset up to another,
// which is not included, undecoded.
func ReadRange(ctx context.Context, o Options, topicName string, partition int32, from, to int64) ([]Fetched, error) {
	cl, err := kgo.NewClient(o.kgo(kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(2<<20),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topicName: {partition: kgo.NewOffset().At(from)}}))...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	g := &Group{opts: GroupOptions{Topic: topicName, Undecoded: true}}
	var out []Fetched
	for next := from; next < to; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, fmt.Errorf("read %s/%d: %w", topicName, partition, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if next = r.Offset + 1; r.Offset < to {
				out = append(out, g.read(r))
			}
		})
		if fetches.NumRecords() == 0 { // what is left are a transaction's marks
			break
		}
	}
	return out, nil
}

// Committed reads a group's positions from outside; a group that never
// committed has none.
func Committed(ctx context.Context, o Options, group, topicName string) (map[int32]Position, error) {
	cl, err := kgo.NewClient(o.kgo()...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	defer cl.Close()
	resp, err := kadm.NewClient(cl).FetchOffsetsForTopics(ctx, group, topicName)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return map[int32]Position{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of group %s: %w", group, err)
	}
	out := map[int32]Position{}
	for p, r := range resp[topicName] {
		if r.Err != nil {
			return nil, fmt.Errorf("fetch offset of %s/%d: %w", topicName, p, r.Err)
		}
		out[p] = Position{Offset: r.At, Metadata: r.Metadata}
	}
	return out, nil
}
