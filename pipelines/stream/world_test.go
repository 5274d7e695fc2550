package stream_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// outputPartitions is how many partitions a tear can tell apart.
const outputPartitions = 3

// parts of a transaction that show after a tear; any subset may.
type parts struct {
	State, Offset bool
	Outputs       [outputPartitions]bool
}

var (
	all  = parts{State: true, Offset: true, Outputs: [outputPartitions]bool{true, true, true}}
	none = parts{}
)

// move is what happens next: so many inputs are folded, then the transaction
// ends well, or the process dies and only some parts of it show.
type move struct {
	Inputs int
	Dies   bool
	Shows  parts
	Trims  bool // the log is trimmed where that is allowed
}

// story is one random run: inputs with gaps between offsets, then moves.
type story struct {
	Inputs []*stream.Record
	Moves  []move
}

// GoString lets a person read a counterexample.
func (s story) GoString() string {
	var b strings.Builder
	for _, r := range s.Inputs {
		fmt.Fprintf(&b, "\n%3d %q %+v cause=%s", r.Offset, r.Key, r.Event, r.Cause)
	}
	for _, m := range s.Moves {
		fmt.Fprintf(&b, "\n%+v", m)
	}
	return b.String()
}

// breaks switches one protection off each.
type breaks struct{ trustLast, acceptRepeats, trimEarly bool }

// world is a broker as restoring sees it.
type world struct {
	breaks  breaks
	inputs  []*stream.Record
	outputs [outputPartitions][]stream.Output

	log      []entry
	logStart int
	offset   int64 // committed, -1 = none
	prev     int64

	task                           *stream.Task
	op                             *stream.Keyed[tallyState, *tallyState]
	walkStart, trimNext, trimReady int
}

type entry struct {
	key   string
	value []byte
}

func newWorld(inputs []*stream.Record, b breaks) *world {
	return &world{breaks: b, inputs: inputs, offset: -1, prev: -1}
}

// restart forgets the process and restores another from the broker.
func (w *world) restart() error {
	w.op = newTally()
	w.task = stream.NewTask(w.op, w.inputs[0].Offset)
	w.task.LogFloor = 0
	w.walkStart, w.trimNext, w.trimReady = -1, -1, -1
	r := stream.NewRestore(w.task)
	r.TrustLast = w.breaks.trustLast
	for _, e := range w.log[w.logStart:] {
		if err := r.Add(e.key, e.value); err != nil {
			return err
		}
	}
	return r.Finish(w.offset, w.prev)
}

// rest are the inputs not folded yet.
func (w *world) rest() []*stream.Record {
	i, _ := slices.BinarySearchFunc(w.inputs, w.task.Next(), func(r *stream.Record, next int64) int {
		return int(r.Offset - next)
	})
	return w.inputs[i:]
}

func (w *world) play(m move) error {
	batch := w.rest()
	batch = batch[:min(m.Inputs, len(batch))]
	if len(batch) == 0 {
		if m.Dies {
			return w.restart()
		}
		return nil
	}
	var written []stream.Output
	var out stream.Out
	for _, r := range batch {
		w.task.Process(r, &out)
		written = append(written, out.List...)
	}
	prev := w.task.Prev()
	first := len(w.log)
	var state []entry
	walk, err := w.task.Save(func(key string, value []byte) error {
		state = append(state, entry{key, slices.Clone(value)})
		return nil
	})
	if err != nil {
		return err
	}
	shows := all
	if m.Dies {
		shows = m.Shows
	}
	w.append(shows, written, state, prev)
	if m.Dies {
		return w.restart()
	}
	w.trim(m, walk, first)
	return nil
}

func (w *world) append(shows parts, written []stream.Output, state []entry, prev int64) {
	for _, o := range written {
		if p := partitionOf(o.Key); shows.Outputs[p] {
			w.outputs[p] = append(w.outputs[p], o)
		}
	}
	if shows.State {
		w.log = append(w.log, state...)
	}
	if shows.Offset {
		w.offset, w.prev = w.task.Next(), prev
	}
}

// trim does what services/process does: the log before a finished walk's
// start goes, one commit after the walk was done.
func (w *world) trim(m move, walk stream.Walk, first int) {
	if walk.Started {
		w.walkStart = first
	}
	w.trimReady = max(w.trimReady, w.trimNext)
	if walk.Done {
		w.trimNext = w.walkStart
		if w.breaks.trimEarly {
			w.trimReady = w.trimNext
		}
	}
	if m.Trims && w.trimReady > w.logStart {
		w.logStart = w.trimReady
	}
}

func partitionOf(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % outputPartitions)
}

// run plays a story and reports how its outcome differs from that of an
// uninterrupted run, as consumers that drop repeats see it.
func (s story) run(b breaks) error {
	calm := newWorld(s.Inputs, breaks{})
	if err := errors.Join(calm.restart(), calm.play(move{Inputs: len(s.Inputs)})); err != nil {
		return fmt.Errorf("uninterrupted: %w", err)
	}
	w := newWorld(s.Inputs, b)
	if err := w.restart(); err != nil {
		return err
	}
	for i, m := range append(s.Moves, move{Inputs: len(s.Inputs)}) {
		if err := w.play(m); err != nil {
			return fmt.Errorf("move %d: %w", i, err)
		}
	}
	for p := range outputPartitions {
		if want, got := consume(calm.outputs[p], false), consume(w.outputs[p], b.acceptRepeats); !slices.Equal(want, got) {
			return fmt.Errorf("output partition %d:\n got %q\nwant %q", p, got, want)
		}
	}
	if want, got := dump(calm.op), dump(w.op); !maps.Equal(want, got) {
		return fmt.Errorf("state:\n got %q\nwant %q", got, want)
	}
	if w.task.Next() != calm.task.Next() || w.task.Now() != calm.task.Now() {
		return fmt.Errorf("position %d at %s, want %d at %s", w.task.Next(), w.task.Now(), calm.task.Next(), calm.task.Now())
	}
	return nil
}

// consume reads an output partition with a Task, whose cause check is what is
// under test, and returns what got through.
func consume(outputs []stream.Output, acceptRepeats bool) []string {
	op := &recorder{}
	t := stream.NewTask(op, 0)
	t.AcceptRepeats = acceptRepeats
	var out stream.Out
	for i, o := range outputs {
		t.Process(&stream.Record{
			Topic: topic.Deliveries, Offset: int64(i), Key: o.Key, Event: o.Event, Cause: o.Cause,
		}, &out)
	}
	return op.got
}

// recorder is an operator that only remembers what it was shown.
type recorder struct{ got []string }

func (r *recorder) Step(_ stream.Ctx, _ string, ev event.Event, _ *stream.Out) {
	r.got = append(r.got, ev.(*event.Change).ID)
}
func (r *recorder) Tick(stream.Ctx, *stream.Out)                  {}
func (r *recorder) Save(stream.Emit) error                        { return nil }
func (r *recorder) Rewrite(int, stream.Emit) (done bool, _ error) { return true, nil }
func (r *recorder) Load(string, []byte) error                     { return nil }

// stories draws inputs and moves.
func stories() *rapid.Generator[story] {
	return rapid.Custom(func(t *rapid.T) story {
		var s story
		offset, now := rapid.Int64Range(0, 5).Draw(t, "first"), event.Time(0)
		for range rapid.IntRange(1, 40).Draw(t, "inputs") {
			key := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "key")
			r := step(offset, key)
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0, 1, 2:
				now += event.Time(rapid.IntRange(0, 10).Draw(t, "later")) * event.Second
				r = tick(offset, now)
			case 3, 4:
				r = wake(offset, key, rapid.IntRange(1, 9).Draw(t, "wake"))
			case 5:
				r = remove(offset, key)
			}
			if r.Key != "" && rapid.IntRange(0, 2).Draw(t, "caused") == 0 {
				// The upstream stage died too: causes may repeat.
				r.Cause = topic.Cause{
					Topic: topic.Intake, Partition: rapid.Int32Range(0, 1).Draw(t, "from"),
					Offset: rapid.Int64Range(0, offset).Draw(t, "cause"), N: rapid.Int32Range(0, 1).Draw(t, "n"),
				}
			}
			s.Inputs = append(s.Inputs, r)
			offset += rapid.Int64Range(1, 3).Draw(t, "gap") // transaction markers take offsets
		}
		for range rapid.IntRange(0, 14).Draw(t, "moves") {
			m := move{
				Inputs: rapid.IntRange(1, 6).Draw(t, "batch"),
				Dies:   rapid.IntRange(0, 2).Draw(t, "dies") == 0,
				Trims:  rapid.Bool().Draw(t, "trims"),
			}
			m.Shows = parts{State: rapid.Bool().Draw(t, "state"), Offset: rapid.Bool().Draw(t, "offset")}
			for p := range outputPartitions {
				m.Shows.Outputs[p] = rapid.Bool().Draw(t, "output")
			}
			s.Moves = append(s.Moves, m)
		}
		return s
	})
}
