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
		event.TypeCheck: {"record_key", "reason"}, event.TypeClick: {"kind", "subject"},
		event.TypeVerdict:  {"class", "attribution", "recoverability"},
		event.TypeActivity: {"actor"}, event.TypeAgentState: {"agent", "state"},
	}
	home = map[event.Type]string{
		event.TypeDelivery: topic.Deliveries, event.TypeDivergence: topic.Divergences, event.TypeFailure: topic.Failures,
		event.TypeLink: topic.Intake, event.TypeChange: topic.Facts, event.TypeAttempt: topic.Facts,
		event.TypeObservation: topic.Facts, event.TypeSignal: topic.Signals, event.TypePartial: topic.Partials,
		event.TypeDeadLetter: topic.DeadLetters, event.TypeCheck: topic.Checks, event.TypeClick: topic.Facts,
		event.TypeVerdict:  topic.Verdicts,
		event.TypeActivity: topic.Partials, event.TypeAgentState: topic.AgentStates,
	}
	// Not shown: the same everywhere, or computed from what is shown.
	hidden = []string{"tenant", "integration", "version", "verdict.version", "side", "account", "hook", "was", "was_attempts", "was_acked"}
	advice = []string{"verdict.likely_cause", "verdict.first_step", "verdict.fingerprint", "verdict.confidence", "verdict.evidence"}
	hashed = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// Format shows an output as one line: time, type, what matters most, then
// every other field that is set, in the order of the message's struct. A hash
// is left out, unless it is the delivery of one of the scenario's changes.
func (s *Scenario) Format(o stream.Output) string {
	return s.line(o, s.pairs(o.Event))
}

// Changes is Format, but of a delivery or divergence that came out before it
// shows only the fields that differ from then; -name is a field that is not set
// any more. What a failure's class alone decides is left out.
func (s *Scenario) Changes(o stream.Output) string {
	id := ""
	switch e := o.Event.(type) {
	case *event.Delivery:
		id = e.ID
	case *event.Divergence:
		id = e.ID
	}
	all := slices.DeleteFunc(s.pairs(o.Event), func(p pair) bool {
		return p.name == "updated_at" && p.value == s.clock.show(o.Time) || slices.Contains(advice, p.name)
	})
	if id == "" {
		return s.line(o, all)
	}
	if s.shown == nil {
		s.shown = map[string][]pair{}
	}
	before := s.shown[id]
	s.shown[id] = all
	return s.line(o, differing(heads[o.Event.EventType()], before, all))
}

// differing keeps heads, and what is not as it was.
func differing(heads []string, before, now []pair) []pair {
	var out []pair
	for _, p := range now {
		if slices.Contains(heads, p.name) || !slices.Contains(before, p) {
			out = append(out, p)
		}
	}
	for _, p := range before {
		if p.name != "updated_at" && !slices.ContainsFunc(now, func(q pair) bool { return q.name == p.name }) {
			out = append(out, pair{"-" + p.name, ""})
		}
	}
	return out
}

// name is the change whose delivery a hash stands for, "" if none.
func (s *Scenario) name(hash string) string {
	if s.names == nil {
		s.names = map[string]string{}
		for _, section := range s.Sections {
			for _, line := range section.Lines {
				for _, r := range line.Records {
					if c, ok := r.Event.(*event.Change); ok {
						s.names[event.DeliveryID(c.Integration, c.Object, c.RecordKey, c.ID)] = c.ID
					}
				}
			}
		}
	}
	return s.names[hash]
}

func (s *Scenario) pairs(e event.Event) []pair {
	var all []pair
	s.fields(reflect.ValueOf(e).Elem(), "", &all)
	return slices.DeleteFunc(all, func(p pair) bool { return slices.Contains(hidden, p.name) || hashed.MatchString(p.value) })
}

func (s *Scenario) line(o stream.Output, all []pair) string {
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
		switch {
		case slices.Contains(heads[typ], p.name):
		case p.value == "":
			line = append(line, p.name)
		default:
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
		case string:
			if of := s.name(x); of != "" && name != "id" {
				x = of
			}
			*out = append(*out, pair{name, quote(x)})
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
