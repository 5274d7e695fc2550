package resolve

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// Rhythm is what a partition knows of how one source sends. A source that goes
// quiet, one that is behind and one that loses events look alike on a chart
// that shows nothing; they are three signals.
type Rhythm struct {
	Week  []uint32 `msg:"w,omitempty"` // events by hour of the week, plus one; 0 = not seen yet
	Hour  int64    `msg:"h"`           // under way
	Now   uint32   `msg:"n,omitempty"` // its events
	Again uint32   `msg:"r,omitempty"` // of those that the sender had tried before
	Last  int64    `msg:"l"`           // when the newest event arrived, milliseconds

	Span    int64  `msg:"s"`           // the five minutes under way
	Came    uint32 `msg:"c,omitempty"` // events of it
	Age     int64  `msg:"a,omitempty"` // the youngest of them was that old, milliseconds
	Quiet   int64  `msg:"q,omitempty"` // since when it is, 0 = it is not
	Stalled int64  `msg:"t,omitempty"` //
	Lossy   int64  `msg:"o,omitempty"` // the hour that was told of
	Minute  int64  `msg:"m"`           // looked at last

	dirty bool `msg:"-"`
}

const (
	rhythmPrefix = "rhythm/"
	weekHours    = 7 * 24

	// quietAfter events that should have come, and did not: by chance once in
	// a hundred thousand times.
	quietAfter = 12
	// A source is behind when nothing of five minutes is younger than this.
	staleAge   = 15 * event.Minute
	staleSpan  = 5 * event.Minute
	staleCount = 5
	// It loses events where it had to send this many again, and one in twenty.
	lossyCount = 10
	lossyShare = 20
)

// heard takes down an event that a source sent by itself; fresh says that it
// was not known.
func (op *Operator) heard(c *event.Change, fresh bool, out *stream.Out) {
	if c.Hook == "" {
		return // somebody asked for it: that has a rhythm of its own
	}
	key := c.System + "/" + c.Account
	r := op.rhythms[key]
	if r == nil {
		r = &Rhythm{Hour: int64(c.ReceivedAt) / event.Hour}
		op.rhythms[key] = r
	}
	r.dirty = true
	r.roll(c.ReceivedAt)
	if c.Redelivery > 0 {
		r.Again++
		op.lossy(key, r, out)
	}
	if !fresh {
		return
	}
	r.Now++
	r.Last = max(r.Last, int64(c.ReceivedAt))
	if r.Quiet != 0 {
		op.source(key, event.SignalSourceQuiet, event.Time(r.Quiet), c.ReceivedAt, "it sends again", out)
		r.Quiet = 0
	}
	age := int64(c.ReceivedAt - c.ChangedAt)
	if span := int64(c.ReceivedAt) / staleSpan; span > r.Span {
		r.Span, r.Came = span, 0
	}
	if r.Came == 0 || age < r.Age {
		r.Age = age
	}
	r.Came++
	op.stalled(key, r, c.ReceivedAt, out)
}

// roll closes the hours that have passed.
func (r *Rhythm) roll(now event.Time) {
	hour := int64(now) / event.Hour
	if hour <= r.Hour {
		return
	}
	if r.Week == nil {
		r.Week = make([]uint32, weekHours)
	}
	for n := min(hour-r.Hour, weekHours); n > 0; n-- {
		slot := &r.Week[r.Hour%weekHours]
		if *slot == 0 {
			*slot = r.Now + 1
		} else {
			*slot = (3*(*slot-1)+r.Now)/4 + 1 // three parts of what was usual, one of now
		}
		r.Hour, r.Now, r.Again = r.Hour+1, 0, 0
	}
	r.Hour = hour
}

// expected is how many events should have come since the last one. Hours of the
// week that were never seen count nothing: the first week only learns.
func (r *Rhythm) expected(now event.Time) float64 {
	sum, from := 0.0, r.Last
	for n := 0; from < int64(now) && n < weekHours && r.Week != nil; n++ {
		hour := from / event.Hour
		to := min((hour+1)*event.Hour, int64(now))
		if usual := r.Week[hour%weekHours]; usual > 1 {
			sum += float64(usual-1) * float64(to-from) / event.Hour
		}
		from = to
	}
	return sum
}

// listen looks, once a minute, for sources that should have been heard.
func (op *Operator) listen(now event.Time, out *stream.Out) {
	minute := int64(now) / event.Minute
	if minute == op.listened {
		return
	}
	op.listened = minute
	op.missCanaries(now, out)
	for _, key := range op.sources() {
		r := op.rhythms[key]
		if r.Minute == minute || r.Quiet != 0 || r.Last == 0 {
			continue
		}
		r.Minute, r.dirty = minute, true
		missed := r.expected(now)
		if missed >= quietAfter {
			r.Quiet = r.Last
			op.source(key, event.SignalSourceQuiet, event.Time(r.Quiet), 0,
				fmt.Sprintf("nothing came for %s, where about %d events are usual", span(now-event.Time(r.Last)), int(missed)), out)
			continue // what is missing now is not what is usual
		}
		r.roll(now)
	}
}

func (op *Operator) stalled(key string, r *Rhythm, now event.Time, out *stream.Out) {
	switch {
	case r.Stalled == 0 && r.Came >= staleCount && r.Age > staleAge:
		r.Stalled = int64(now)
		op.source(key, event.SignalSourceStalled, now, 0, fmt.Sprintf("what arrives happened %s ago or earlier", span(event.Time(r.Age))), out)
	case r.Stalled != 0 && r.Age <= staleAge:
		op.source(key, event.SignalSourceStalled, event.Time(r.Stalled), now, "what arrives is fresh again", out)
		r.Stalled = 0
	}
}

func (op *Operator) lossy(key string, r *Rhythm, out *stream.Out) {
	if r.Lossy == r.Hour || r.Again < lossyCount || r.Again*lossyShare < r.Now+r.Again {
		return
	}
	r.Lossy = r.Hour
	op.source(key, event.SignalSourceLossy, event.Time(r.Hour*event.Hour), 0,
		fmt.Sprintf("%d of %d events of this hour had to be sent again: some tries were lost", r.Again, r.Now+r.Again), out)
}

// source tells of a source. All partitions that notice use one id.
func (op *Operator) source(key, kind string, since, until event.Time, summary string, out *stream.Out) {
	system, account, _ := strings.Cut(key, "/")
	op.signal(&event.Signal{
		ID: event.Hash("signal", kind, key, event.Time(int64(since)/event.Hour).String()), Kind: kind, System: system,
		StartedAt: since, EndedAt: until, ReceivedAt: max(since, until),
		Summary: strings.TrimSpace(system+" "+account) + ": " + summary,
	}, out)
}

// span is a length of time as a person says it, to the minute.
func span(t event.Time) string {
	return strings.TrimSuffix((time.Duration(t) * time.Millisecond).Round(time.Minute).String(), "0s")
}

// sources lists those that are known, in the order every run has.
func (op *Operator) sources() []string {
	keys := make([]string, 0, len(op.rhythms))
	for key := range op.rhythms {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// saveRhythms emits those that changed, or all.
func (op *Operator) saveRhythms(all bool, emit stream.Emit) error {
	for _, key := range op.sources() {
		r := op.rhythms[key]
		if !all && !r.dirty {
			continue
		}
		r.dirty = false
		b, err := r.MarshalMsg(nil)
		if err != nil {
			return err
		}
		if err := emit(rhythmPrefix+key, b); err != nil {
			return err
		}
	}
	return nil
}

func (op *Operator) loadRhythm(key string, value []byte) error {
	if value == nil {
		delete(op.rhythms, key)
		return nil
	}
	r := &Rhythm{}
	_, err := r.UnmarshalMsg(value)
	op.rhythms[strings.Clone(key)] = r
	return err
}
