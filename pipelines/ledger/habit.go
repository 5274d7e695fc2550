package ledger

import (
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// Habit is what a partition learned of one integration's object: how long
// changes take, how the two systems' clocks go, how much happens. It is state
// of its own key, so that a restart and a replay know it too.
type Habit struct {
	Since  event.Time `msg:"s"`           // nothing is known of before
	Day    int64      `msg:"d"`           //
	Today  []uint32   `msg:"t,omitempty"` // deliveries by latency, see steps
	Before []uint32   `msg:"b,omitempty"` // the day before
	Hour   int64      `msg:"h"`           //
	Now    uint32     `msg:"n,omitempty"` // deliveries of this hour
	Last   uint32     `msg:"l,omitempty"` // of the one before
	Source Clock      `msg:"c"`
	Target Clock      `msg:"e"`

	dirty bool `msg:"-"`
}

// Clock is the least time between a system's own word for when something
// happened and its arrival here, by the hour. The way takes the same for both
// systems; what is left is how their clocks differ.
type Clock struct {
	Hour  int64  `msg:"h"`
	Now   int64  `msg:"n"` // milliseconds; negative: the system is ahead
	NowN  uint32 `msg:"c"`
	Last  int64  `msg:"l"`
	LastN uint32 `msg:"k"`
}

// steps are the bounds of latencies that are told apart, in seconds.
var steps = [...]event.Time{
	1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 360, 420, 480, 600, 720, 900,
	1200, 1500, 1800, 2700, 3600, 5400, 7200, 10800, 14400, 21600, 43200, 86400,
}

const (
	// skewBound is how far two systems' clocks may disagree before an attempt
	// is taken to precede a change it carried, as long as nothing is learned.
	skewBound = 5 * event.Second
	maxSkew   = 2 * event.Minute
	// maxAhead is how far ahead of its arrival a change is believed to be: a
	// clock that is years ahead must not keep a delivery open for years.
	maxAhead = 5 * event.Minute
	// farOff is no clock but a spool or a repair.
	farOff = 10 * event.Minute

	// learnAfter is how many samples make a habit.
	learnAfter = 20

	// A settled delivery is remembered for the comparison of the night, as
	// long as no more than keepCount of an object have to be.
	keepFor   = 26 * event.Hour
	keepCount = 20_000
)

// sample is one thing an input teaches.
type sample struct {
	of lesson
	ms int64
}

type lesson int

const (
	ofLatency lesson = iota
	ofSourceClock
	ofTargetClock
)

// pace is what a habit says at one moment.
type pace struct {
	since    event.Time
	deadline event.Time
	skew     event.Time // how far apart the clocks may be
	shown    int64      // how far apart they seem to be, milliseconds
	keep     event.Time // how long a settled delivery is remembered
}

func newHabit() *Habit { return &Habit{} }

// timed takes down how late a system told of a change.
func (f *folding) timed(c *event.Change) {
	of := ofSourceClock
	if c.Side == event.Target {
		of = ofTargetClock
	}
	if off := int64(c.ReceivedAt - c.ChangedAt); c.TimeBasis != event.TimeReceived && c.Redelivery == 0 && max(off, -off) < farOff {
		f.sample = append(f.sample, sample{of, off})
	}
}

// learn adds what the input taught, once it is folded.
func (f *folding) learn() {
	if f.m == nil {
		return
	}
	h := f.m.habit
	if h.Since == 0 {
		h.Since, h.dirty, f.m.known = f.clock, true, false
	}
	f.l.sample = f.sample[:0]
	for _, s := range f.sample {
		h.dirty, f.m.known = true, false
		switch s.of {
		case ofLatency:
			h.delivered(f.clock, s.ms)
		case ofSourceClock:
			h.Source.add(f.clock, s.ms)
		case ofTargetClock:
			h.Target.add(f.clock, s.ms)
		}
	}
}

func (h *Habit) delivered(now event.Time, ms int64) {
	if day := int64(now) / event.Day; day > h.Day {
		h.Before, h.Today = h.Today, nil
		if day != h.Day+1 {
			h.Before = nil
		}
		h.Day = day
	}
	if h.Today == nil {
		h.Today = make([]uint32, len(steps)+1)
	}
	h.Today[stepOf(ms)]++
	if hour := int64(now) / event.Hour; hour > h.Hour {
		h.Last, h.Now = h.Now, 0
		if hour != h.Hour+1 {
			h.Last = 0
		}
		h.Hour = hour
	}
	h.Now++
}

func stepOf(ms int64) int {
	i, _ := slices.BinarySearch(steps[:], event.Time((ms+event.Second-1)/event.Second))
	return i
}

func (c *Clock) add(now event.Time, off int64) {
	if hour := int64(now) / event.Hour; hour > c.Hour {
		c.Last, c.LastN, c.NowN = c.Now, c.NowN, 0
		if hour != c.Hour+1 {
			c.LastN = 0
		}
		c.Hour = hour
	}
	if c.NowN == 0 || off < c.Now {
		c.Now = off
	}
	c.NowN++
}

// least is the smallest offset seen of late, of at least n.
func (c *Clock) least(n int) (int64, bool) {
	switch {
	case int(c.NowN)+int(c.LastN) < n:
		return 0, false
	case c.LastN == 0:
		return c.Now, true
	case c.NowN == 0:
		return c.Last, true
	}
	return min(c.Now, c.Last), true
}

// pace is what the habit says now.
func (m *mapping) pace() pace {
	if !m.known {
		m.paced, m.known = m.read(), true
	}
	return m.paced
}

func (m *mapping) read() pace {
	h := m.habit
	p := pace{since: h.Since, deadline: m.first, skew: skewBound, keep: keepFor}
	if slow, ok := h.slow(m.learnAfter); ok {
		p.deadline = min(max(slow*3/2, m.floor), m.roof)
	}
	source, ok1 := h.Source.least(m.learnAfter)
	target, ok2 := h.Target.least(m.learnAfter)
	if apart := max(target-source, source-target); ok1 && ok2 && apart >= event.Second {
		p.shown, p.skew = apart, min(max(event.Time(apart)+event.Second, skewBound), maxSkew)
	}
	if n := event.Time(max(h.Now, h.Last)); n > 0 {
		p.keep = max(min(keepCount*event.Hour/n, keepFor), m.recent)
	}
	return p
}

// slow is how long all but a twentieth of the deliveries took at most.
func (h *Habit) slow(least int) (event.Time, bool) {
	var counts [len(steps) + 1]uint32
	total := uint32(0)
	for _, day := range [2][]uint32{h.Today, h.Before} {
		for i, n := range day[:min(len(day), len(counts))] {
			counts[i] += n
			total += n
		}
	}
	if total == 0 || int(total) < least {
		return 0, false
	}
	over := total / 20
	for i := len(steps); i > 0; i-- {
		if n := counts[i]; n > over {
			return steps[min(i, len(steps)-1)] * event.Second, true
		} else {
			over -= n
		}
	}
	return steps[0] * event.Second, true
}

func (h *Habit) save(m *mapping, emit stream.Emit) error {
	h.dirty = false
	b, err := h.MarshalMsg(nil)
	if err != nil {
		return err
	}
	return emit(habitPrefix+m.name(), b)
}

// due is when a change has to be delivered: the deadline counts from the change
// itself. One that came late, from a poll or a spool, still gets a moment.
func (p *pace) due(c *event.Change) event.Time {
	start := min(c.ChangedAt, c.ReceivedAt+maxAhead)
	if c.TimeBasis == event.TimeReceived {
		start = c.ReceivedAt
	}
	return max(start+p.deadline, c.ReceivedAt+min(p.deadline, lateGrace))
}
