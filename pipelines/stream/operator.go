package stream

import (
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Ctx is what an operator may know beside the event.
type Ctx struct {
	Now       event.Time // stream time: the highest tick this partition has seen
	Version   uint64     // offset of the input, the version of whatever it changes
	Partition int32      // of the input
}

// Operator folds one partition's events in order.
type Operator interface {
	// Step folds one event. The event is the operator's to keep.
	Step(ctx Ctx, key string, ev event.Event, out *Out)
	// Tick says that stream time moved to ctx.Now: due timers fire.
	Tick(ctx Ctx, out *Out)
	State
}

// Emit receives one state entry; a nil value means the key is gone. Key and
// value are only valid during the call.
type Emit func(key string, value []byte) error

// State is an operator's memory, seen as keys and bytes.
type State interface {
	// Save emits what changed since the last Save.
	Save(emit Emit) error
	// Rewrite goes over up to n entries of a walk over all, and emits those that
	// were not saved since it began, so that the log before the walk's start
	// becomes superfluous. It reports true when the walk is complete; the next
	// call starts another.
	Rewrite(n int, emit Emit) (done bool, err error)
	// Load restores one entry; a nil value removes it. Key and value are part of
	// something larger: what is kept of them is copied.
	Load(key string, value []byte) error
}

// Record is one input, decoded.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Time      event.Time
	Key       string
	Event     event.Event
	Cause     topic.Cause // Topic is empty for what came from outside
}

// Output is one record to write. Its cause makes it recognisable however
// often the input is folded.
type Output struct {
	Topic string
	Key   string
	Time  event.Time
	Event event.Event
	Cause topic.Cause
}

// Out collects the outputs of one input. The slice is reused.
type Out struct {
	List  []Output
	cause topic.Cause
	time  event.Time
}

// Emit adds an output. The event must not be changed afterwards.
func (o *Out) Emit(topicName, key string, ev event.Event) {
	o.List = append(o.List, Output{Topic: topicName, Key: key, Time: o.time, Event: ev, Cause: o.cause})
	o.cause.N++
}

// Begin empties the list and names the input that the next outputs follow from.
func (o *Out) Begin(r *Record) {
	o.List = o.List[:0]
	o.cause = topic.Cause{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
	o.time = r.Time
}
