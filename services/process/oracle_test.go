package process

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tinylib/msgp/msgp"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// The oracle folds the logs again, in memory and undisturbed, and holds what
// it gets against what the killed processors wrote: for every partition of an
// output topic, and every upstream partition, the very same bytes in the very
// same order, each once after dropping seen causes.

// lane is one upstream partition's share of one output partition, by key:
// keys decide the output partition, so comparing by key compares both.
type lane struct {
	topic, key string
	upstream   int32
}

type written struct {
	cause topic.Cause
	bytes []byte
}

type lanes map[lane][]written

func (ls lanes) add(topicName, key string, cause topic.Cause, ev event.Event) error {
	b, err := event.Encode(nil, ev)
	if err != nil {
		return err
	}
	l := lane{topicName, key, cause.Partition}
	ls[l] = append(ls[l], written{cause, b})
	return nil
}

// checkStage compares one stage's outputs. It returns the number of outputs
// compared, and an error for the first difference.
func checkStage(ctx context.Context, log *bus.Changelog, topics bus.Topics, s Stage) (int, error) {
	want, outputs := lanes{}, map[string]bool{}
	for p := range topics.Partitions[s.Input] {
		first, err := log.Start(ctx, s.Input, p)
		if err != nil {
			return 0, err
		}
		task, out := stream.NewTask(s.Operator(), first), stream.Out{}
		err = log.Records(ctx, s.Input, p, func(r stream.Record) error {
			task.Process(&r, &out)
			for _, o := range out.List {
				outputs[o.Topic] = true
				if err := want.add(o.Topic, o.Key, o.Cause, o.Event); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	got := lanes{}
	for name := range outputs {
		if err := readLanes(ctx, log, topics, name, s.Input, got); err != nil {
			return 0, err
		}
	}
	return compare(want, got)
}

// readLanes reads a topic as a consumer does: highest cause seen per upstream
// partition, whatever is not above it dropped.
func readLanes(ctx context.Context, log *bus.Changelog, topics bus.Topics, name, upstream string, got lanes) error {
	for p := range topics.Partitions[name] {
		seen := map[int32]topic.Cause{}
		err := log.Records(ctx, name, p, func(r stream.Record) error {
			if r.Cause.Topic != upstream {
				return nil
			}
			last, ok := seen[r.Cause.Partition]
			if ok && !r.Cause.After(last) {
				return nil
			}
			seen[r.Cause.Partition] = r.Cause
			return got.add(name, r.Key, r.Cause, r.Event)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func compare(want, got lanes) (int, error) {
	n := 0
	for l, w := range want {
		g := got[l]
		for i := range w {
			if i >= len(g) {
				return n, fmt.Errorf("lost: %s key %s: output %s is missing (%d of %d there)", l.topic, l.key, w[i].cause, len(g), len(w))
			}
			if w[i].cause != g[i].cause || !bytes.Equal(w[i].bytes, g[i].bytes) {
				return n, fmt.Errorf("differs: %s key %s: want %s %s, got %s %s", l.topic, l.key, w[i].cause, readable(w[i].bytes), g[i].cause, readable(g[i].bytes))
			}
			n++
		}
		if len(g) > len(w) {
			return n, fmt.Errorf("invented: %s key %s: %s", l.topic, l.key, g[len(w)].cause)
		}
	}
	for l, g := range got {
		if len(want[l]) == 0 {
			return n, fmt.Errorf("invented: %s key %s: %s", l.topic, l.key, g[0].cause)
		}
	}
	return n, nil
}

// readable shows an event's bytes, field by field.
func readable(b []byte) string {
	var s strings.Builder
	if _, err := msgp.UnmarshalAsJSON(&s, b); err != nil {
		return fmt.Sprintf("%x", b)
	}
	return s.String()
}

// checkAccepted holds facts against the ids the log acknowledged: each source
// change once per integration, nothing that was never sent.
func checkAccepted(ctx context.Context, log *bus.Changelog, topics bus.Topics, l *load) error {
	got := lanes{}
	if err := readLanes(ctx, log, topics, topic.Facts, topic.Intake, got); err != nil {
		return err
	}
	count := map[string]int{}
	for _, ws := range got {
		for _, w := range ws {
			c := new(event.Change)
			if _, err := c.UnmarshalMsg(w.bytes); err == nil && c.Side == event.Source {
				count[c.ID+"/"+c.Integration]++
			}
		}
	}
	for id := range l.accepted {
		if id[0] != 'c' {
			continue
		}
		for _, in := range []string{"hs-sf", "hs-wh"} {
			if n := count[id+"/"+in]; n != 1 {
				return fmt.Errorf("accepted change %s is there %d times for %s", id, n, in)
			}
			delete(count, id+"/"+in)
		}
	}
	for k, n := range count {
		id, _, _ := bytes.Cut([]byte(k), []byte("/"))
		if !l.unknown[string(id)] || n != 1 {
			return fmt.Errorf("change %s is there %d times and was never accepted", k, n)
		}
	}
	return nil
}

// position is how far the groups are: equal ends twice in a row means rest.
func ends(ctx context.Context, log *bus.Changelog, topics bus.Topics) ([]int64, error) {
	var out []int64
	for _, name := range []string{topic.Intake, topic.Facts, topic.Deliveries, topic.ResolveState, topic.TrackState} {
		for p := range topics.Partitions[name] {
			end, err := log.End(ctx, name, p)
			if err != nil {
				return nil, err
			}
			out = append(out, end)
		}
	}
	return slices.Clip(out), nil
}
