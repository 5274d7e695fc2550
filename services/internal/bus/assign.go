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

// assign restores the tasks of new partitions and starts each where its state
// stands, which may be before the committed offset.
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
		next, err := s.cfg.Restore(ctx, a)
		if err != nil {
			err = fmt.Errorf("restore %s partition %d: %w", s.cfg.Group, partition, err)
			if ctx.Err() == nil {
				s.stop(err)
			}
			return nil, err
		}
		offsets[s.cfg.Input][partition] = kgo.NewOffset().At(next)
	}
	return offsets, nil
}
