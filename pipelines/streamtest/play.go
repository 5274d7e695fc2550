package streamtest

import (
	"bytes"
	"fmt"
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// style is how the log is cut into transactions while a scenario is played.
// None of them may show in the outputs.
type style int

const (
	neverSaved  style = iota // one long transaction
	savedOften               // a transaction for each record
	killedOften              // one for each line, and after each the process dies: it is folded again
)

// played is what came out of one line.
type played struct {
	outputs []stream.Output
	bytes   [][]byte // of each output, with topic, key, time and cause
}

// cell is one input partition.
type cell struct {
	task *stream.Task
	log  []entry
	next int64
}

type entry struct {
	key   string
	value []byte
}

type player struct {
	newOp func() stream.Operator
	style style
	cells []cell
}

// play runs all lines, in the file's order, and returns what came out of each.
func (s *Scenario) play(newOp func() stream.Operator, how style) ([]played, error) {
	p := player{newOp: newOp, style: how, cells: make([]cell, s.partitions)}
	for i := range p.cells {
		p.cells[i].task = stream.NewTask(newOp(), 0)
	}
	var all []played
	for _, section := range s.Sections {
		for _, line := range section.Lines {
			out, err := p.line(line)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", s.Name, line.Number, err)
			}
			all = append(all, out)
		}
	}
	return all, unchanged(all)
}

func (p *player) line(line Line) (played, error) {
	records := p.place(line.Records)
	out, err := p.fold(records)
	if err != nil || p.style != killedOften {
		return out, err
	}
	again, err := p.dieAndFoldAgain(records)
	if err != nil {
		return out, err
	}
	if !slices.EqualFunc(out.bytes, again.bytes, bytes.Equal) {
		return out, fmt.Errorf("killed and restored, the line gives other outputs: first\n%s\nthen\n%s",
			raw(out.outputs), raw(again.outputs))
	}
	return again, nil
}

// place gives each record its offset.
func (p *player) place(records []stream.Record) []stream.Record {
	out := slices.Clone(records)
	for i := range out {
		c := &p.cells[out[i].Partition]
		out[i].Offset = c.next
		c.next++
	}
	return out
}

func (p *player) fold(records []stream.Record) (played, error) {
	var line played
	var out stream.Out
	for i := range records {
		r := records[i]
		fresh, err := clone(r.Event) // an operator may keep and change what it is given
		if err != nil {
			return line, err
		}
		r.Event = fresh
		c := &p.cells[r.Partition]
		c.task.Process(&r, &out)
		for _, o := range out.List {
			b, err := encode(o)
			if err != nil {
				return line, err
			}
			line.outputs, line.bytes = append(line.outputs, o), append(line.bytes, b)
		}
		if p.style == savedOften {
			if err := c.save(); err != nil {
				return line, err
			}
		}
	}
	return line, nil
}

// dieAndFoldAgain saves, loses every process, restores (which doubts the last
// transaction) and folds the line again.
func (p *player) dieAndFoldAgain(records []stream.Record) (played, error) {
	touched := map[int32]bool{}
	for _, r := range records {
		touched[r.Partition] = true
	}
	for partition := range touched {
		c := &p.cells[partition]
		prev := c.task.Prev()
		if err := c.save(); err != nil {
			return played{}, err
		}
		c.task = stream.NewTask(p.newOp(), 0)
		restore := stream.NewRestore(c.task)
		for _, e := range c.log {
			if err := restore.Add(e.key, e.value); err != nil {
				return played{}, err
			}
		}
		if err := restore.Finish(c.next, prev); err != nil {
			return played{}, err
		}
	}
	out, err := p.fold(records)
	if err != nil {
		return out, err
	}
	for partition := range touched {
		if err := p.cells[partition].save(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (c *cell) save() error {
	_, err := c.task.Save(func(key string, value []byte) error {
		c.log = append(c.log, entry{key, slices.Clone(value)})
		return nil
	})
	return err
}

func clone(e event.Event) (event.Event, error) {
	b, err := event.Encode(nil, e)
	if err != nil {
		return nil, err
	}
	return event.Decode(e.EventType(), b)
}

// encode is everything of an output that a broker would hold.
func encode(o stream.Output) ([]byte, error) {
	b := fmt.Appendf(nil, "%s %q %d %s %s ", o.Topic, o.Key, o.Time, o.Cause, o.Event.EventType())
	return event.Encode(b, o.Event)
}

// unchanged refuses operators that changed an event after they emitted it:
// with Kafka its bytes would be gone already, or half written.
func unchanged(all []played) error {
	for _, line := range all {
		for i, o := range line.outputs {
			b, err := encode(o)
			if err != nil {
				return err
			}
			if !bytes.Equal(b, line.bytes[i]) {
				return fmt.Errorf("an output was changed after it was emitted: first %q, then %q", line.bytes[i], b)
			}
		}
	}
	return nil
}

func raw(outputs []stream.Output) string {
	var b bytes.Buffer
	for _, o := range outputs {
		if text, err := event.Encode(nil, o.Event); err == nil && len(text) > 0 && text[0] == '{' { // JSON already
			fmt.Fprintf(&b, "  %s %s %s %s\n", o.Topic, o.Key, o.Cause, text)
			continue
		}
		fmt.Fprintf(&b, "  %s %s %s %+v\n", o.Topic, o.Key, o.Cause, o.Event)
	}
	return b.String()
}
