package ingest

import (
	"fmt"
	"strings"

	"plumbline.dev/services/ingest/own"
	"plumbline.dev/services/internal/bus"
)

// Replay decodes a dead letter's bytes again, as the configuration now says:
// the events to write, and why some still cannot be. It writes nothing. The
// events have the ids they would have had, so doing it twice counts once.
func Replay(o Options, origin string, raw []byte) (events []bus.Message, rejected []string, err error) {
	if hook, ok := strings.CutPrefix(origin, "hook:"); ok {
		f, err := Examine(o, hook, raw)
		if err != nil || len(f.Messages) > 0 || len(f.Rejected) == 0 {
			return f.Messages, f.Rejected, err
		}
		// The letter may be one element of a body that has to be a list.
		f, err = Examine(o, hook, append(append([]byte("["), raw...), ']'))
		return f.Messages, f.Rejected, err
	}
	route, sender, ok := strings.Cut(strings.TrimPrefix(origin, "v1/"), ":")
	if !ok || !strings.HasPrefix(origin, "v1/") {
		return nil, nil, fmt.Errorf("letters of %s were not made by ingest", origin)
	}
	c := &capture{}
	o.Producer, o.Registerer, o.Quarantine = c, nil, nil
	s, err := New(o)
	if err != nil {
		return nil, nil, err
	}
	r, err := s.own.Decode(route, raw, own.Meta{Sender: sender, Now: s.o.Now()})
	if err != nil {
		return nil, []string{err.Error()}, nil
	}
	for _, x := range r.Bad {
		rejected = append(rejected, x.Reason)
	}
	b := s.batch(len(r.Items))
	defer b.release()
	for i := range r.Items {
		b.intake(r.Items[i].Key, r.Items[i].Event, s.o.Now())
	}
	return append(events, b.messages...), rejected, nil
}
