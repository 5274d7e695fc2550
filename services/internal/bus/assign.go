package bus

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const prevPrefix = "prev="

func formatPrev(offset int64) string { return prevPrefix + strconv.FormatInt(offset, 10) }

func parsePrev(metadata *string) int64 {
	if metadata == nil {
		return -1
	}
	text, ok := strings.CutPrefix(*metadata, prevPrefix)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return -1
	}
	return n
}

// offsetsFetched keeps the metadata that assign, called next, is not shown.
func (s *Session) offsetsFetched(_ context.Context, _ *kgo.Client, resp *kmsg.OffsetFetchResponse) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := func(partition int32, offset int64, metadata *string) {
		s.committed[partition] = Assignment{Partition: partition, Committed: offset, Prev: parsePrev(metadata)}
	}
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				keep(p.Partition, p.Offset, p.Metadata)
			}
		}
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			keep(p.Partition, p.Offset, p.Metadata)
		}
	}
	return nil
}

// assign tells where each new partition goes on, which may be before the
// committed offset, and has its task restored. Until that is done it is not read.
func (s *Session) assign(
	ctx context.Context, offsets map[string]map[int32]kgo.Offset,
) (map[string]map[int32]kgo.Offset, error) {
	// A transaction of ours that died with us hides what it wrote until it is
	// aborted; asking for a producer id does that.
	if _, _, err := s.gs.Client().ProducerID(ctx); err != nil {
		return nil, fmt.Errorf("fence the transactions of an earlier run: %w", err)
	}
	for partition := range offsets[s.cfg.Input] {
		s.mu.Lock()
		a, ok := s.committed[partition]
		s.mu.Unlock()
		if !ok {
			a = Assignment{Partition: partition, Committed: -1, Prev: -1}
		}
		next, err := s.cfg.Resume(ctx, a)
		if err != nil {
			err = fmt.Errorf("resume %s partition %d: %w", s.cfg.Group, partition, err)
			if ctx.Err() == nil {
				s.stop(err)
			}
			return nil, err
		}
		offsets[s.cfg.Input][partition] = kgo.NewOffset().At(next)
		s.restore(a, next)
	}
	return offsets, nil
}

// restore rebuilds a task beside everything else.
func (s *Session) restore(a Assignment, next int64) {
	one := map[string][]int32{s.cfg.Input: {a.Partition}}
	s.gs.Client().PauseFetchPartitions(one)
	ctx, cancel := context.WithCancel(s.life)
	s.mu.Lock()
	s.restoring[a.Partition] = cancel
	s.mu.Unlock()
	s.restores.Go(func() {
		defer cancel()
		err := s.cfg.Restore(ctx, a, next)
		switch {
		case ctx.Err() != nil: // taken away meanwhile, or closing
		case err != nil:
			s.stop(fmt.Errorf("restore %s partition %d: %w", s.cfg.Group, a.Partition, err))
		default:
			s.gs.Client().ResumeFetchPartitions(one)
		}
	})
}

// revoked lets go of partitions that go to another member. With none it says
// that the member is about to join again.
func (s *Session) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	if len(gone) == 0 {
		s.joining.begin()
	}
	for _, partition := range gone[s.cfg.Input] {
		s.mu.Lock()
		s.moved = true
		if cancel := s.restoring[partition]; cancel != nil {
			cancel()
			delete(s.restoring, partition)
		}
		s.mu.Unlock()
		s.cfg.Revoked(partition)
	}
}

// lost says that the group gave this member up: others may write by now.
func (s *Session) lost(context.Context, *kgo.Client, map[string][]int32) {
	s.stop(fmt.Errorf("%w: the group gave this member up", ErrAborted))
}
