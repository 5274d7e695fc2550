package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// lessons are all samples ever taken of one object.
type lessons struct {
	Since event.Time // nothing is known of before
	Took  []lessonOf // latencies
	Hours []lessonOf // one each, by the hour
	Late  [2][]lessonOf
}

type lessonOf struct {
	Span int64 // the day or hour it counts in: never earlier than one before
	MS   int64
}

func taught(list []lessonOf, span, ms int64) []lessonOf {
	if n := len(list); n > 0 {
		span = max(span, list[n-1].Span)
	}
	return append(list, lessonOf{span, ms})
}

// late are the values of the newest span and the one before.
func late(list []lessonOf) (out []int64) {
	for _, l := range list {
		if l.Span >= list[len(list)-1].Span-1 {
			out = append(out, l.MS)
		}
	}
	slices.Sort(out)
	return out
}

// pace is deadline, skew, apart, keep and since, from all samples.
func (r *reference) pace(m *mapping) [5]int64 {
	l := r.Lessons[m.name()]
	if l == nil {
		l = &lessons{}
		r.Lessons[m.name()] = l
	}
	p := [5]int64{int64(m.first), 5000, 0, 26 * 3600_000, int64(l.Since)}
	if took := late(l.Took); len(took) >= r.least && len(took) > 0 {
		slowest := took[len(took)-1-len(took)/20]
		step := steps[len(steps)-1]
		for _, s := range slices.Backward(steps[:]) {
			if int64(s)*1000 >= slowest {
				step = s
			}
		}
		p[0] = min(max(int64(step)*1500, int64(m.floor)), int64(m.roof))
	}
	a, b := late(l.Late[0]), late(l.Late[1])
	if len(a) >= r.least && len(b) >= r.least && len(a)*len(b) > 0 {
		if apart := max(a[0]-b[0], b[0]-a[0]); apart >= 1000 {
			p[1], p[2] = min(max(apart+1000, 5000), 120_000), apart
		}
	}
	now, before := 0, 0
	for _, h := range l.Hours {
		switch l.Hours[len(l.Hours)-1].Span - h.Span {
		case 0:
			now++
		case 1:
			before++
		}
	}
	if n := max(now, before); n > 0 {
		p[3] = max(min(20_000*3600_000/int64(n), p[3]), int64(m.recent))
	}
	return p
}

// learn takes what an input taught: how late it was told, and what it delivered.
func (r *reference) learn(m *mapping, ev event.Event, clock event.Time, news []*event.Delivery) {
	l := r.Lessons[m.name()]
	if l.Since == 0 {
		l.Since = clock
	}
	if c, ok := ev.(*event.Change); ok && c.RecordKey != "" && c.TimeBasis != "received" && c.Redelivery == 0 {
		side := 0
		if c.Side == event.Target {
			side = 1
		}
		if off := int64(c.ReceivedAt - c.ChangedAt); off > -600_000 && off < 600_000 {
			l.Late[side] = taught(l.Late[side], int64(clock)/3600_000, off)
		}
	}
	for _, d := range news {
		arrived := func(state string) bool { return state == "applied" || state == "verified" }
		if arrived(d.State) && !arrived(d.Was) && d.Series == "" && d.LatencyMS >= 0 && !d.Reverse {
			l.Took = taught(l.Took, int64(clock)/86_400_000, d.LatencyMS)
			l.Hours = taught(l.Hours, int64(clock)/3600_000, 0)
		}
	}
}
