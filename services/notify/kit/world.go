package kit

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"plumbline.dev/schemas/event"
)

// World is every alert as it now stands, by id.
type World struct {
	Alerts map[string]event.Alert
}

// NewWorld makes an empty one.
func NewWorld() *World { return &World{Alerts: map[string]event.Alert{}} }

// Apply takes a record of alert-states. It reports the alert and whether that
// is news: a repeat, or a change older than one seen, is none. A tombstone
// takes the alert away and reports the zero alert.
func (w *World) Apply(m kafka.Message) (event.Alert, bool, error) {
	if len(m.Value) == 0 {
		_, had := w.Alerts[string(m.Key)]
		delete(w.Alerts, string(m.Key))
		return event.Alert{}, had, nil
	}
	a, err := Decode(m)
	if err != nil {
		return a, false, err
	}
	if old, ok := w.Alerts[a.ID]; ok && old.Seq >= a.Seq {
		return a, false, nil
	}
	w.Alerts[a.ID] = a
	return a, true, nil
}

// Decode reads an alert. A type or schema this version does not know is an
// error: skip the record, and count it.
func Decode(m kafka.Message) (event.Alert, error) {
	var a event.Alert
	if _, err := a.UnmarshalMsg(m.Value); err != nil {
		return a, fmt.Errorf("record %d of %s partition %d is no alert: %w", m.Offset, m.Topic, m.Partition, err)
	}
	return a, nil
}

// Gaps finds missed changes by their numbers, tenant by tenant.
type Gaps struct{ last map[string]int64 }

// Next takes an alert of the alerts topic and returns how many changes are
// missing before it. A repeat is not missing anything.
func (g *Gaps) Next(a *event.Alert) int64 {
	if g.last == nil {
		g.last = map[string]int64{}
	}
	last, known := g.last[a.Tenant]
	if a.Seq <= last {
		return 0
	}
	g.last[a.Tenant] = a.Seq
	if !known {
		return 0 // retention let go of what was before
	}
	return a.Seq - last - 1
}

// Standing are the alerts that are not over, oldest first; watchdogs are none.
func (w *World) Standing() []event.Alert {
	var out []event.Alert
	for _, a := range w.Alerts {
		if a.Status != event.AlertResolved && a.Rule != event.RuleWatchdog {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b event.Alert) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Follow reads a topic into a world. Each is told of every change that is
// news, with what could not be read as an error; ended when the world is that
// of the moment it was asked.
func (s Source) Follow(ctx context.Context, topic string, w *World, each func(event.Alert, error), ended func()) error {
	return s.Read(ctx, topic, func(m kafka.Message) error {
		a, news, err := w.Apply(m)
		if err != nil || news {
			each(a, err)
		}
		return nil
	}, ended)
}
