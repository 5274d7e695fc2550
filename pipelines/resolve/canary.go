package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Canary is when a record that somebody changes on a schedule was last heard
// of. Only the partition that its events come to has one.
type Canary struct {
	Last   int64 `msg:"l"`           // milliseconds
	Missed int64 `msg:"m,omitempty"` // the Last after which it was missed, 0 = it is not

	dirty bool `msg:"-"`
}

const canaryPrefix = "canary/"

// canaryOf is what the configuration says of one.
type canaryOf struct {
	key, integration string
	at               *config.Endpoint
}

func canariesOf(integrations []config.Integration) (out []canaryOf) {
	for i := range integrations {
		in := &integrations[i]
		for side, at := range map[string]*config.Endpoint{event.Source: &in.Source, event.Target: &in.Target} {
			if at.Canary != nil {
				out = append(out, canaryOf{in.ID + "/" + side, in.ID, at})
			}
		}
	}
	slices.SortFunc(out, func(a, b canaryOf) int { return strings.Compare(a.key, b.key) })
	return out
}

func (c *canaryOf) is(e *event.Change) bool {
	at := c.at
	return e.RecordID == at.Canary.Record && e.Object == at.Canary.Object && e.System == at.System && (at.Account == "" || at.Account == e.Account)
}

// sang takes down that a canary was heard, by whatever way.
func (op *Operator) sang(e *event.Change, out *stream.Out) {
	for i := range op.canaryOf {
		of := &op.canaryOf[i]
		if !of.is(e) {
			continue
		}
		c := op.canaries[of.key]
		if c == nil {
			c = &Canary{}
			op.canaries[of.key] = c
		}
		c.dirty = true
		if c.Missed != 0 {
			op.canary(of, event.Time(c.Missed), e.ReceivedAt, "is heard of again", out)
			c.Missed = 0
		}
		c.Last = max(c.Last, int64(e.ReceivedAt))
	}
}

// missCanaries looks, once a minute, for those that should have been heard: a
// source that stalled in a quiet night is seen by it, and by nothing else.
func (op *Operator) missCanaries(now event.Time, out *stream.Out) {
	for i := range op.canaryOf {
		of := &op.canaryOf[i]
		c := op.canaries[of.key]
		every := event.Time(time.Duration(of.at.Canary.Every).Milliseconds())
		if c == nil || c.Missed != 0 || now < event.Time(c.Last)+2*every {
			continue
		}
		c.Missed, c.dirty = c.Last, true
		op.canary(of, event.Time(c.Last), 0,
			fmt.Sprintf("was not heard of for %s, and should change every %s", span(now-event.Time(c.Last)), span(every)), out)
	}
}

func (op *Operator) canary(of *canaryOf, since, until event.Time, what string, out *stream.Out) {
	op.signal(&event.Signal{
		ID: event.Hash("signal", event.SignalSourceQuiet, "canary", of.key, since.String()), Kind: event.SignalSourceQuiet,
		Integration: of.integration, System: of.at.System, StartedAt: since, EndedAt: until, ReceivedAt: max(since, until),
		Summary: of.at.System + ": canary " + of.at.Canary.Object + " " + of.at.Canary.Record + " " + what,
	}, out)
}

// saveCanaries emits those that changed, or all.
func (op *Operator) saveCanaries(all bool, emit stream.Emit) error {
	for i := range op.canaryOf {
		key := op.canaryOf[i].key
		c := op.canaries[key]
		if c == nil || !all && !c.dirty {
			continue
		}
		c.dirty = false
		b, err := c.MarshalMsg(nil)
		if err != nil {
			return err
		}
		if err := emit(canaryPrefix+key, b); err != nil {
			return err
		}
	}
	return nil
}

func (op *Operator) loadCanary(key string, value []byte) error {
	delete(op.canaries, key)
	if value == nil {
		return nil
	}
	c := &Canary{}
	_, err := c.UnmarshalMsg(value)
	op.canaries[strings.Clone(key)] = c
	return err
}
