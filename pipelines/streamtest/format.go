package streamtest

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// heads are the fields whose values alone follow the type; home is the topic
// that needs no saying.
var (
	heads = map[event.Type][]string{
		event.TypeDelivery: {"change_id", "state"}, event.TypeDivergence: {"kind", "state"},
		event.TypeFailure: {"attempt_id", "verdict.class"}, event.TypeLink: {"source_id", "target_id"},
		event.TypeChange: {"id", "op"}, event.TypeAttempt: {"id", "outcome"}, event.TypeObservation: {"id", "record_id"},
		event.TypeSignal: {"kind"}, event.TypePartial: {"second"}, event.TypeDeadLetter: {"reason"},
	}
	home = map[event.Type]string{
		event.TypeDelivery: topic.Deliveries, event.TypeDivergence: topic.Divergences, event.TypeFailure: topic.Failures,
		event.TypeLink: topic.Intake, event.TypeChange: topic.Facts, event.TypeAttempt: topic.Facts,
		event.TypeObservation: topic.Facts, event.TypeSignal: topic.Signals, event.TypePartial: topic.Partials,
		event.TypeDeadLetter: topic.DeadLetters,
	}
	// Not shown: the same everywhere, or computed from what is shown.
	hidden = []string{"tenant", "integration", "version", "verdict.version", "side", "account", "hook"}
	hashed = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// Format shows an output as one line: time, type, what matters most, then
// every other field that is set, in the order of the message's struct.
func (s *Scenario) Format(o stream.Output) string {
	var all []pair
	s.fields(reflect.ValueOf(o.Event).Elem(), "", &all)
	typ := o.Event.EventType()
	name := string(typ)
	if o.Topic != home[typ] {
		name = strings.TrimPrefix(o.Topic, topic.Prefix) + ":" + name
	}
	line := []string{s.clock.show(o.Time), name}
	for _, head := range heads[typ] {
		v := "-"
		if i := slices.IndexFunc(all, func(p pair) bool { return p.name == head }); i >= 0 {
			v = all[i].value
		}
		line = append(line, v)
	}
	for _, p := range all {
		if !slices.Contains(heads[typ], p.name) && !slices.Contains(hidden, p.name) && !hashed.MatchString(p.value) {
			line = append(line, p.name+"="+p.value)
		}
	}
	return strings.Join(line, " ")
}

type pair struct{ name, value string }

func (s *Scenario) fields(v reflect.Value, prefix string, out *[]pair) {
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("msg"), ",")
		name := prefix + tag
		if name == "object" && f.String() == s.Settings["object"] {
			continue
		}
		switch x := f.Interface().(type) {
		case event.Time:
			*out = append(*out, pair{name, s.clock.show(x)})
		case event.Actor:
			*out = append(*out, pair{name, quote(strings.TrimRight(x.Kind+":"+x.ID+":"+x.Run, ":"))})
		case event.Value:
			*out = append(*out, pair{name, value(x)})
		case []event.Field:
			for _, field := range x {
				*out = append(*out, pair{"." + field.Name, value(field.Value)})
			}
		case event.Verdict:
			s.fields(f, name+".", out)
		case *event.Verdict:
			s.fields(f.Elem(), name+".", out)
		case []string:
			*out = append(*out, pair{name, quote(strings.Join(x, ","))})
		case bool:
			*out = append(*out, pair{name, "yes"})
		default:
			*out = append(*out, pair{name, quote(fmt.Sprint(x))})
		}
	}
}

func value(v event.Value) string {
	if v.Kind == event.KindText {
		return quote(v.Show())
	}
	return v.Kind + ":" + quote(v.Show())
}
