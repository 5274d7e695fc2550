package bus

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// leasePartition is whose owner holds the lease: every topic has it.
const leasePartition = 0

const (
	leasePoll = time.Second
	leaseWait = 5 * time.Second
)

// Lease lets one of several processes do what must not be done by all. It is
// a place in a consumer group: when its holder is gone, another one gets it.
// For a moment both may work, so what they do must bear being done twice.
func Lease(ctx context.Context, o Options, group, topicName string, hold func(context.Context) error) error {
	for ctx.Err() == nil {
		g, err := NewGroup(GroupOptions{
			Options: o, Group: group, Topic: topicName, Undecoded: true, Start: func(int32, Position) int64 { return -1 },
		})
		if err != nil {
			return err
		}
		g.Pause() // nobody reads here: membership is all there is to it
		err = holdWhileOwned(ctx, g, hold)
		g.Close()
		if err != nil && ctx.Err() == nil {
			o.log().Warn("a lease broke off", zap.String("group", group), zap.Error(err))
			select {
			case <-ctx.Done():
			case <-time.After(leaseWait):
			}
		}
	}
	return nil
}

// tenure is the time of one holder.
type tenure struct {
	stop context.CancelFunc
	done chan error
}

func begin(ctx context.Context, hold func(context.Context) error) *tenure {
	ctx, stop := context.WithCancel(ctx)
	t := &tenure{stop, make(chan error, 1)}
	go func() { t.done <- hold(ctx) }()
	return t
}

func (t *tenure) end() error {
	if t == nil {
		return nil
	}
	t.stop()
	return <-t.done
}

func holdWhileOwned(ctx context.Context, g *Group, hold func(context.Context) error) error {
	var now *tenure
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, leasePoll)
		p, err := g.Poll(wait, 1)
		cancel()
		if err != nil {
			return errors.Join(err, now.end())
		}
		for _, c := range p.Changes {
			switch {
			case c.Partition != leasePartition || c.Owned == (now != nil):
			case c.Owned:
				now = begin(ctx, hold)
			default:
				err := now.end()
				if now = nil; err != nil {
					return err
				}
			}
		}
		if now == nil {
			continue
		}
		select {
		case err := <-now.done: // it ended by itself
			now.stop()
			return err
		default:
		}
	}
	return now.end()
}

// Streams reads the last place of every stream.
func Streams(ctx context.Context, o Options, t Topics) (map[string]*event.Position, error) {
	log, err := NewChangelog(o)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	out := map[string]*event.Position{}
	for p := range t.Partitions[topic.Positions] {
		err := log.Read(ctx, topic.Positions, p, func(_ string, value []byte) error {
			e, err := event.Decode(event.TypePosition, value)
			if err != nil {
				return err
			}
			pos := e.(*event.Position)
			out[pos.Stream] = pos
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
