package stream_test

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// tally is a fold whose every output tells all of its state: what is lost,
// doubled or out of order shows in the text of what follows.
type tally struct{}

type tallyState struct {
	n    uint64
	sum  uint64 // mixes every input and its stream time, in order
	when event.Time
}

func (tally) Step(ctx stream.Ctx, key string, s *tallyState, ev event.Event, out *stream.Out) {
	c := ev.(*event.Change)
	if c.Operation == event.OpDelete {
		out.Emit(topic.Deliveries, key, note("deleted", key, s, ctx))
		*s = tallyState{}
		return
	}
	s.n++
	s.sum = s.sum*31 + ctx.Version + uint64(ctx.Now)
	if c.Redelivery > 0 { // a test's way to say: wake me so many seconds later
		s.when = ctx.Now + event.Time(c.Redelivery)*event.Second
	}
	out.Emit(topic.Deliveries, key, note("step", key, s, ctx))
	if s.n%3 == 0 {
		out.Emit(topic.Failures, "third", note("third", key, s, ctx))
	}
}

func (tally) Timer(ctx stream.Ctx, key string, s *tallyState, out *stream.Out) {
	fired := s.when
	s.n, s.when = s.n+1, 0
	if s.n%2 == 0 {
		s.when = fired + 7*event.Second // may be due already: it fires within the same tick
	}
	out.Emit(topic.Deliveries, key, note("timer", key, s, ctx))
}

func note(what, key string, s *tallyState, ctx stream.Ctx) *event.Change {
	return &event.Change{ID: fmt.Sprintf("%s %s n=%d sum=%x when=%d now=%d v=%d",
		what, key, s.n, s.sum, s.when, ctx.Now, ctx.Version)}
}

func (s *tallyState) Due() event.Time { return s.when }
func (s *tallyState) Empty() bool     { return s.n == 0 }

func (s *tallyState) MarshalMsg(b []byte) ([]byte, error) {
	b = msgp.AppendUint64(b, s.n)
	b = msgp.AppendUint64(b, s.sum)
	return msgp.AppendUint64(b, uint64(s.when)), nil
}

func (s *tallyState) UnmarshalMsg(b []byte) ([]byte, error) {
	var when uint64
	for _, v := range []*uint64{&s.n, &s.sum, &when} {
		var err error
		if *v, b, err = msgp.ReadUint64Bytes(b); err != nil {
			return b, err
		}
	}
	s.when = event.Time(when)
	return b, nil
}

func newTally() *stream.Keyed[tallyState, *tallyState] {
	return stream.NewKeyed[tallyState, *tallyState](tally{})
}

// dump is all of an operator's state.
func dump(op stream.Operator) map[string]string {
	out := map[string]string{}
	for range 2 { // the first walk may be the rest of one under way
		done, err := op.Rewrite(1<<20, func(key string, value []byte) error {
			out[key] = string(value)
			return nil
		})
		if err != nil || !done {
			panic(fmt.Sprint("walk not finished: ", err))
		}
	}
	return out
}

func step(offset int64, key string) *stream.Record {
	return &stream.Record{
		Topic: topic.Facts, Offset: offset, Key: key,
		Event: &event.Change{Operation: event.OpUpdate},
	}
}

func wake(offset int64, key string, seconds int) *stream.Record {
	r := step(offset, key)
	r.Event.(*event.Change).Redelivery = seconds
	return r
}

func remove(offset int64, key string) *stream.Record {
	r := step(offset, key)
	r.Event.(*event.Change).Operation = event.OpDelete
	return r
}

func tick(offset int64, at event.Time) *stream.Record {
	return &stream.Record{Topic: topic.Facts, Offset: offset, Event: &event.Tick{At: at}}
}
