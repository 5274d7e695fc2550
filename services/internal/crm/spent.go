package crm

import "time"

// Spent is what one hour cost: it is stored, so that a process that starts
// again does not start with a fresh day.
type Spent struct {
	Hour            time.Time
	Lane            Lane
	Calls           int64
	Asked, Answered int64 // records of checks, with LaneCheck
	Daily, Allowed  int64
}

// Restore takes what earlier processes spent.
func (b *Budget) Restore(spent []Spent) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range spent {
		b.before[hourOf(s.Hour)] += s.Calls
	}
}

// Note counts checks, and those answered.
func (b *Budget) Note(asked, answered int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := hourOf(b.o.Clock.Now())
	n := b.notes[h]
	b.notes[h] = [2]int64{n[0] + int64(asked), n[1] + int64(answered)}
}

// Spent lists this process's last two hours, a row a lane.
func (b *Budget) Spent() []Spent {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := hourOf(b.o.Clock.Now())
	var out []Spent
	for h := now - 1; h <= now; h++ {
		for _, lane := range []Lane{LanePoll, LaneCheck, LaneCompare, LaneProbe} {
			s := Spent{Hour: time.Unix(h*3600, 0).UTC(), Lane: lane, Calls: b.hours[h][lane], Daily: b.daily, Allowed: b.allowed()}
			if lane == LaneCheck {
				s.Asked, s.Answered = b.notes[h][0], b.notes[h][1]
			}
			if s.Calls > 0 || s.Asked > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// Calls is what this process has spent in the last day.
func (b *Budget) Calls() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var n int64
	for _, lanes := range b.hours {
		for _, c := range lanes {
			n += c
		}
	}
	return n
}

// Used is what the account itself counted of its day, by everybody; false
// where it does not say, or has not for an hour.
func (b *Budget) Used() (used, daily int64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 || b.daily <= 0 || b.o.Clock.Now().Sub(b.leftAt) >= time.Hour {
		return 0, 0, false
	}
	return max(b.daily-b.left, 0), b.daily, true
}
