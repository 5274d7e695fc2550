package streamtest

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// records turns one statement into its records.
func (s *Scenario) records(number int, w []string) ([]stream.Record, error) {
	switch w[0] {
	case "tick":
		return s.ticks(w[1:])
	case "at":
		r, err := s.event(number, w[1:])
		return []stream.Record{r}, err
	}
	return nil, fmt.Errorf("%q is no statement: there are at, tick and set", w[0])
}

// ticks reads TIME [to TIME every SPAN] [on=N].
func (s *Scenario) ticks(w []string) ([]stream.Record, error) {
	only := -1
	if n := len(w); n > 0 && strings.HasPrefix(w[n-1], "on=") {
		var err error
		if only, err = s.partition(w[n-1][3:]); err != nil {
			return nil, err
		}
		w = w[:n-1]
	}
	if len(w) != 1 && (len(w) != 5 || w[1] != "to" || w[3] != "every") {
		return nil, fmt.Errorf("write tick TIME, or tick TIME to TIME every SPAN, each with on=N or without")
	}
	from, err := s.clock.parse(w[0])
	if err != nil {
		return nil, err
	}
	to, every := from, event.Time(1)
	if len(w) == 5 {
		if to, err = s.clock.parse(w[2]); err != nil {
			return nil, err
		}
		if every, err = span(w[4]); err != nil {
			return nil, err
		}
		if every == 0 || to < from || int64(to-from)/int64(every)*int64(s.partitions) > maxRecords {
			return nil, fmt.Errorf("ticks from %s to %s every %s are none or too many", w[0], w[2], w[4])
		}
	}
	var out []stream.Record
	for at := from; at <= to; at += every {
		for p := range s.partitions {
			if only < 0 || only == p {
				out = append(out, stream.Record{
					Topic: s.topic(), Partition: int32(p), Time: at, Event: &event.Tick{At: at},
				})
			}
		}
	}
	return out, nil
}

// statement is an event under construction.
type statement struct {
	s      *Scenario
	o      *options
	number int
	at     event.Time // when it happened
	came   event.Time // when it arrived
	args   []string
	of     *string // the integration, once asked for
}

// event reads TIME [late SPAN] VERB ARGS OPTIONS.
func (s *Scenario) event(number int, w []string) (stream.Record, error) {
	var r stream.Record
	if len(w) < 2 {
		return r, fmt.Errorf("write at TIME, then what happened: %s", strings.Join(sorted(verbs), ", "))
	}
	st := statement{s: s, number: number}
	var err error
	if st.at, err = s.clock.parse(w[0]); err != nil {
		return r, err
	}
	st.came, w = st.at, w[1:]
	if w[0] == "late" && len(w) > 2 {
		late, err := span(w[1])
		if err != nil {
			return r, err
		}
		st.came, w = st.at+late, w[2:]
	}
	verb, ok := verbs[w[0]]
	if !ok {
		return r, fmt.Errorf("%q is no event: there are %s", w[0], strings.Join(sorted(verbs), ", "))
	}
	if st.args, st.o, err = parseOptions(w[1:], s.clock); err != nil {
		return r, err
	}
	ev, key, err := verb(&st)
	if err != nil {
		return r, err
	}
	return st.record(ev, key)
}

// record adds what every event may say and refuses what nobody read.
func (st *statement) record(ev event.Event, key string) (stream.Record, error) {
	r := stream.Record{Topic: st.s.topic(), Time: st.came, Key: st.o.text("key", key), Event: ev}
	r.Partition = int32(partitionOf(r.Key, st.s.partitions))
	if on := st.o.text("on", ""); on != "" {
		p, err := st.s.partition(on)
		if err != nil {
			return r, err
		}
		r.Partition = int32(p)
	}
	if c := st.o.text("cause", ""); c != "" {
		cause, err := topic.ParseCause(c)
		if err != nil {
			return r, err
		}
		r.Cause = cause
	}
	if err := st.o.finish(); err != nil {
		return r, err
	}
	if err := ev.Validate(); err != nil {
		return r, err
	}
	return r, nil
}

func (s *Scenario) partition(text string) (int, error) {
	p, err := strconv.Atoi(text)
	if err != nil || p < 0 || p >= s.partitions {
		return 0, fmt.Errorf("on=%s: partitions are 0 to %d", text, s.partitions-1)
	}
	return p, nil
}

func partitionOf(key string, partitions int) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(partitions))
}
