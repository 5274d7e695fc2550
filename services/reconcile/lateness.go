package reconcile

import (
	"time"

	"plumbline.dev/schemas/event"
)

const (
	leastOverlap = 2 * time.Minute // clocks differ, and search indexes trail
	mostOverlap  = time.Hour
	forgetting   = 0.98 // a poll: an hour forgets two thirds
	maxSeen      = 200_000
)

// lateness learns how long after its modification a record shows. A system
// whose index trails lists a record that was modified before the poll before
// began, and was not in its answer: so late it was.
type lateness struct {
	late time.Duration // the worst, slowly forgotten
	seen map[string]event.Time
	last event.Time // when the poll before began
}

// overlap is how far a poll reaches back over the one before.
func (l *lateness) overlap() time.Duration {
	return min(max(2*l.late, leastOverlap), mostOverlap)
}

// news reports whether this modification was not seen yet.
func (l *lateness) news(id string, modified event.Time) bool {
	if l.seen == nil {
		l.seen = map[string]event.Time{}
	}
	was, ok := l.seen[id]
	if ok && was >= modified {
		return false
	}
	l.seen[id] = modified
	if l.last > 0 && modified < l.last {
		l.late = max(l.late, time.Duration(l.last-modified)*time.Millisecond)
	}
	return true
}

// ended closes a poll that began at an instant.
func (l *lateness) ended(began event.Time) {
	l.last = began
	l.late = time.Duration(float64(l.late) * forgetting)
	keep := began - event.Time((l.overlap() + leastOverlap).Milliseconds())
	for id, at := range l.seen {
		if at < keep || len(l.seen) > maxSeen {
			delete(l.seen, id)
		}
	}
}
